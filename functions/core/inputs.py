"""Which files a spec means, each pinned as it is now: what a run is identified by, and reads."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from functions.core import globs
from functions.core.clock import Clock
from functions.core.globs import Listed
from jobspec import DataError, InputFile, NoInputs, Problem, Spec, SpecError, TooManyInputs, UnreadableFile
from jobspec.problem import show

MAX_INPUTS = 10_000
MAX_LISTED = 200_000  # objects that one pattern may look at; more would outlast the function
FIND_SECONDS = 20
"""How long all of a spec's paths may take to look at: whoever asked waits, and so do those behind in the queue."""
_AT_ONCE = 16
_PAGE = 1_000  # objects that S3 lists at once


class Buckets(Protocol):
    """The buckets that a spec may name. Every method raises UnreadableFile where access is denied, InputUnavailable
    where S3 is throttling or out of order; a bucket that does not exist holds nothing.
    """

    def head(self, bucket: str, key: str) -> Listed | None:
        """The object of that key."""

    def listing(self, bucket: str, prefix: str, deep: bool) -> Iterator[Listed]:
        """What begins with the prefix; see `globs.Listing`."""


class Web(Protocol):
    """Files behind https."""

    def pin(self, uri: str) -> InputFile:
        """The file as its server describes it now.

        Raises NoInputs (404, 410), InputUnavailable (403, 429, 5xx, no connection: never "absent"), UnreadableFile.
        """


def check_readable(spec: Spec) -> None:
    """Raise SpecError naming every path that a stack cannot read, whatever lies there."""
    problems = [
        Problem(f"/params/trips/{index}", message, show(path), "s3://bucket/key or https://host/path")
        for index, path in enumerate(_paths(spec))
        if (message := _fault(path))
    ]
    if problems:
        raise SpecError(problems)


def find_inputs(spec: Spec, buckets: Buckets, web: Web, clock: Clock) -> list[InputFile]:
    """Every file that the spec names, each once, in the order of their URIs.

    Raises NoInputs for a path or pattern that means no file, TooManyInputs, UnreadableFile, InputUnavailable, and
    DataError where it takes longer than FIND_SECONDS; the last calls may take as long as theirs allow on top.
    """
    found: dict[str, InputFile] = {}
    begun, paths = clock.now(), _paths(spec)

    def in_time() -> None:
        if (clock.now() - begun).total_seconds() > FIND_SECONDS:
            raise DataError(
                f"/params/trips: to look at {len(paths):,} paths takes more than {FIND_SECONDS} seconds; "
                "name fewer, or objects of a bucket by a pattern with a longer prefix"
            )

    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        for path, files in zip(paths, pool.map(lambda path: _find(path, buckets, web, in_time), paths), strict=True):
            if not files:
                raise NoInputs(path)
            found |= {file.uri: file for file in files}
            if len(found) > MAX_INPUTS:
                raise TooManyInputs(len(found), MAX_INPUTS)
    finally:
        pool.shutdown(cancel_futures=True)  # where one is wrong the others need not be looked at
    return [found[uri] for uri in sorted(found)]


def _paths(spec: Spec) -> Sequence[str]:
    from jobs.trips import TripParams  # brings the catalogue, which most functions that import this never ask

    return spec.params.trips if isinstance(spec.params, TripParams) else []


def _fault(path: str) -> str | None:
    scheme, separator, rest = path.partition("://")
    if not separator or scheme == "file":
        return "a stack cannot read a local path"
    if scheme == "http":
        return "a stack does not read plain http"
    bucket, _, key = rest.partition("/")
    if scheme == "s3" and globs.has_wildcard(bucket):
        return "the bucket holds a wildcard"
    if scheme == "s3" and not key:
        return "the address names a bucket and no key"
    return globs.fault(key) if scheme == "s3" else None


def _find(path: str, buckets: Buckets, web: Web, in_time: Callable[[], None]) -> list[InputFile]:
    in_time()
    if not path.startswith("s3://"):
        return [web.pin(path)]
    bucket, _, key = path.removeprefix("s3://").partition("/")
    if globs.has_wildcard(key) and key.endswith("/"):
        return []  # what ends so is a folder, even where a console has made an object of it
    if globs.has_wildcard(key):
        matching = globs.search(
            key, lambda prefix, deep: _bounded(path, buckets.listing(bucket, prefix, deep), in_time)
        )
        files = (found for found in matching if not found.key.endswith("/"))  # the client could not open those
        return [_pinned(bucket, found) for found in _at_most(files, MAX_INPUTS)]
    if not key.endswith("/") and (found := buckets.head(bucket, key)):
        return [_pinned(bucket, found)]
    if next(buckets.listing(bucket, key.rstrip("/") + "/", False), None):
        raise UnreadableFile(path, "it is a folder; name its objects, for example with /*.parquet")
    return []


def _pinned(bucket: str, found: Listed) -> InputFile:
    return InputFile(uri=f"s3://{bucket}/{found.key}", bytes=found.bytes, etag=found.etag)


def _bounded(path: str, listing: Iterator[Listed], in_time: Callable[[], None]) -> Iterator[Listed]:
    for count, found in enumerate(listing):
        if count % _PAGE == 0:
            in_time()
        if count == MAX_LISTED:
            raise DataError(f"{path}: more than {MAX_LISTED:,} objects to look through; begin it with a longer prefix")
        yield found


def _at_most(matching: Iterator[Listed], limit: int) -> Iterator[Listed]:
    for count, found in enumerate(matching, 1):
        if count > limit:
            raise TooManyInputs(count, limit)
        yield found
