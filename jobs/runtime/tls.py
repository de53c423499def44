"""TLS between client, scheduler and workers: one key and one certificate, which all three hold and trust.

They come in DISPATCH_TLS, as JSON: `{"key": <PEM>, "certificate": <PEM>}`. The certificate is its own authority: who
has the key may talk to the cluster, and nobody else. Host names are not looked at, as the parts know each other by
address. The key stays in memory; OpenSSL takes keys only from files, so that Dask writes it, for the moment of loading,
to one in a folder that only this user can enter.
"""

import json
import os
import ssl
from collections.abc import Mapping
from typing import Any

from jobspec import DispatchError

TLS = "DISPATCH_TLS"


def security(environment: Mapping[str, str] = os.environ) -> Any:
    """Dask's Security with the key and certificate of the environment; None where it has none.

    Raises DispatchError where they are not of the form described above; the error never holds any of it.
    """
    text = environment.get(TLS)
    if not text:
        return None
    from distributed import Security

    certificate, key = _pair(text)
    both = {"cert": certificate, "key": key}
    parts = {f"tls_{role}_{what}": pem for role in ("client", "scheduler", "worker") for what, pem in both.items()}
    made = Security(require_encryption=True, tls_ca_file=certificate, **parts)
    try:
        made.get_connection_args("client")
    except (ssl.SSLError, OSError, ValueError) as error:
        raise DispatchError(f"{TLS} holds no key and certificate that belong together: {error}") from None
    return made


def _pair(text: str) -> tuple[str, str]:
    try:
        document = json.loads(text)
        certificate, key = document["certificate"], document["key"]
        well = all(isinstance(pem, str) and "\n" in pem for pem in (certificate, key))
    except (ValueError, TypeError, KeyError):
        well = False
    if not well:
        allowed = '{"key": <PEM>, "certificate": <PEM>}'
        raise DispatchError(f"{TLS} is not what it should be (it is secret, and so not shown); allowed: {allowed}")
    return certificate, key
