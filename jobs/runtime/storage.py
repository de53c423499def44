"""Where files lie: finding them, pinning the version that was found, and reading byte ranges of just that version.

Local files, s3:// and https:// behind one small port, `Source`. A file that is not the one that was pinned raises
InputChanged wherever that shows; a server that refuses for now raises InputUnavailable and never looks like absence.
"""

import io
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jobspec import (
    DispatchError,
    InputChanged,
    InputFile,
    InputUnavailable,
    NoCredentials,
    NoInputs,
    Problem,
    SpecError,
    TooManyInputs,
    UnreadableFile,
)
from jobspec.document import MAX_BYTES
from jobspec.problem import show

MAX_INPUTS = 10_000
_NO_CREDENTIALS = frozenset(  # what the SDK calls it, which is not imported here
    {"NoCredentialsError", "PartialCredentialsError", "ProfileNotFound", "UnauthorizedSSOTokenError"}
)


class Source(ABC):
    """One pinned version of one file, open for reading. Close it, or use it as a context."""

    def __init__(self, pinned: InputFile) -> None:
        self.uri = pinned.uri
        self.size = pinned.bytes
        self.etag = pinned.etag

    @property
    def ranged(self) -> bool:
        """Whether a part of the file can be had without the rest."""
        return True

    @abstractmethod
    def read(self, start: int, end: int) -> bytes:
        """The bytes [start, end), fewer where the file ends."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the file."""

    def check_unchanged(self) -> None:
        """Raise InputChanged if only now it shows that the file is another; most sources see that as they read."""
        return

    def file(self) -> Any:
        """The whole as a seekable file that pyarrow can read."""
        return SourceFile(self)

    def __enter__(self) -> "Source":
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()


