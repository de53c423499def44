"""What is timed, in which order, and what the figures are."""

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import generate
from benchmarks.measure import CORES, ROOT, Child, contender, peak_private_memory, process_seconds
from benchmarks.sheet import differences

LARGE = 50_000_000  # from here on the pandas contenders would take an hour
SMALL = 1_000_000  # the size at which memory is measured beside the one asked for
TINY = "examples/data/yellow_tripdata_2018-01.csv"  # 10,000 trips
DUCKDB = ("duckdb-table", "duckdb-scans")
SLOW = {"dask-frame", "article"}  # those on pandas
OURS = ("dispatch-workers", "dispatch-threads")
WARM = (*OURS, *DUCKDB, "polars", "dask-frame", "article")
FIRST = ("dispatch", *DUCKDB, "polars")
UNFIT = {("csv", "duckdb-scans")}  # parsing a CSV again for each question is no form of DuckDB's best


@dataclass
class Measured:
    """All that was measured at one size, in seconds and bytes."""

    trips: int
    runs: int
    chosen: str  # the form of ours that a run of this size takes
    warm: dict[str, dict[str, list[float]]] = field(default_factory=dict)  # by kind and contender
    first: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    tiny: dict[str, list[float]] = field(default_factory=dict)
    # private bytes of the largest process that works, by form of ours, trips, kind
    peak: dict[str, dict[int, dict[str, int]]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def measure(trips: int, runs: int, patterns: Mapping[str, str], folder: Path, left_out: list[str]) -> Measured:
    """Everything, over the files that `patterns` names by kind."""
    from jobs.runtime.execution import Form, form

    chosen = "dispatch-workers" if form(trips, CORES) is Form.PROCESSES else "dispatch-threads"
    found = Measured(trips, runs, chosen, left_out=left_out)
    found.warm = _warm(patterns, runs, trips >= LARGE, found.left_out)
    found.first = {kind: _first(kind, pattern, runs) for kind, pattern in patterns.items()}
    found.tiny = _tiny(runs)
    sizes = {
        size: {kind: generate.ensure(folder, size, kind) for kind in patterns}
        for size in sorted({min(SMALL, trips), trips})
    }
    found.peak = {name: {size: _peaks(name, each) for size, each in sizes.items()} for name in OURS}
    return found


def _warm(
    patterns: Mapping[str, str], runs: int, large: bool, left_out: list[str]
) -> dict[str, dict[str, list[float]]]:
    """Seconds by kind and contender: all checked against ours first, then run in turns; the slow ones only once."""
    names = [name for name in WARM if not (large and name in SLOW)]
    if large:
        left_out.append("Dask DataFrame and the article's code: too slow for this many trips.")
    seconds: dict[str, dict[str, list[float]]] = {
        kind: {name: [] for name in names if (kind, name) not in UNFIT} for kind in patterns
    }
    with _children(names) as children:
        once = _check(children, patterns)
        for name in set(names) & SLOW:
            children.pop(name).close()
        for turn in range(runs):
            _say(f"warm, turn {turn + 1} of {runs}")
            for kind, by_name in seconds.items():
                for name in [name for name in by_name if name in children]:
                    by_name[name].append(children[name].seconds(kind, patterns[kind]))
    for kind, by_name in seconds.items():
        by_name.update({name: [once[kind, name]] for name in by_name if name in SLOW})
    return seconds


def _check(children: Mapping[str, Child], patterns: Mapping[str, str]) -> dict[tuple[str, str], float]:
    """SystemExit, naming the differences, unless all contenders give the same answers; else the seconds each took.

    The slow ones have these seconds only, and so are warmed up before, over the 10,000 trips.
    """
    for name in children.keys() & SLOW:
        children[name].sheet("csv", str(ROOT / TINY))
    wrong, seconds = [], {}
    published = _published(patterns) if "article" in children else {}
    for kind, pattern in patterns.items():
        ours = children["dispatch-workers"].sheet(kind, pattern)
        for name in [name for name in children if (kind, name) not in UNFIT and name != "dispatch-workers"]:
            _say(f"{kind}: the answers of {name}")
            begun = time.perf_counter()
            sheet = children[name].sheet(kind, pattern)
            seconds[kind, name] = time.perf_counter() - begun
            expected = published[kind] if name == "article" else ours
            wrong += [f"{kind}, {name}{difference}" for difference in differences(sheet, expected)]
    if wrong:
        raise SystemExit("\n".join([f"{len(wrong)} answers differ; the first of them:", *wrong[:20]]))
    return seconds


def _published(patterns: Mapping[str, str]) -> dict[str, Any]:
    """What the article's code should say, by kind."""
    from benchmarks.article import told_by

    with _children(["dispatch-published"]) as children:
        child = children["dispatch-published"]
        return {kind: told_by(child.sheet(kind, pattern)) for kind, pattern in patterns.items()}


def _first(kind: str, pattern: str, runs: int) -> dict[str, list[float]]:
    """Seconds of whole fresh processes by contender, in turns."""
    names = [name for name in FIRST if (kind, name) not in UNFIT]
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(runs):
        _say(f"{kind}, fresh processes, turn {turn + 1} of {runs}")
        for name in names:
            ours = name == "dispatch"
            took = dispatch_seconds(pattern, "--no-report") if ours else _once(name, kind, pattern)
            seconds[name].append(took)
    return seconds


def _tiny(runs: int) -> dict[str, list[float]]:
    """Seconds from process start to exit over 10,000 trips, in turns; `plots` is the run with its report."""
    dispatch_seconds(TINY, "--no-report")
    seconds: dict[str, list[float]] = {"dispatch": [], "duckdb-table": [], "plots": []}
    for turn in range(runs):
        _say(f"10,000 trips, turn {turn + 1} of {runs}")
        seconds["dispatch"].append(dispatch_seconds(TINY, "--no-report"))
        seconds["duckdb-table"].append(_once("duckdb-table", "csv", TINY))
        seconds["plots"].append(dispatch_seconds(TINY))
    return seconds


def _once(name: str, kind: str, pattern: str) -> float:
    return process_seconds(contender(name, "--once", kind, pattern))


def dispatch_seconds(pattern: str, *options: str) -> float:
    """How long the command line takes for the exploration, from process start to exit."""
    with TemporaryDirectory() as folder:
        spec = Path(folder) / "spec.json"
        spec.write_text(json.dumps({"job": "explore-trips", "params": {"trips": [str(ROOT / pattern)]}}))
        dispatch = str(Path(sys.executable).with_name("dispatch"))
        return process_seconds([dispatch, "run", str(spec), "--results", f"{folder}/results", "--json", *options])


def _peaks(name: str, patterns: Mapping[str, str]) -> dict[str, int]:
    """The most private memory that any process of ours that works has at any moment of two runs, by kind."""
    peaks = {}
    with _children([name]) as children:
        child = children[name]
        for kind, pattern in patterns.items():
            _say(f"memory of {name} over {pattern}")
            with peak_private_memory(child.pids) as bytes_seen:
                for _ in range(2):
                    child.sheet(kind, pattern)
            peaks[kind] = max(bytes_seen)
    return peaks


@contextmanager
def _children(names: list[str]) -> Iterator[dict[str, Child]]:
    children = {name: Child(name) for name in names}
    try:
        for child in children.values():
            child.wait_until_up()
        yield children
    finally:
        for child in children.values():
            child.close()
        for child in children.values():
            child.wait()


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)
