"""The params that every job on trips understands."""

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from jobspec import FieldProblem, Params

# Plain http says nothing about who answers, and on Fargate it reaches the task's own credentials: this machine only.
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def _can_be_read(path: str) -> str:
    if problem := _path_problem(path):
        raise FieldProblem("", *problem)
    return path


# A key in S3 has up to 1,024 bytes, and an address that is signed by a role some 2,000 characters.
TripsPath = Annotated[str, Field(min_length=1, max_length=4096), AfterValidator(_can_be_read)]


class TripParams(Params):
    """Which trips, and which of them count."""

    trips: Annotated[list[TripsPath], Field(min_length=1, max_length=10_000)] = Field(
        description="Files of trips, CSV (also gzip) or Parquet: s3://, https:// or local paths. "
        "s3:// and local ones may hold the wildcards *, ? and []."
    )
    taxi: Literal["yellow", "green", "auto"] = Field(
        default="auto",
        description="The colour of the taxis. auto: by the names of the time columns, else green if there is a "
        "trip_type or ehail_fee, else by the file's name, else yellow.",
    )
    as_published: bool = Field(
        default=False,
        description="Reproduce the article's numbers, its mistakes included: durations wrap at 24 hours, the pick-up "
        "date is the drop-off's, trips are counted by a column that may be null. Implies keep: all.",
    )
    keep: Literal["all", "plausible"] = Field(
        default_factory=lambda earlier: "all" if earlier.get("as_published") else "plausible",
        description="Which trips the answers are about: all of them, or those that pass every rule of plausibility. "
        "plausible by default; all with as_published.",
    )
    on_bad_file: Literal["fail", "skip"] = Field(
        default="fail",
        description="What to do about a file that cannot be read: fail the run naming it, or set it aside and say so.",
    )

    @property
    def keeps_all(self) -> bool:
        """True when every trip counts, plausible or not."""
        return self.keep == "all"

    @field_validator("keep")
    @classmethod
    def _published_means_all(cls, keep: str, earlier: ValidationInfo) -> str:
        if earlier.data.get("as_published") and keep == "plausible":
            raise FieldProblem("", "as_published implies keep: all; plausible contradicts it", "all, or left out")
        return keep


class TopParams(TripParams):
    """Params of the jobs that list the greatest."""

    top: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=10, description="How many trips each list of the greatest holds."
    )


def _path_problem(path: str) -> tuple[str, str] | None:
    """What is wrong with a path and what is allowed instead, or None."""
    allowed = "s3://bucket/key, https://host/path, or a local path"
    if "\\" in path or any(ord(sign) < 32 for sign in path):
        return "backslashes and control characters mean different things to different readers", allowed
    scheme, separator, _ = path.partition("://")
    if not separator or scheme == "file":
        return None
    try:
        parts: Any = urlsplit(path)
        host = parts.hostname
    except ValueError as error:
        return f"not an address: {error}", allowed
    if scheme not in {"s3", "https", "http"}:
        return f"trips cannot be read through {scheme}://", allowed
    if "@" in parts.netloc or any(sign.isspace() for sign in parts.netloc):
        return "the address holds a user name or a space before its path", allowed
    if not host:
        return "the address names no bucket or host", allowed
    if scheme == "http" and host not in LOOPBACK:
        return "plain http is for this machine only", "https://host/path, or s3://bucket/key"
    if scheme != "s3" and "*" in parts.path:
        return "an https server cannot be asked for a list, so there are no wildcards", "one address a file"
    return None
