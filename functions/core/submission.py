"""From a document that somebody handed in to a run: one identity over all triggers.

A submission is known by its *event* (this version of this object, this Idempotency-Key, this firing of a schedule) and
asks for some *work* (job, params, files, code). The same event is answered with the run it led to; the same work, by
whatever trigger, with the run that does it or has done it. Only where that run has failed, or its result is gone, or
the spec says `force`, does the next attempt begin.

What is written, in this order: the files that the run will read, the row, the execution. Whatever stops in between
leaves something that the next try at the same event takes up, and a row that stays SUBMITTED can be started by anyone.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol

from functions.core import keys
from functions.core.clock import Clock
from functions.core.inputs import Buckets, Web, check_readable, find_inputs
from functions.core.ledger import Ledger, check_room
from functions.core.planning import Plan, Stack, plan
from functions.core.runs import Run, Trigger
from jobspec import (
    DispatchError,
    InputFile,
    Job,
    Refused,
    RunState,
    Spec,
    parse_spec,
    run_id,
    shown_spec,
    work_id,
)

TRIES = 20  # at getting ahead of others who submit the same work at the same moment; each loss means that one got ahead


@dataclass(frozen=True, slots=True)
class Submission:
    """A document and how it came."""

    trigger: Trigger
    document: bytes | str | Mapping[str, Any]
    event: str | None = None  # what makes it one and the same when it comes again; None if nothing does
    source: str | None = None  # what it is answered under in `answers/`, if it is

    @property
    def digest(self) -> str:
        """What tells another document under the same event from this one."""
        raw = self.document if isinstance(self.document, str | bytes) else json.dumps(self.document, sort_keys=True)
        return sha256(raw if isinstance(raw, bytes) else raw.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class KnownEvent:
    """An event that has been dealt with."""

    run_id: str
    digest: str


@dataclass(frozen=True, slots=True)
class LastAttempt:
    """The last attempt at some work; its run is None where its row has expired."""

    attempt: int
    run: Run | None


class RunStore(Protocol):
    """The rows of the runs, and what leads to them. Every read sees every write that came before it."""

    def find(self, run_id: str) -> Run | None:
        """The run of that id."""

    def last_attempt(self, work_id: str) -> LastAttempt | None:
        """The last attempt at the work, None if there was none."""

    def known_event(self, event: str) -> KnownEvent | None:
        """What became of the event, None if it is new."""

    def create(self, run: Run, after: int, event: str | None, digest: str) -> bool:
        """Enter a run, that it is its work's last attempt, and what its event led to: all of it or nothing.

        False, and nothing is entered, where the run is there already, its work's last attempt is no longer `after` (0
        for none), or the event is known: somebody else was faster. So does a second call whose first one's answer was
        lost on the way; the event, or the work, then leads to the run that the first one entered.
        """

    def note_event(self, event: str, run_id: str, digest: str) -> None:
        """Enter that the event led to the run; the first such entry stays."""

    def save_plan(self, run_id: str, plan: dict[str, Any], at: datetime) -> None:
        """Write the plan into the run's row, unless the run has ended or has no row."""

    def mark_cancelling(self, run_id: str, at: datetime) -> Run | None:
        """Write that the run is to stop, unless it has ended; the run as it is then, None if there is none."""


class ResultFiles(Protocol):
    """The results bucket."""

    def exists(self, key: str) -> bool:
        """Whether there is an object of that key."""

    def read(self, key: str) -> bytes | None:
        """The object, None where there is none."""

    def write(self, key: str, content: bytes) -> None:
        """Write it whole."""

    def write_new(self, key: str, content: bytes) -> bool:
        """Write it if there is no object of that key; False if there is."""


class Ledgers(Protocol):
    """The worker ledger, to look at."""

    def read(self) -> Ledger:
        """The ledger as it is."""


class Executions(Protocol):
    """The executions of the state machine."""

    def start(self, name: str, document: str) -> None:
        """Start the execution of that name with that input; one that runs or has ended already counts as started."""


