"""Every way in which Dispatch fails, each with its code, exit code and HTTP status.

    DispatchError
    ├─ SpecError
    ├─ BadResults
    ├─ DataError
    │   ├─ NoInputs
    │   ├─ TooManyInputs
    │   ├─ UnreadableFile
    │   ├─ InputChanged
    │   ├─ InputUnavailable
    │   │   └─ NoCredentials
    │   └─ MixedTaxis
    ├─ OutOfMemory
    ├─ LostWorkers
    │   ├─ NoWorkers
    │   ├─ NoCapacity
    │   └─ Superseded
    ├─ Cancelled
    │   └─ Interrupted
    ├─ TimedOut
    ├─ Refused
    │   ├─ OverBudget
    │   ├─ TooManyWorkers
    │   ├─ QueueFull
    │   ├─ NotReady
    │   └─ AlreadyExists
    ├─ NotFound
    ├─ Unanswered
    ├─ IllegalTransition
    └─ JobDefinitionError

A class that takes fields hands them all to `Exception`, so that its errors cross processes by pickle unchanged. No
error tells the query of a web address, which may be a credential: it is gone from the moment that the error is made.
"""

# ruff: noqa: N818  (a name that says what happened needs no "Error" behind it)

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from jobspec.addresses import redacted
from jobspec.problem import Problem, show


class DispatchError(Exception):
    """Raised when something failed that no class below names."""

    code: ClassVar[str] = "internal"
    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500
    run_id: str | None = None  # the run that failed, once it has one

    def __init__(self, *fields: Any) -> None:
        super().__init__(*map(redacted, fields))

    def __str__(self) -> str:
        return super().__str__() or self._title()

    @classmethod
    def _title(cls) -> str:
        return cls.code.replace("-", " ").capitalize()

    def as_problem(self) -> dict[str, Any]:
        """Return the error as RFC 9457 problem details, its fields as members, ready for JSON."""
        return {
            "type": f"urn:dispatch:error:{self.code}",
            "title": self._title(),
            "status": self.http_status,
            "detail": str(self),
        } | {name: value for name, value in vars(self).items() if not name.startswith("_")}


def as_dispatch_error(error: BaseException, run_id: str | None = None) -> DispatchError:
    """The error itself, or what stands for one that has no name among ours; it knows the run that it ended."""
    ours = error if isinstance(error, DispatchError) else DispatchError(f"{type(error).__name__}: {error}")
    if known := run_id or getattr(error, "run_id", None):
        for each in (ours, error):  # the error too, for whoever catches it next
            vars(each)["run_id"] = known
    return ours


class SpecError(DispatchError):
    """Raised when a spec is wrong; holds every problem found in it."""

    code = "bad-spec"
    exit_code = 2
    http_status = 400

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))

    def as_problem(self) -> dict[str, Any]:
        """Return problem details with all problems under `problems`."""
        return super().as_problem() | {"problems": [problem.as_dict() for problem in self.problems]}


class BadResults(DispatchError):
    """Raised when results cannot be written where they were to go."""

    code = "bad-results"
    exit_code = 2
    http_status = 400

    def __init__(self, results: str, reason: str) -> None:
        super().__init__(results, reason)
        self.results, self.reason = self.args

    def __str__(self) -> str:
        return (
            f"results cannot be written to {show(self.results)}: {self.reason}; "
            "allowed: a folder, or s3://bucket/prefix of a bucket that is there"
        )


class DataError(DispatchError):
    """Raised when the trips that a spec names cannot be used."""

    code = "bad-data"
    exit_code = 3
    http_status = 422


class NoInputs(DataError):
    """Raised when a path or glob matches no file."""

    code = "no-inputs"

    def __init__(self, pattern: str) -> None:
        super().__init__(pattern)
        (self.pattern,) = self.args

    def __str__(self) -> str:
        return f"no file matches {self.pattern}"


class TooManyInputs(DataError):
    """Raised when the paths and globs match more files than one run may read."""

    code = "too-many-inputs"

    def __init__(self, count: int, limit: int) -> None:
        super().__init__(count, limit)
        self.count, self.limit = count, limit

    def __str__(self) -> str:
        return f"{self.count:,} files match; a run reads at most {self.limit:,}"


