"""Which work a run does, and what the run is called: the same work has the same id, whoever asks for it."""

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from pydantic import Field

from jobspec.addresses import redacted, unsigned
from jobspec.canonical import canonical_json
from jobspec.spec import MAX_JOB_NAME, Spec, Strict, is_job_name

MAX_RUN_ID = 80  # what Step Functions takes as the name of an execution
MAX_ATTEMPT = 999_999
_DIGEST_LENGTH = 20
_RUN_ID = re.compile(rf"(?P<work_id>(?P<job>.+)-[0-9a-f]{{{_DIGEST_LENGTH}}})-(?P<attempt>[1-9][0-9]*)")

assert MAX_JOB_NAME + 1 + _DIGEST_LENGTH + 1 + len(str(MAX_ATTEMPT)) <= MAX_RUN_ID


class InputFile(Strict):
    """A file that a run reads, as it was when the run was planned."""

    uri: str = Field(description="Where the file is: a path, s3:// or https://.")
    bytes: int = Field(ge=0, description="Its size in bytes.")
    etag: str = Field(description="Its ETag, or what stands for one where the store has none.")
    rows: int | None = Field(None, ge=0, description="Its number of rows, null until somebody has counted them.")

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Its fields for whoever prints it, such as Dask in its log: without what a web address's query holds."""
        return ((name, redacted(value)) for name, value in super().__repr_args__())


class RunName(NamedTuple):
    """The parts of a run id."""

    job: str
    work_id: str
    attempt: int


def work_id(spec: Spec, inputs: Sequence[InputFile], code_version: str) -> str:
    """Return `<job>-<20 hexadecimal digits>`, the identity of the work.

    It depends on the job, its params, each input's (uri, etag, bytes) in any order, and the version of the code; not
    on labels, limits, cluster, force, nor on rows counted later, nor on how a web address is signed.
    """
    work = {
        "job": spec.job,
        "params": unsigned(spec.params.model_dump(mode="json")),
        "inputs": sorted([unsigned(file.uri), file.etag, file.bytes] for file in inputs),
        "code": code_version,
    }
    return f"{spec.job}-{sha256(canonical_json(work).encode()).hexdigest()[:_DIGEST_LENGTH]}"


def run_id(work_id: str, attempt: int) -> str:
    """Return `<work_id>-<attempt>`, at most 80 characters; raise ValueError unless attempt is in 1..999,999."""
    if not 1 <= attempt <= MAX_ATTEMPT:
        raise ValueError(f"attempt {attempt} is not in 1..{MAX_ATTEMPT}")
    return f"{work_id}-{attempt}"


def split_run_id(run_id: str) -> RunName:
    """Return the job, work id and attempt of a run id; raise ValueError for anything that is not one."""
    match = _RUN_ID.fullmatch(run_id) if len(run_id) <= MAX_RUN_ID else None
    if match is None or not is_job_name(match["job"]) or int(match["attempt"]) > MAX_ATTEMPT:
        raise ValueError(f"{run_id!r} is not a run id: <job>-<{_DIGEST_LENGTH} hexadecimal digits>-<attempt>")
    return RunName(match["job"], match["work_id"], int(match["attempt"]))
