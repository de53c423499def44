"""Running a plan's units on Dask: in threads of this process, or on a cluster.

The graph is the same in both: a task a unit, the units of a file merged in a tree of fan-in 8 and settled file by
file (a file is read again whole if it turns out to hold quotes, or skipped whole), the files merged in the same way.
"""

from collections.abc import Callable, Sequence
from typing import Any

from jobs.runtime.answering import Asked, answer, file_tally
from jobs.runtime.progress import Event, Progress
from jobs.runtime.tally import Tally, merged
from jobs.runtime.tripfile import TripFile, Unit

FAN_IN = 8
Work = Sequence[tuple[TripFile, Sequence[Unit]]]
Call = Callable[..., Any]  # makes a task of a function and its arguments, earlier tasks among them


def tasks(work: Work, asked: Asked, call: Call) -> tuple[list[Any], Any]:
    """The tasks of all units, and the one task that merges them; `call(function, *arguments)` makes a task."""
    units, files = [], []
    for file, pieces in work:
        answered = [call(answer, piece, asked) for piece in pieces]
        units += answered
        files.append(call(file_tally, file, _tree(answered, asked, call), asked))
    return units, call(_merge, _tree(files, asked, call), asked)


def _tree(layer: list[Any], asked: Asked, call: Call) -> list[Any]:
    """At most FAN_IN tasks that stand for the whole layer."""
    while len(layer) > FAN_IN:
        layer = [call(_merge, layer[at : at + FAN_IN], asked) for at in range(0, len(layer), FAN_IN)]
    return layer


def _merge(tallies: Sequence[Tally], asked: Asked) -> Tally:
    return merged(tallies, asked.questions)


def in_threads(work: Work, asked: Asked, threads: int, progress: Progress) -> Tally:
    """The tally of everything, by Dask's threaded scheduler."""
    import dask
    from dask.callbacks import Callback

    units, whole = tasks(work, asked, lambda function, *arguments: dask.delayed(function, pure=False)(*arguments))
    unit_keys = {unit.key for unit in units}
    done = 0

    def count(key: Any, *_: Any) -> None:
        nonlocal done
        if key in unit_keys:
            done += 1
            progress(Event("compute", done, len(unit_keys)))

    progress(Event("compute", 0, len(unit_keys)))
    with Callback(posttask=count):
        tally: Tally = whole.compute(scheduler="threads", num_workers=threads, optimize_graph=False)
    return tally


def on_cluster(work: Work, asked: Asked, cluster: Any, progress: Progress) -> Tally:
    """The tally of everything, by the workers that `cluster` (a `jobs.runtime.cluster.Cluster`) holds."""
    units, whole = tasks(work, asked, cluster.submit)
    progress(Event("compute", 0, len(units)))
    for done, _ in enumerate(cluster.as_completed(units), 1):
        progress(Event("compute", done, len(units)))
    tally: Tally = cluster.result(whole)
    return tally
