"""Files behind https: what their servers say of them, in the very form in which the client will check it again."""

import re
from functools import cached_property
from http import HTTPStatus

import urllib3

from jobspec import InputFile, InputUnavailable, NoInputs, UnreadableFile
from jobspec.addresses import HIDDEN

_TRY_AGAIN = frozenset({403, 408, 425, 429, 500, 502, 503, 504})
_ABSENT = frozenset({404, 410})
_NO_HEAD = frozenset({405, 501})


class HttpsFiles:
    """`functions.core.inputs.Web` on urllib3. Redirects are not followed: addresses are taken as given."""

    @cached_property
    def _pool(self) -> urllib3.PoolManager:
        retries = urllib3.Retry(
            total=1, redirect=0, backoff_factor=0.2, status_forcelist=sorted(_TRY_AGAIN - {403}), allowed_methods=None,
            raise_on_status=False, raise_on_redirect=False, respect_retry_after_header=False,
        )  # fmt: skip
        return urllib3.PoolManager(maxsize=16, retries=retries, timeout=urllib3.Timeout(connect=3, read=5))

    def pin(self, uri: str) -> InputFile:
        """The file as its server describes it now."""
        response = self._ask("HEAD", uri)
        if response.status in _NO_HEAD:
            response = self._ask("GET", uri)
        if response.status in _ABSENT:
            raise NoInputs(uri)
        answer = f"the server answers {response.status} {response.reason or ''}".strip()
        if response.status in _TRY_AGAIN:
            raise InputUnavailable(uri, answer)
        if response.status != HTTPStatus.OK:
            raise UnreadableFile(uri, answer)
        length = response.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal()):
            raise UnreadableFile(uri, f"the server does not say how long it is: {length!r}")
        return InputFile(uri=uri, bytes=int(length), etag=_etag(uri, response.headers, length))

    def _ask(self, method: str, uri: str) -> urllib3.BaseHTTPResponse:
        headers = {"Accept-Encoding": "identity"}
        try:
            response = self._pool.request(method, uri, headers=headers, preload_content=False, redirect=False)
        except urllib3.exceptions.LocationValueError as error:
            raise UnreadableFile(uri, str(error)) from error
        except urllib3.exceptions.HTTPError as error:
            # Its words hold the address's query, which may be a credential: no traceback shows it.
            raise InputUnavailable(uri, re.sub(r"\?[^\s'\")]+", HIDDEN, str(error))) from None
        response.close()
        return response


def _etag(uri: str, headers: urllib3.HTTPHeaderDict, length: str) -> str:
    if etag := headers.get("ETag"):
        return etag
    if modified := headers.get("Last-Modified"):
        return f"{modified};{length}"
    raise UnreadableFile(uri, "the server gives neither ETag nor Last-Modified, so its version cannot be pinned")