class UnreadableFile(DataError):
    """Raised when a file cannot be read as trips: missing columns, broken, or of another format."""

    code = "unreadable-file"

    def __init__(self, uri: str, reason: str) -> None:
        super().__init__(uri, reason)
        self.uri, self.reason = self.args

    def __str__(self) -> str:
        return f"{self.uri} cannot be read: {self.reason}"


class InputChanged(DataError):
    """Raised when a file is no longer the one that was planned with; `expected` and `found` are ETags."""

    code = "input-changed"

    def __init__(self, uri: str, expected: str, found: str) -> None:
        super().__init__(uri, expected, found)
        self.uri, self.expected, self.found = self.args

    def __str__(self) -> str:
        return f"{self.uri} changed after the run was planned: expected {self.expected}, found {self.found}"


class InputUnavailable(DataError):
    """Raised when a server refuses a file for now (403, 429, 5xx, throttling): try again, it may well exist."""

    code = "input-unavailable"
    http_status = 503

    def __init__(self, uri: str, reason: str) -> None:
        super().__init__(uri, reason)
        self.uri, self.reason = self.args

    def __str__(self) -> str:
        return f"{self.uri} is not available now, try again later: {self.reason}"


class NoCredentials(InputUnavailable):
    """Raised when a file is in S3 and there are no credentials to ask for it with."""

    code = "no-credentials"

    def __str__(self) -> str:
        advice = "log in (`aws sso login`, `aws configure`), or set AWS_PROFILE"
        return f"{self.uri} cannot be asked for without credentials: {self.reason}; {advice}"


class MixedTaxis(DataError):
    """Raised when yellow and green trips meet in one run; names one file of each."""

    code = "mixed-taxis"

    def __init__(self, yellow_uri: str, green_uri: str) -> None:
        super().__init__(yellow_uri, green_uri)
        self.yellow_uri, self.green_uri = self.args

    def __str__(self) -> str:
        return f"one run reads one colour of taxi: {self.yellow_uri} is yellow, {self.green_uri} is green"


class OutOfMemory(DispatchError):
    """Raised when a worker or the client needed more memory than it has."""

    code = "out-of-memory"
    exit_code = 4


class LostWorkers(DispatchError):
    """Raised when workers went away and the run could not go on without them."""

    code = "lost-workers"
    exit_code = 5
    http_status = 503


class NoWorkers(LostWorkers):
    """Raised when too few workers came within the start time-out."""

    code = "no-workers"

    def __init__(self, wanted: int, waited_seconds: float) -> None:
        super().__init__(wanted, waited_seconds)
        self.wanted, self.waited_seconds = wanted, waited_seconds

    def __str__(self) -> str:
        return f"waited {self.waited_seconds:g} s for {self.wanted} workers; too few came"


class NoCapacity(LostWorkers):
    """Raised when Fargate could not start a task, or none came up in time."""

    code = "no-capacity"

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(what, reason)
        self.what, self.reason = what, reason

    def __str__(self) -> str:
        return f"{self.what} could not be started: {self.reason}"


class Superseded(LostWorkers):
    """Raised when a run's workers have another version of the code than its client: the stack was deployed anew while
    the run waited. Its answers would be those of neither; submitted again, it is a run of the new version."""

    code = "superseded"

    def __init__(self, ours: str, theirs: Sequence[str]) -> None:
        super().__init__(ours, list(theirs))
        self.ours, self.theirs = ours, list(theirs)

    def __str__(self) -> str:
        found = ", ".join(self.theirs)
        return f"the client has version {self.ours}, its workers {found}: submit the spec again"


class Cancelled(DispatchError):
    """Raised when a run is asked to stop (SIGTERM)."""

    code = "cancelled"
    exit_code = 143  # 128 + SIGTERM, as a shell reports it
    http_status = 409


class Interrupted(Cancelled):
    """Raised when a run is interrupted from the keyboard (Ctrl-C, SIGINT)."""

    code = "interrupted"
    exit_code = 130  # 128 + SIGINT


class TimedOut(DispatchError):
    """Raised when a run took longer than its spec allows; `after_seconds` says how long that was."""

    code = "timed-out"
    exit_code = 124  # as timeout(1) reports it
    http_status = 504

    def __init__(self, after_seconds: float) -> None:
        super().__init__(after_seconds)
        self.after_seconds = after_seconds

    def __str__(self) -> str:
        return f"stopped after {self.after_seconds:g} s, the limit that its spec sets"


