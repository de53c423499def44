"""The one way to write a JSON value, so that equal values have equal bytes and equal hashes."""

import json
from typing import Any

from jobspec.addresses import redacted
from jobspec.spec import Spec

_EXACT_INTEGERS = 2**53  # up to here a float that is an integer is exactly that integer


def canonical_json(value: object) -> str:
    """Return `value` (what json.dumps takes) as canonical JSON text; its UTF-8 bytes are what is hashed.

    Keys are sorted by code point, there are no spaces, text is not escaped beyond what JSON demands. A float that is
    an integer below 2^53 in size prints as that integer (5.0 and 5 are `5`, -0.0 is `0`), any other as Python's
    shortest form that reads back the same. Raises ValueError for NaN and the infinities.
    """
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_spec(spec: Spec) -> dict[str, Any]:
    """Return the spec as plain JSON values with every default filled in."""
    return spec.model_dump(mode="json")


def shown_spec(spec: Spec) -> dict[str, Any]:
    """Return the canonical spec as it may be shown and kept: web addresses without their query."""
    shown: dict[str, Any] = redacted(canonical_spec(spec))
    return shown


def _plain(value: object) -> object:
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT_INTEGERS:
        return int(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
