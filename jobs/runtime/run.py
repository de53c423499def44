"""A run, from its spec to its result."""

import contextlib
import os
import platform
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, cast

from jobs import JOBS
from jobs.questions import Export, Trips
from jobs.runtime import execution, finishing
from jobs.runtime.answering import Asked
from jobs.runtime.cancelling import cancellable
from jobs.runtime.code_version import code_version
from jobs.runtime.execution import Executor, Form
from jobs.runtime.outputs import ERROR, RESULT, RunFolder, begin_again, next_folder
from jobs.runtime.plan import Plan, make_plan
from jobs.runtime.progress import Event, Progress, silent
from jobs.runtime.storage import resolve
from jobs.runtime.tally import Tally
from jobs.trips import COLUMNS, TripParams
from jobspec import (
    InputFile,
    Job,
    OutOfMemory,
    Problem,
    Registry,
    Result,
    RunState,
    Spec,
    SpecError,
    as_dispatch_error,
    redacted,
    shown_spec,
    work_id,
)

SPEC = "spec.json"
_GIVEN = frozenset({SPEC, "inputs.json"})  # what a run's folder may hold before the run and after its failure
_RUN_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")


@dataclass(frozen=True)
class How:
    """How to run: everything that is not the spec's business, and so does not change the answers."""

    results: str  # a folder or s3:// prefix
    # What was planned with, or where a document lists it; found anew if None.
    inputs: Sequence[InputFile] | str | None = None
    run_id: str | None = None  # given by whoever started the run; else the work's next attempt
    workers: int | None = None  # processes; else all cores of this machine, or on a shared scheduler what the spec says
    scheduler: str | None = None  # a shared Dask scheduler's address; else this machine
    report: bool = True
    start_seconds: float = 300.0
    progress: Progress = silent


@dataclass(frozen=True)
class Outcome:
    """What came of a run."""

    run_id: str
    state: RunState
    result: Result
    result_path: str


def run_spec(spec: Spec, jobs: Registry | None = None, **how: Any) -> Outcome:
    """Run a spec; the keyword arguments are those of `How`.

    Raises the errors of `jobspec.errors`; then the run's folder holds no more than `spec.json` and `error.json`. A run
    whose id is not given is named by its inputs, and has no folder before they are found.
    """
    return _Run(spec, (JOBS if jobs is None else jobs)[spec.job], How(**how)).go()


