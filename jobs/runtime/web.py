"""Files behind https: pinned by ETag, or else by Last-Modified and length, read by ranges of just that version."""

import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, BinaryIO

import urllib3

from jobs.runtime.storage import Source
from jobs.trips.params import LOOPBACK
from jobspec import InputChanged, InputFile, InputUnavailable, NoInputs, UnreadableFile
from jobspec.addresses import HIDDEN

MAX_DOWNLOAD = 8 * 2**30  # bytes kept on disk for a server that cannot serve ranges
_TRY_AGAIN = frozenset({403, 408, 425, 429, 500, 502, 503, 504})
_CHANGED = {404: "nothing", 410: "nothing", 412: "another version", 416: "a shorter file"}
_PATIENCE_SECONDS = 30  # the longest wait between two tries, whatever the server asks for
_CHUNK = 2**20


class WebSource(Source):
    """One version of a file on a web server; without ranges it is downloaded once a process, to a temporary file."""

    def __init__(self, pinned: InputFile) -> None:
        super().__init__(pinned)
        self._ranged: bool | None = None

    @property
    def ranged(self) -> bool:  # noqa: D102
        if self._ranged is None:
            self._ranged = self.size == 0 or self._ask(0, 1).status == 206
        return self._ranged

    def read(self, start: int, end: int) -> bytes:  # noqa: D102
        end = min(end, self.size)
        if start >= end:
            return b""
        if self._ranged is not False:
            response = self._ask(start, end)
            if response.status == 206:
                self._ranged = True
                with _told(self.uri):
                    data = bytes(response.data)
                if len(data) != end - start:
                    raise InputUnavailable(self.uri, f"asked for {end - start:,} bytes, got {len(data):,}")
                return data
            response.close()
            self._ranged = False
        return os.pread(downloaded(self).fileno(), end - start, start)

    def _ask(self, start: int, end: int) -> Any:
        # If-Range would do for servers that know no strong ETag, but answers a changed file with all of it.
        headers = {"Range": f"bytes={start}-{end - 1}"} | _condition(self.etag)
        return _checked(_request("GET", self.uri, headers), self.uri, self.etag)

    def close(self) -> None:
        """Nothing is held open."""


def pin(uri: str) -> InputFile:
    """The file as the server describes it now. Raises NoInputs (404, 410), InputUnavailable, UnreadableFile."""
    response = _request("HEAD", uri, {})
    if response.status in {405, 501}:
        response.close()
        response = _request("GET", uri, {})
    response.close()
    if response.status in {404, 410}:
        raise NoInputs(uri)
    _checked(response, uri, "")
    length = response.headers.get("Content-Length", "")
    if not length.isascii() or not length.isdigit():
        raise UnreadableFile(uri, f"the server does not say how long it is: {length!r}")
    return InputFile(uri=uri, bytes=int(length), etag=_etag(response, uri))


@cache
def _pool() -> urllib3.PoolManager:
    # A redirect could lead from https to an address of this machine's own network: addresses are taken as given.
    retries = urllib3.Retry(
        total=4, redirect=0, backoff_factor=0.2, status_forcelist=sorted(_TRY_AGAIN - {403}), allowed_methods=None,
        raise_on_status=False, raise_on_redirect=False, retry_after_max=_PATIENCE_SECONDS,
    )  # fmt: skip
    return urllib3.PoolManager(retries=retries, timeout=urllib3.Timeout(connect=10, read=60))


def _request(method: str, uri: str, headers: dict[str, str]) -> Any:
    # Judged by the very reading of the address that will connect, whoever the address comes from.
    with _told(uri):
        address = urllib3.util.parse_url(uri)
    if address.scheme != "https" and (address.scheme != "http" or address.host not in LOOPBACK):
        raise UnreadableFile(uri, "plain http is for this machine only")
    with _told(uri):
        return _pool().request(
            method, uri, headers={"Accept-Encoding": "identity"} | headers, preload_content=False, redirect=False
        )


@contextmanager
def _told(uri: str) -> Iterator[None]:
    try:
        yield
    except urllib3.exceptions.HTTPError as error:
        # Its words hold the address's path and query, which may be a credential: no traceback shows it.
        raise InputUnavailable(uri, re.sub(r"\?[^\s'\")]+", HIDDEN, str(error))) from None


def _checked(response: Any, uri: str, etag: str) -> Any:
    if etag and response.status in _CHANGED:
        raise InputChanged(uri, etag, _CHANGED[response.status])
    if response.status in _TRY_AGAIN:
        raise InputUnavailable(uri, f"the server answers {response.status} {response.reason or ''}".strip())
    if response.status not in {200, 206}:
        raise UnreadableFile(uri, f"the server answers {response.status} {response.reason or ''}".strip())
    if etag and (found := _etag(response, uri)) != etag:
        response.close()
        raise InputChanged(uri, etag, found)
    return response


def _etag(response: Any, uri: str) -> str:
    if etag := response.headers.get("ETag"):
        return str(etag)
    if modified := response.headers.get("Last-Modified"):
        _, _, total = str(response.headers.get("Content-Range", "")).partition("/")
        return f"{modified};{total or response.headers.get('Content-Length')}"
    raise UnreadableFile(uri, "the server gives neither ETag nor Last-Modified, so its version cannot be pinned")


def _condition(etag: str) -> dict[str, str]:
    if etag.startswith('"'):
        return {"If-Match": etag}
    # A weak ETag never matches If-Match; both it and the time are checked on the answer.
    return {} if etag.startswith("W/") else {"If-Unmodified-Since": etag.rpartition(";")[0]}


# Files without a name: nothing is left of them, however this process ends.
_downloads: dict[tuple[str, str], BinaryIO] = {}
_downloading = threading.Lock()


def downloaded(source: WebSource) -> BinaryIO:
    """The whole file on disk, fetched once a process and gone with it; at most MAX_DOWNLOAD bytes in all."""
    with _downloading:
        key = (source.uri, source.etag)
        if key not in _downloads:
            held = sum(os.fstat(file.fileno()).st_size for file in _downloads.values())
            if held + source.size > MAX_DOWNLOAD:
                raise UnreadableFile(
                    source.uri, f"its server serves no ranges, and {source.size:,} bytes more than fit on disk"
                )
            _downloads[key] = _download(source)
        return _downloads[key]


def _download(source: WebSource) -> BinaryIO:
    response = _checked(_request("GET", source.uri, _condition(source.etag)), source.uri, source.etag)
    file: BinaryIO = tempfile.TemporaryFile(prefix="dispatch-")  # noqa: SIM115  (open for as long as the process lives)
    written = 0
    with _told(source.uri):
        for chunk in response.stream(_CHUNK):
            written += len(chunk)
            if written > source.size:
                break
            file.write(chunk)
    file.flush()
    if written != source.size:
        file.close()
        raise InputUnavailable(source.uri, f"expected {source.size:,} bytes, got {written:,}")
    return file
