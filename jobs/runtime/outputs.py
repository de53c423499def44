"""A run's folder: everything it leaves, written whole or not at all, `result.json` last.

Local folders and s3:// by the same code. A file is first written beside its place and then moved there; an object in
S3 appears whole by itself.
"""

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from jobs.runtime.storage import filesystem, first_line, scheme_of
from jobspec import BadResults, DispatchError, Output, run_id

RESULT = "result.json"
ERROR = "error.json"
_UPLOAD_BYTES = 8 * 2**20  # of a file that goes up piece by piece
_TAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})  # 412 and 409 to If-None-Match


class RunFolder:
    """`<results>/runs/<run_id>/`."""

    def __init__(self, results: str, name: str) -> None:
        self._scheme = scheme_of(results)
        if self._scheme not in {"file", "s3"}:
            raise BadResults(results, f"nothing is written through {self._scheme}://")
        if self._scheme == "s3" and not results.removeprefix("s3://").partition("/")[0]:
            raise BadResults(results, "it names no bucket")
        if not results.removeprefix("file://"):
            raise BadResults(results, "it names no folder")
        root = results if self._scheme != "file" else str(Path(results.removeprefix("file://")).absolute())
        self.results = root  # absolute, because workers have working directories of their own
        self.name = name
        self.uri = f"{root.rstrip('/')}/runs/{name}"
        self.outputs: list[Output] = []

    @cached_property
    def _files(self) -> Any:
        return filesystem(self._scheme)

    def path(self, name: str) -> str:
        """The full path or URI of one of its files."""
        return f"{self.uri}/{name}"

    def write(self, path: str, content: bytes, media_type: str, name: str | None = None) -> Output:
        """Write one file and list it among the outputs."""
        self.put(path, content)
        return self._listed(path, len(content), hashlib.sha256(content).hexdigest(), media_type, name)

    @contextlib.contextmanager
    def writing(self, path: str, media_type: str) -> Iterator[BinaryIO]:
        """A file to write piece by piece; once the block has ended it is in its place and among the outputs."""
        with tempfile.TemporaryDirectory(prefix="dispatch-") as elsewhere:
            part = self._beside(path) if self._scheme == "file" else Path(elsewhere, "part")
            with part.open("w+b") as file:
                yield file
                size = file.seek(0, os.SEEK_END)
                file.seek(0)
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if self._scheme == "file":
                part.replace(self.path(path))
            else:
                self._files.put_file(str(part), self.path(path), chunksize=_UPLOAD_BYTES, max_concurrency=1)
        self._listed(path, size, digest, media_type)

    def put(self, path: str, content: bytes) -> str:
        """Write one file whole; returns where."""
        target = self.path(path)
        if self._scheme == "file":
            beside = self._beside(path)
            try:
                beside.write_bytes(content)
                beside.replace(target)
            except BaseException:
                beside.unlink(missing_ok=True)  # half of it, where the disk is full
                raise
        else:
            self._files.pipe_file(target, content)
        return target

    def _beside(self, path: str) -> Path:
        """Where a local file is written before it is moved to its place."""
        place = Path(self.path(path))
        place.parent.mkdir(parents=True, exist_ok=True)
        return place.with_name(f".{place.name}.part")

    def _listed(self, path: str, size: int, sha256: str, media_type: str, name: str | None = None) -> Output:
        stem = path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
        output = Output(name=name or stem, path=path, bytes=size, sha256=sha256, media_type=media_type)
        self.outputs.append(output)
        return output

    def read(self, path: str) -> bytes:
        """One of its files."""
        return bytes(self._files.cat_file(self.path(path)))

    def remove(self, path: str) -> None:
        """Remove one of its files or folders; one that is not there counts as removed."""
        target = self.path(path)
        if self._files.exists(target):
            self._files.rm(target, recursive=True)

    def keep_only(self, folder: str, paths: frozenset[str]) -> None:
        """Remove the files below one of its folders that are not among `paths`."""
        top = self.path(folder)
        found = self._files.find(top) if self._files.exists(top) else []
        beginning = self._files._strip_protocol(self.uri).rstrip("/") + "/"
        for entry in found:
            if entry.removeprefix(beginning) not in paths:
                self._files.rm(entry)

    def attempts(self, work_id: str) -> list[int]:
        """The attempts at this work that have a folder beside this one."""
        runs = self.uri.rsplit("/", 1)[0]
        try:
            names = os.listdir(runs) if self._scheme == "file" else self._files.ls(runs, detail=False)  # noqa: PTH208
        except FileNotFoundError:
            return []
        pattern = re.compile(rf"{re.escape(work_id)}-(\d+)/?$")
        return [int(match[1]) for name in names if (match := pattern.search(name))]

    def claim(self, path: str, content: bytes) -> bool:
        """Take the folder by writing its first file; False where another run has taken it, which then is unharmed.

        A local folder is made by one run only. In S3, which has no folders, the file is put under the condition that
        there is none (If-None-Match).
        """
        try:
            if self._scheme == "file":
                Path(self.uri).parent.mkdir(parents=True, exist_ok=True)
                Path(self.uri).mkdir()
                self._begin(path, content)
            else:
                self._files.pipe_file(self.path(path), content, mode="create")
        except OSError as error:
            if isinstance(error, FileExistsError) or _error_code(error) in _TAKEN:
                return False
            raise
        return True

    def _begin(self, path: str, content: bytes) -> None:
        try:
            self.put(path, content)
        except BaseException:
            Path(self.uri).rmdir()
            raise

    def gave_up(self) -> bool:
        """Whether the run has failed: what is written after that would stay for good."""
        return bool(self._files.exists(self.path(ERROR)))

    def discard(self, keep: frozenset[str] = frozenset()) -> None:
        """Remove everything but the top-level files named in `keep`; `result.json` before what it lists."""
        try:
            found = self._files.ls(self.uri, detail=False)
        except FileNotFoundError:
            return
        names = {entry.rstrip("/").rsplit("/", 1)[-1]: entry for entry in found}
        for name in sorted(names.keys() - keep, key=lambda name: name != RESULT):
            self._files.rm(names[name], recursive=True)


def next_folder(results: str, work_id: str, first: str, content: bytes) -> RunFolder:
    """The folder of this work's next attempt, claimed by writing its first file: no other run has it too.

    Raises BadResults where none can be made.
    """
    with _place_for(results):
        attempt = 1 + max(RunFolder(results, "").attempts(work_id), default=0)
        while True:
            folder = RunFolder(results, run_id(work_id, attempt))
            if folder.claim(first, content):
                return folder
            attempt += 1


def begin_again(folder: RunFolder, first: str, content: bytes, keep: frozenset[str]) -> None:
    """Write the first file of a run whose id is given, in the place of what an earlier try at this very run has left.

    Raises BadResults where that cannot be done.
    """
    with _place_for(folder.results):
        folder.discard(keep=keep)
        folder.put(first, content)


@contextlib.contextmanager
def _place_for(results: str) -> Iterator[None]:
    try:
        yield
    except DispatchError:
        raise
    except Exception as error:  # the system's, s3fs's, and the SDK's own
        raise BadResults(results, getattr(error, "strerror", None) or first_line(error)) from error


def _error_code(error: OSError) -> str:
    """What S3 calls the error that s3fs has made this of."""
    response = getattr(error.__cause__, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))
