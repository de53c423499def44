"""Web addresses as they may be shown and kept, and as they tell files apart: a query may hold a credential."""

import re
from typing import Any
from urllib.parse import unquote_plus

HIDDEN = "?..."
"""What stands for a query: that there was one may be known."""

_QUERY = re.compile(r"(https?://[^\s\"'<>?]*)\?[^\s\"'<>]*", re.IGNORECASE)
_SIGNED_PREFIXES = ("x-amz-", "x-goog-")
# Signature version 2 of S3 and Google, CloudFront, and Azure's shared access signatures.
_SIGNED = frozenset(
    {"awsaccesskeyid", "googleaccessid", "signature", "expires", "policy", "key-pair-id"}
    | {"sig", "sv", "ss", "srt", "sp", "se", "st", "spr", "sr", "si", "sip"}
    | {"skoid", "sktid", "skt", "ske", "sks", "skv"}
)
_SIGNATURES = frozenset({"signature", "sig"})  # without one of these the short names above mean something else


def redacted(value: Any) -> Any:
    """The value with the query of every web address in its texts replaced by `?...`; lists and dicts are gone through.

    What is no text, list or dict comes back as it is.
    """
    if isinstance(value, str):
        return _QUERY.sub(rf"\1{HIDDEN}", value) if "?" in value else value
    if isinstance(value, dict):
        return {key: redacted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [redacted(item) for item in value]
    return value


def unsigned(value: Any) -> Any:
    """The value with every text that is a web address freed of its signature: the same file, whenever it was signed.

    Other parts of the query stay, because they may say which file is meant.
    """
    if isinstance(value, str):
        return _unsigned(value) if value.startswith(("https://", "http://")) else value
    if isinstance(value, dict):
        return {key: unsigned(item) for key, item in value.items()}
    if isinstance(value, list):
        return [unsigned(item) for item in value]
    return value


def _unsigned(address: str) -> str:
    path, mark, query = address.partition("?")
    parts = query.split("&")
    names = [unquote_plus(part.partition("=")[0]).lower() for part in parts]
    signed = not _SIGNATURES.isdisjoint(names)
    kept = [
        part
        for part, name in zip(parts, names, strict=True)
        if not name.startswith(_SIGNED_PREFIXES) and not (signed and name in _SIGNED)
    ]
    return path + mark + "&".join(kept) if kept else path
