"""Running a plan's units on Dask: in threads of this process, or on a cluster; and which of them a run takes.

The graph is the same in both: a task a unit, the units of a file merged in a tree of fan-in 8 and settled file by
file (a file is read again whole if it turns out to hold quotes, or skipped whole), the files merged in the same way.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from enum import Enum, auto
from typing import Any, Protocol, cast

from jobs.runtime.answering import Asked, answer, file_tally
from jobs.runtime.progress import Event, Progress
from jobs.runtime.tally import Tally, merged
from jobs.runtime.tripfile import TripFile, Unit

FAN_IN = 8
DRAIN_SECONDS = 10.0
LARGE = 1_000_000  # trips: below, a run takes less time than Dask's distributed scheduler or a process takes to start
FEW_CORES = 4  # up to here threads do not wait for each other: most of their time is in loops that hold no lock
Work = Sequence[tuple[TripFile, Sequence[Unit]]]
Call = Callable[..., Any]  # makes a task of a function and its arguments, earlier tasks among them
Graph = dict[str, tuple[Any, ...]]  # (function, *arguments) by key; keys among the arguments stand for what they give


class Form(Enum):
    """Where a run's tasks run when it is not given a shared scheduler."""

    THREADS = auto()  # of this process
    REPORTED_THREADS = auto()  # of this process, under Dask's distributed scheduler, which can tell what happened
    PROCESSES = auto()  # of one thread each


def form(trips: int, cores: int, *, workers: int | None = None, frames: bool = False, report: bool = False) -> Form:
    """The form that takes the least time; `workers` given are processes, whatever the size.

    `frames`: the job computes on frames, by pandas, in which threads wait for each other.
    """
    if workers is not None:
        return Form.PROCESSES
    if trips < LARGE:
        return Form.THREADS
    if frames or cores > FEW_CORES:
        return Form.PROCESSES
    return Form.REPORTED_THREADS if report else Form.THREADS


def tasks(work: Work, asked: Asked, call: Call) -> tuple[list[Any], Any]:
    """The tasks of all units, and the one task that merges them; `call(function, *arguments)` makes a task."""
    units, files = [], []
    for file, pieces in work:
        answered = [call(answer, piece, asked) for piece in pieces]
        units += answered
        files.append(call(file_tally, file, _tree(answered, asked, call), asked))
    return units, call(_merge, _tree(files, asked, call), asked)


def graph_of(work: Work, asked: Asked, name: str = "") -> tuple[Graph, list[str], str]:
    """The same as a graph of Dask's, the keys of all units in it, and that of the whole; `name` is part of every key.

    Dask goes through a graph that it knows whole in depth: it merges what there is before it reads more. A plain graph
    needs little more of Dask than its scheduler: dask.delayed would double a short run's start.
    """
    graph: Graph = {}

    def call(function: Call, *arguments: Any) -> str:
        key = "-".join(filter(None, (function.__name__.strip("_"), name, str(len(graph)))))
        graph[key] = (function, *arguments)
        return key

    return graph, *tasks(work, asked, call)


def _tree(layer: list[Any], asked: Asked, call: Call) -> list[Any]:
    """At most FAN_IN tasks that stand for the whole layer."""
    while len(layer) > FAN_IN:
        layer = [call(_merge, layer[at : at + FAN_IN], asked) for at in range(0, len(layer), FAN_IN)]
    return layer


def _merge(tallies: Sequence[Tally], asked: Asked) -> Tally:
    return merged(tallies, asked.questions)


class Executor(Protocol):
    """Where a run's tasks are run."""

    def tally(self, work: Work, asked: Asked, progress: Progress) -> Tally:
        """The tally of all the work."""

    def compute(self, lazy: list[Any]) -> Sequence[Any]:
        """The values of Dask collections."""

    def as_default(self) -> AbstractContextManager[Any]:
        """Within it, whatever a job computes by itself is computed here."""

    def describe(self) -> dict[str, Any]:
        """What it is, for the run's result."""


class _Pool(ThreadPoolExecutor):
    """Threads that can be waited for, but not for ever: a read may be stuck."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self._submitted: list[Future[Any]] = []

    def submit(self, function: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
        future = super().submit(function, *arguments, **named)
        self._submitted.append(future)
        return future

    def drain(self) -> None:
        """Start nothing more, and let what runs come to its end before whoever gave up tidies up: it may write."""
        self.shutdown(wait=False, cancel_futures=True)
        wait(self._submitted, timeout=DRAIN_SECONDS)


class Threads:
    """Threads of this process, by Dask's threaded scheduler; one unit by itself needs neither."""

    def __init__(self, threads: int) -> None:
        self._threads = threads

    def tally(self, work: Work, asked: Asked, progress: Progress) -> Tally:
        """The tally of all the work."""
        units = sum(len(pieces) for _, pieces in work)
        if units > 1:
            return self._scheduled(work, asked, progress)
        progress(Event("compute", 0, units))
        _, tally = tasks(work, asked, lambda function, *arguments: function(*arguments))
        progress(Event("compute", units, units))
        return cast(Tally, tally)

    def _scheduled(self, work: Work, asked: Asked, progress: Progress) -> Tally:
        from dask.callbacks import Callback
        from dask.threaded import get

        graph, units, whole = graph_of(work, asked)
        unit_keys = frozenset(units)
        done = 0

        def count(key: Any, *_: Any) -> None:
            nonlocal done
            if key in unit_keys:
                done += 1
                progress(Event("compute", done, len(units)))

        progress(Event("compute", 0, len(units)))
        pool = _Pool(self._threads)
        try:
            with Callback(posttask=count):
                tally: Tally = get(graph, whole, pool=pool, num_workers=self._threads)
        finally:
            pool.drain()
        return tally

    def compute(self, lazy: list[Any]) -> Sequence[Any]:
        """The values of Dask collections."""
        import dask

        with self.as_default():
            return list(dask.compute(*lazy))

    def as_default(self) -> AbstractContextManager[Any]:
        """Make Dask use these threads."""
        import dask

        setting: AbstractContextManager[Any] = dask.config.set(scheduler="threads", num_workers=self._threads)
        return setting

    def describe(self) -> dict[str, Any]:
        """What it is, for the run's result."""
        return {"executor": "threads", "workers": 1, "threads": self._threads}
