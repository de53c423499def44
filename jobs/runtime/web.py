"""Files behind https: pinned by ETag, or else by Last-Modified and length, read by ranges of just that version."""

import os
import re
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, BinaryIO, TypeVar

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

T = TypeVar("T")


class WebSource(Source):
    """One version of a file on a web server; without ranges it is downloaded whole, to a temporary file."""

    def __init__(self, pinned: InputFile) -> None:
        super().__init__(pinned)
        self._ranged: bool | None = None
        self._whole: BinaryIO | None = None  # the downloaded file, while this holds it

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
            part = _repeated(self.uri, lambda: self._part(start, end))
            self._ranged = part is not None
            if part is not None:
                return part
        if self._whole is None:
            self._whole = _downloads.hold(self)
        return os.pread(self._whole.fileno(), end - start, start)

    def _part(self, start: int, end: int) -> bytes | None:
        """None where the server serves no ranges."""
        response = self._ask(start, end)
        if response.status != 206:
            response.close()
            return None
        data = bytes(response.data)
        if len(data) != end - start:
            raise urllib3.exceptions.ProtocolError(f"asked for {end - start:,} bytes, got {len(data):,}")
        return data

    def _ask(self, start: int, end: int) -> Any:
        # If-Range would do for servers that know no strong ETag, but answers a changed file with all of it.
        headers = {"Range": f"bytes={start}-{end - 1}"} | _condition(self.etag)
        return _checked(_request("GET", self.uri, headers), self.uri, self.etag)

    def close(self) -> None:  # noqa: D102
        if self._whole is not None:
            self._whole = None
            _downloads.let_go(self)


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
    length, etag = response.headers.get("Content-Length", ""), _etag(response, uri)
    size = int(length) if length.isascii() and length.isdigit() else _repeated(uri, lambda: _counted(uri, etag))
    return InputFile(uri=uri, bytes=size, etag=etag)


def _counted(uri: str, etag: str) -> int:
    """How many bytes a file has whose server does not say so: it is read through, and read again where it is needed."""
    response = _checked(_request("GET", uri, _condition(etag)), uri, etag)
    size = 0
    try:
        for chunk in response.stream(_CHUNK):
            size += len(chunk)
            if size > MAX_DOWNLOAD:
                raise UnreadableFile(uri, f"its server does not say how long it is: more than {MAX_DOWNLOAD:,} bytes")
    finally:
        response.close()
    return size


# A redirect could lead from https to an address of this machine's own network: addresses are taken as given.
_RETRIES = urllib3.Retry(
    total=4, redirect=0, backoff_factor=0.2, status_forcelist=sorted(_TRY_AGAIN - {403}), allowed_methods=None,
    raise_on_status=False, raise_on_redirect=False, retry_after_max=_PATIENCE_SECONDS,
)  # fmt: skip


@cache
def _pool() -> urllib3.PoolManager:
    return urllib3.PoolManager(retries=_RETRIES, timeout=urllib3.Timeout(connect=10, read=60))


def _repeated(uri: str, read: Callable[[], T]) -> T:
    """What `read` returns. A body that breaks off is asked for again as often as the pool asks for its headers."""
    retries = _RETRIES
    while True:
        try:
            return read()
        except urllib3.exceptions.HTTPError as error:
            with _told(uri):
                retries = retries.increment("GET", uri, error=error)  # raises when there are none left
            retries.sleep()


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
    if 300 <= response.status < 400:
        to = response.headers.get("Location", "nowhere")
        raise UnreadableFile(uri, f"the server sends us to {to} ({response.status}): redirects are not followed")
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


class _Downloads:
    """Whole files on disk, MAX_DOWNLOAD bytes at most in all. One that nobody reads is kept while there is room.

    They are files without a name: nothing is left of them, however this process ends.
    """

    def __init__(self) -> None:
        self._files: dict[tuple[str, str], BinaryIO] = {}  # the one that was asked for longest ago first
        self._readers: Counter[tuple[str, str]] = Counter()
        self._free = threading.Condition()

    def hold(self, source: WebSource) -> BinaryIO:
        """The file, fetched if it is not there; whoever holds it lets it go. Waits for room while others read."""
        if source.size > MAX_DOWNLOAD:
            raise UnreadableFile(
                source.uri, f"its server serves no ranges, and {source.size:,} bytes more than fit on disk"
            )
        key = (source.uri, source.etag)
        with self._free:
            self._free.wait_for(lambda: key in self._files or self._makes_room(source.size))
            file = self._files.pop(key, None) or _repeated(source.uri, lambda: _download(source))
            self._files[key] = file
            self._readers[key] += 1
            return file

    def let_go(self, source: WebSource) -> None:
        """The source has read all that it wants of its file."""
        with self._free:
            self._readers[source.uri, source.etag] -= 1
            self._free.notify_all()

    def _makes_room(self, size: int) -> bool:
        """Whether that many bytes more fit, now that as many files as that takes, and nobody reads, are gone."""
        held = sum(os.fstat(file.fileno()).st_size for file in self._files.values())
        for key in [key for key in self._files if not self._readers[key]]:
            if held + size <= MAX_DOWNLOAD:
                break
            with self._files.pop(key) as file:
                held -= os.fstat(file.fileno()).st_size
        return held + size <= MAX_DOWNLOAD


_downloads = _Downloads()


def _download(source: WebSource) -> BinaryIO:
    response = _checked(_request("GET", source.uri, _condition(source.etag)), source.uri, source.etag)
    file: BinaryIO = tempfile.TemporaryFile(prefix="dispatch-")  # noqa: SIM115  (open for as long as it is kept)
    try:
        written = 0
        for chunk in response.stream(_CHUNK):
            written += len(chunk)
            if written > source.size:
                break
            file.write(chunk)
        file.flush()
        if written != source.size:
            raise urllib3.exceptions.ProtocolError(f"expected {source.size:,} bytes, got {written:,}")
    except BaseException:
        file.close()
        response.close()
        raise
    return file