@dataclass(frozen=True, slots=True)
class Submitter:
    """Everything that a submission needs."""

    jobs: Mapping[str, Job]
    runs: RunStore
    results: ResultFiles
    results_bucket: str
    buckets: Buckets
    web: Web
    executions: Executions
    ledger: Ledgers
    stack: Stack
    code_version: str
    clock: Clock

    def submit(self, submission: Submission) -> Run:
        """The run that answers the submission, started. Raises SpecError, DataError, Refused, and what AWS raises."""
        if run := self._known(submission):
            return self._started(run)
        spec, inputs, planned = self._understood(submission)
        work = work_id(spec, inputs, self.code_version)
        for _ in range(TRIES):
            last = self.runs.last_attempt(work)
            if last and last.run and self._answers(last.run, spec):
                if submission.event:
                    self.runs.note_event(submission.event, last.run.run_id, submission.digest)
                return self._started(last.run)
            check_room(self.ledger.read())  # before anything is written; a place that is lost meanwhile is missed later
            after = last.attempt if last else 0
            run = self._run(work, self._prepared(work, after, spec, inputs), spec, planned, submission)
            if self.runs.create(run, after, submission.event, submission.digest):
                return self._started(run)
            if known := self._known(submission):
                return self._started(known)
        raise DispatchError(f"{work}: others keep submitting the same work; try again")

    def dry_run(self, submission: Submission) -> Plan:
        """The plan that the submission would get; raises what `submit` raises but QueueFull, and writes nothing."""
        return self._understood(submission)[2]

    def _known(self, submission: Submission) -> Run | None:
        known = self.runs.known_event(submission.event) if submission.event else None
        if known is None:
            return None
        if known.digest != submission.digest:
            raise Refused(f"{submission.event} has asked for something else before: see {known.run_id}")
        return self.runs.find(known.run_id)

    def _understood(self, submission: Submission) -> tuple[Spec, list[InputFile], Plan]:
        spec = parse_spec(submission.document, self.jobs)
        check_readable(spec)
        inputs = find_inputs(spec, self.buckets, self.web, self.clock)
        return spec, inputs, plan(self.jobs[spec.job], spec, inputs, self.stack)

    def _answers(self, last: Run, spec: Spec) -> bool:
        """Whether the last attempt at the same work will do for this submission too."""
        if spec.force:
            return False
        if last.state is RunState.SUCCEEDED:
            return self.results.exists(keys.run_file(last.run_id, keys.RESULT))
        return not last.state.is_final and not last.cancelling

    def _prepared(self, work: str, after: int, spec: Spec, inputs: Sequence[InputFile]) -> int:
        """Lay down what the next attempt will read; returns which attempt that is.

        Nothing is ever overwritten with something else: a folder in which somebody left another spec (the same work
        with other limits, from a submission that has stopped half-way or is about to win) is passed over.
        """
        content = _json(
            shown_spec(spec)
        )  # the client reads the files that inputs.json lists, with their addresses whole
        attempt = after
        while True:
            attempt += 1
            name = run_id(work, attempt)
            spec_key = keys.run_file(name, keys.SPEC)
            ours = self.results.write_new(spec_key, content) or (
                self.results.read(spec_key) == content and not self.results.exists(keys.run_file(name, keys.RESULT))
            )
            if ours:
                # The same files for every spec of this work, so that it cannot matter who writes it last.
                self.results.write(keys.run_file(name, keys.INPUTS), _json([file.model_dump() for file in inputs]))
                return attempt

    def _run(self, work: str, attempt: int, spec: Spec, planned: Plan, submission: Submission) -> Run:
        name, moment = run_id(work, attempt), self.clock.now()
        return Run(
            run_id=name,
            job=spec.job,
            work_id=work,
            attempt=attempt,
            state=RunState.SUBMITTED,
            trigger=submission.trigger,
            created_at=moment,
            updated_at=moment,
            spec_uri=f"s3://{self.results_bucket}/{keys.run_file(name, keys.SPEC)}",
            labels=dict(spec.labels),
            spec_key=submission.source,
            plan=planned.as_dict(),
        )

    def _started(self, run: Run) -> Run:
        if run.state is RunState.SUBMITTED:
            start(run, self.executions)
        return run


def start(run: Run, executions: Executions) -> None:
    """Start a run that is SUBMITTED. Doing it again does nothing: name and input are the same to the byte."""
    document = json.dumps({"run_id": run.run_id, "spec": run.spec_uri}, separators=(",", ":"))
    executions.start(run.run_id, document)


def _json(document: Any) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