class Refused(DispatchError):
    """Raised when a stack will not do what was asked of it, though the spec itself is good."""

    code = "refused"
    exit_code = 6
    http_status = 422


class OverBudget(Refused):
    """Raised when a run would cost more than its spec allows, in US dollars."""

    code = "over-budget"

    def __init__(self, needed_usd: float, max_cost_usd: float) -> None:
        super().__init__(needed_usd, max_cost_usd)
        self.needed_usd, self.max_cost_usd = needed_usd, max_cost_usd

    def __str__(self) -> str:
        return f"the run needs about ${self.needed_usd:.4f}; /limits/max_cost_usd allows ${self.max_cost_usd:.4f}"


class TooManyWorkers(Refused):
    """Raised when a run asks for more workers than the stack ever runs."""

    code = "too-many-workers"

    def __init__(self, wanted: int, cap: int) -> None:
        super().__init__(wanted, cap)
        self.wanted, self.cap = wanted, cap

    def __str__(self) -> str:
        return f"/cluster/workers: {self.wanted} workers; this stack runs at most {self.cap}"


class QueueFull(Refused):
    """Raised when as many runs wait for workers as may wait."""

    code = "queue-full"
    http_status = 503

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit

    def __str__(self) -> str:
        return f"{self.limit:,} runs wait for workers already; try again later"


class NotReady(Refused):
    """Raised when a run has not come far enough for what is asked of it, or ended before it did."""

    code = "not-ready"
    http_status = 409

    def __init__(self, asked_run_id: str, state: str, what: str) -> None:
        super().__init__(asked_run_id, state, what)
        self.asked_run_id, self.state, self.what = asked_run_id, state, what

    def __str__(self) -> str:
        return f"{self.asked_run_id} is {self.state} and has no {self.what}"


class AlreadyExists(Refused):
    """Raised when something of that name is there already."""

    code = "already-exists"
    http_status = 409

    def __init__(self, what: str, name: str) -> None:
        super().__init__(what, name)
        self.what, self.name = what, name

    def __str__(self) -> str:
        return f"there is a {self.what} {self.name!r} already"


class NotFound(DispatchError):
    """Raised when there is no run, job or schedule of that name; a spec that names no job is a bad spec."""

    code = "not-found"
    exit_code = 7
    http_status = 404

    def __init__(self, what: str, name: str, suggestion: str | None = None) -> None:
        super().__init__(what, name, suggestion)
        self.what, self.name, self.suggestion = what, name, suggestion

    def __str__(self) -> str:
        return f"there is no {self.what} {self.name!r}" + (
            f"; did you mean {self.suggestion!r}?" if self.suggestion else ""
        )


class Unanswered(DispatchError):
    """Raised when a part of the stack gave no answer: what was asked of it may have been done or not; try again."""

    code = "unanswered"
    http_status = 503


class IllegalTransition(DispatchError):
    """Raised when a run's state would go back, or change after it is final."""

    code = "illegal-transition"
    http_status = 409

    def __init__(self, old: str, new: str) -> None:
        super().__init__(old, new)
        self.old, self.new = old, new

    def __str__(self) -> str:
        return f"a run cannot go from {self.old} to {self.new}"


class JobDefinitionError(DispatchError):
    """Raised when a job's file breaks the contract; names the file and what is missing or wrong."""

    code = "bad-job"

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(file, reason)
        self.file, self.reason = file, reason

    def __str__(self) -> str:
        return f"{self.file}: {self.reason}"


def _tree(root: type[DispatchError]) -> Iterator[type[DispatchError]]:
    yield root
    for child in root.__subclasses__():
        yield from _tree(child)


ERRORS: tuple[type[DispatchError], ...] = tuple(_tree(DispatchError))
"""Every error class, in the order of the tree."""

EXIT_CODES: dict[int, str] = {0: "done"}
"""What an exit code of a run or of the command line means: the code of the topmost error that has it."""
for _error in ERRORS:
    EXIT_CODES.setdefault(_error.exit_code, _error.code)