class SourceFile(io.RawIOBase):
    """A source as a file object: every read is one ranged read."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source
        self._at = 0

    def readable(self) -> bool:  # noqa: D102
        return True

    def seekable(self) -> bool:  # noqa: D102
        return True

    def tell(self) -> int:  # noqa: D102
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:  # noqa: D102
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._source.size}[whence]
        self._at = start + offset
        return self._at

    def size(self) -> int:
        """Bytes in all; pyarrow asks."""
        return self._source.size

    def read(self, size: int = -1) -> bytes:  # noqa: D102
        end = self._source.size if size is None or size < 0 else min(self._at + size, self._source.size)
        data = self._source.read(self._at, end) if end > self._at else b""
        self._at += len(data)
        return data

    def readinto(self, buffer: Any) -> int:  # noqa: D102
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class LocalSource(Source):
    """A file on this machine."""

    def __init__(self, pinned: InputFile) -> None:
        super().__init__(pinned)
        try:
            self._descriptor = os.open(pinned.uri, os.O_RDONLY)
        except FileNotFoundError as error:
            raise InputChanged(pinned.uri, pinned.etag, "nothing") from error
        except OSError as error:
            raise UnreadableFile(pinned.uri, os.strerror(error.errno or 0)) from error
        found = _local_etag(os.fstat(self._descriptor))
        if found != pinned.etag:
            self.close()
            raise InputChanged(pinned.uri, pinned.etag, found)

    def read(self, start: int, end: int) -> bytes:  # noqa: D102
        parts = []
        while start < end:
            try:
                part = os.pread(self._descriptor, min(end - start, 2**30), start)
            except OSError as error:
                raise UnreadableFile(self.uri, os.strerror(error.errno or 0)) from error
            if not part:
                break
            parts.append(part)
            start += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def file(self) -> Any:  # noqa: D102
        # pyarrow opens files by name, and by now another may have this one's: the name of the descriptor stays its own.
        return f"/dev/fd/{self._descriptor}"

    def check_unchanged(self) -> None:  # noqa: D102
        found = _local_etag(os.fstat(self._descriptor))
        if found != self.etag:
            raise InputChanged(self.uri, self.etag, found)

    def close(self) -> None:  # noqa: D102
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class S3Source(Source):
    """An object in S3: every read carries the pinned ETag as If-Match."""

    def __init__(self, pinned: InputFile) -> None:
        super().__init__(pinned)
        with _s3_told(pinned.uri):
            try:
                self._file = filesystem("s3").open(pinned.uri, "rb", cache_type="none")
            except FileNotFoundError as error:
                raise InputChanged(pinned.uri, pinned.etag, "nothing") from error
        found = _s3_etag(self._file.details)
        if found != pinned.etag:
            raise InputChanged(pinned.uri, pinned.etag, found)

    def read(self, start: int, end: int) -> bytes:  # noqa: D102
        from s3fs.utils import FileExpired

        with _s3_told(self.uri):
            try:
                self._file.seek(start)
                return bytes(self._file.read(end - start))
            except (FileExpired, FileNotFoundError) as error:
                raise InputChanged(self.uri, self.etag, "another version") from error

    def close(self) -> None:  # noqa: D102
        self._file.close()


def open_source(pinned: InputFile) -> Source:
    """The pinned file, open. Raises UnreadableFile, InputChanged or InputUnavailable."""
    match scheme_of(pinned.uri):
        case "s3":
            return S3Source(pinned)
        case "http" | "https":
            from jobs.runtime.web import WebSource

            return WebSource(pinned)
        case _:
            return LocalSource(pinned)


def scheme_of(uri: str) -> str:
    """`s3`, `https`, `http`, or `file` for a local path."""
    scheme, separator, _ = uri.partition("://")
    return scheme if separator else "file"


def filesystem(scheme: str) -> Any:
    """The fsspec file system of a scheme, without listings kept from before."""
    import fsspec

    return fsspec.filesystem(scheme, use_listings_cache=False) if scheme == "s3" else fsspec.filesystem(scheme)


def resolve(patterns: Iterable[str]) -> list[InputFile]:
    """Every file that the paths and wildcards name, each once, in the order of their URIs, pinned as found.

    Raises NoInputs for a pattern that matches nothing, TooManyInputs, UnreadableFile, InputUnavailable.
    """
    found: dict[str, InputFile] = {}
    for pattern in patterns:
        matches = list(_matches(pattern))
        if not matches:
            raise NoInputs(pattern)
        found |= {match.uri: match for match in matches}
        if len(found) > MAX_INPUTS:
            raise TooManyInputs(len(found), MAX_INPUTS)
    return [found[uri] for uri in sorted(found)]


def _matches(pattern: str) -> Iterable[InputFile]:
    match scheme_of(pattern):
        case "s3":
            return _s3_matches(pattern)
        case "http" | "https":
            from jobs.runtime.web import pin

            return [pin(pattern)]
        case _:
            return _local_matches(pattern.removeprefix("file://"))


def _local_matches(pattern: str) -> Iterable[InputFile]:
    path = Path(pattern)
    try:
        if path.exists() or not _has_wildcard(pattern):
            paths = [pattern] if path.exists() else []
        else:
            paths = [p for p in filesystem("file").glob(pattern) if Path(p).is_file()]
        if paths == [pattern] and path.is_dir():
            raise UnreadableFile(pattern, "it is a directory; name its files, for example with /*.parquet")
        absolute = [Path(os.path.abspath(p)) for p in paths]  # noqa: PTH100 - /a/../b and /b are one file
        for odd in (p for p in absolute if not p.is_file()):
            raise UnreadableFile(str(odd), "it is no regular file: trips are read more than once, and in parts")
        return [InputFile(uri=str(p), bytes=(s := p.stat()).st_size, etag=_local_etag(s)) for p in absolute]
    except (OSError, ValueError) as error:
        raise UnreadableFile(pattern, first_line(error)) from error


def _s3_matches(pattern: str) -> Iterable[InputFile]:
    s3 = filesystem("s3")
    with _s3_told(pattern):
        try:
            details = s3.glob(pattern, detail=True).values() if _has_wildcard(pattern) else [s3.info(pattern)]
        except FileNotFoundError:
            return []
    files = [d for d in details if d["type"] == "file"]
    if not files and details and not _has_wildcard(pattern):
        raise UnreadableFile(pattern, "it is a folder; name its objects, for example with /*.parquet")
    return [InputFile(uri=f"s3://{d['name']}", bytes=d["size"], etag=_s3_etag(d)) for d in files]


@contextmanager
def _s3_told(uri: str) -> Iterator[None]:
    """What S3 and the way to it may answer, in our words: whatever keeps us from an object is no fault of the object.

    Refusals, credentials that ran out, throttling and outages come as many kinds of errors, and some by no name at all.
    """
    try:
        yield
    except DispatchError:
        raise
    except Exception as error:  # s3fs's, and the SDK's own: no credentials, no connection, no such region
        lacks_credentials = type(error).__name__ in _NO_CREDENTIALS
        raise (NoCredentials if lacks_credentials else InputUnavailable)(uri, first_line(error)) from error


def _has_wildcard(pattern: str) -> bool:
    return any(sign in pattern for sign in "*?[")


def _local_etag(status: os.stat_result) -> str:
    return f"{status.st_mtime_ns:x}-{status.st_size:x}"


def _s3_etag(details: Any) -> str:
    return str(details["ETag"]).strip('"')


def first_line(error: BaseException) -> str:
    """What an error says, in one line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def read_document(uri: str, limit: int = MAX_BYTES) -> bytes:
    """A small document, such as a spec. Raises SpecError where it cannot be read or has more than `limit` bytes."""
    scheme = scheme_of(uri)
    if scheme not in {"file", "s3"}:
        raise unreadable_spec(uri, f"documents are not read through {scheme}://")
    try:
        if scheme == "file":  # maybe a pipe, which fsspec cannot read
            with Path(uri.removeprefix("file://")).open("rb") as local:
                size, content = os.fstat(local.fileno()).st_size, local.read(limit + 1)
        else:
            with filesystem(scheme).open(uri, "rb", block_size=limit) as file:
                size, content = file.size, bytes(file.read(limit + 1))
    except DispatchError:
        raise
    except Exception as error:  # of the SDK too
        raise unreadable_spec(uri, getattr(error, "strerror", None) or first_line(error)) from error
    if len(content) > limit:
        found = f"{size:,} bytes" if size > limit else "more"  # a pipe does not say
        raise SpecError([Problem("", "the document is too large", found, f"at most {limit:,} bytes")])
    return content


def unreadable_spec(uri: str, reason: str) -> SpecError:
    """The error of a document that cannot be read."""
    return SpecError([Problem("", f"cannot be read: {reason}", show(uri), "a local path or s3://bucket/key")])