class _Run:
    def __init__(self, spec: Spec, job: Job, how: How) -> None:
        self._spec, self._job, self._how = spec, job, how
        self._params = cast(TripParams, spec.params)
        self._timings: dict[str, float] = {}
        self._environment = {"started_at": _now()} | _environment()

    def go(self) -> Outcome:
        begun = time.perf_counter()
        with cancellable():
            folder = None if self._how.run_id is None else given_folder(self._how.results, self._how.run_id)
            try:
                document = _json(shown_spec(self._spec))
                if folder is not None:
                    begin_again(folder, SPEC, document, keep=_GIVEN)
                inputs = self._inputs()
                if folder is None:
                    work = work_id(self._spec, inputs, str(self._environment["code_version"]))
                    folder = next_folder(self._how.results, work, SPEC, document)
                result = self._compute(folder, inputs)
                timings = self._timings | {"total": time.perf_counter() - begun}
                result = result.model_copy(
                    update={
                        "timings": {stage: round(seconds, 4) for stage, seconds in timings.items()},
                        "environment": self._environment | {"finished_at": _now()},
                    }
                )
                # Written last: whoever sees it sees everything.
                path = folder.put(RESULT, result.to_json().encode())
            except MemoryError as error:
                problem = OutOfMemory("this process ran out of memory")
                give_up(folder, problem)
                raise problem from error
            except BaseException as error:
                give_up(folder, error)
                raise
        self._how.progress(Event("done"))
        return Outcome(folder.name, RunState.SUCCEEDED, result, path)

    def _inputs(self) -> list[InputFile]:
        with self._timed("resolve"):
            self._how.progress(Event("resolve"))
            match self._how.inputs:
                case None:
                    return resolve(self._params.trips)
                case str(uri):
                    from jobs.runtime.planned import planned_inputs

                    return planned_inputs(uri)
                case pinned:
                    return list(pinned)

    def _compute(self, folder: RunFolder, inputs: list[InputFile]) -> Result:
        from jobs.runtime import presenting

        with self._timed("plan"):
            self._how.progress(Event("plan", 0, len(inputs)))
            plan = make_plan(inputs, self._params)
        asked = self._asked(plan, folder)
        with self._executor(plan, folder) as executor, self._timed("compute"):
            tally = executor.tally(plan.work(), asked, self._how.progress)
            finishing.check_whole(tally, plan)
            answers = self._answers(executor, tally, asked, plan)
        if asked.export_to is not None:
            from jobs.runtime.exporting import finish_export

            finish_export(folder, asked.export_to, tally.parts, tally.ranges, plan.files)
        result = Result(
            run_id=folder.name,
            job=self._job.name,
            spec=shown_spec(self._spec),
            state=RunState.SUCCEEDED,
            answers=answers,
            outputs=[],
            inputs=[_counted(pinned, tally) for pinned in inputs],
            quality=redacted(finishing.quality(tally, asked, plan)),
            timings=dict(self._timings),
            environment=self._environment,
        )
        with self._timed("present"):
            self._how.progress(Event("present"))
            presenting.write_tables(folder, answers)
            if self._how.report:
                presenting.write_report(folder, result, self._job)
        return result.model_copy(update={"outputs": list(folder.outputs)})

    def _asked(self, plan: Plan, folder: RunFolder) -> Asked:
        # A job that wants a frame asks nothing; the trips are counted and judged all the same, whichever it will read.
        asks = self._job.questions
        questions = asks(self._params) if asks else {"trips": Trips()}
        export = next((question for question in questions.values() if isinstance(question, Export)), None)
        to = None
        if export is not None:
            found = {name for file in plan.files for name in file.columns()}
            columns = tuple(column.name for column in COLUMNS if column.name in found)
            from jobs.runtime.exporting import ExportTo

            to = ExportTo(export, folder.results, folder.name, columns, plan.taxi)
        return Asked(questions, self._params.keeps_all, self._params.on_bad_file == "skip", to, for_frame=asks is None)

    def _answers(self, executor: Executor, tally: Tally, asked: Asked, plan: Plan) -> dict[str, Any]:
        answers = finishing.answers(tally, asked, plan)
        if self._job.run is None:
            return answers
        from jobs.runtime import frame_answers, frames

        self._how.progress(Event("run"))
        with executor.as_default():
            found = self._job.run(frames.lazy_frame(plan, tally, asked), self._params)
            return answers | frame_answers.computed(found, executor.compute, self._job.file)

    @contextlib.contextmanager
    def _executor(self, plan: Plan, folder: RunFolder) -> Iterator[Executor]:
        form = self._form(plan.trips)
        if form is Form.THREADS:
            threads = execution.Threads(_cores())
            self._environment |= threads.describe()
            yield threads
            return
        with contextlib.ExitStack() as stack:
            with self._timed("workers"):
                cluster = stack.enter_context(self._cluster(form, folder.name, plan.trips))
            self._environment |= cluster.describe()
            if self._how.report:
                from jobs.runtime.dask_report import recorded

                def keep(page: bytes) -> None:
                    folder.write("dask-report.html", page, "text/html")

                stack.enter_context(recorded(cluster.client, keep))
            yield cluster
            self._environment["worker_names"] = sorted(cluster.names)

    def _form(self, trips: int) -> Form | None:
        """None on a shared scheduler."""
        how = self._how
        if how.scheduler is not None:
            return None
        frames = self._job.run is not None
        return execution.form(trips, _cores(), workers=how.workers, frames=frames, report=how.report)

    def _cluster(self, form: Form | None, run_id: str, trips: int) -> contextlib.AbstractContextManager[Any]:
        from jobs.runtime import cluster

        how = self._how
        if form is Form.REPORTED_THREADS:
            return cluster.thread_cluster(run_id, _cores(), how.progress)
        if form is Form.PROCESSES:
            return cluster.process_cluster(run_id, how.workers or _cores(), how.progress)
        assert how.scheduler is not None
        wanted = how.workers or self._wanted(trips)
        return cluster.shared_cluster(how.scheduler, run_id, wanted, how.progress, how.start_seconds)

    def _wanted(self, trips: int) -> int:
        asked = self._spec.cluster.workers
        return self._job.size.workers_for(trips) if asked == "auto" else asked

    @contextlib.contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        begun = time.perf_counter()
        try:
            yield
        finally:
            self._timings[stage] = time.perf_counter() - begun


def given_folder(results: str, run_id: str) -> RunFolder:
    """The folder of a run whose id somebody else has given. Raises SpecError where that is none."""
    if not _RUN_ID.fullmatch(run_id):
        allowed = "lower-case letters, digits and hyphens, at most 80"
        raise SpecError([Problem("", "a run id is a name, not a path", run_id, allowed)])
    return RunFolder(results, run_id)


def give_up(folder: RunFolder | None, error: BaseException) -> None:
    """Leave the spec and what went wrong, nothing else; failing to must not hide the error itself."""
    if folder is None:  # the run has no id yet
        return
    told = _json(as_dispatch_error(error, folder.name).as_problem())
    written = False
    # Written first: a task that is still under way somewhere sees it, and writes nothing more. On a full disk there is
    # room for it only when the rest is gone.
    with contextlib.suppress(Exception):
        folder.put(ERROR, told)
        written = True
    with contextlib.suppress(Exception):
        folder.discard(keep=_GIVEN | {ERROR})
    if not written:
        with contextlib.suppress(Exception):
            folder.put(ERROR, told)


def _counted(pinned: InputFile, tally: Tally) -> InputFile:
    """A file that was read, as the result tells of it."""
    return pinned.model_copy(update={"uri": redacted(pinned.uri), "rows": tally.trips.get(pinned.uri, 0)})


def _environment() -> dict[str, Any]:
    packages = {name: version(name) for name in ("dask", "numba", "numpy", "pyarrow")}
    return {
        "dispatch": version("dispatch-jobs"),
        "code_version": code_version(),
        "python": platform.python_version(),
        "machine": platform.machine(),
        **packages,
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def _json(document: Mapping[str, Any]) -> bytes:
    import json

    return (json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n").encode()
