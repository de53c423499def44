"""This product: planning, computing, answers and quality, as a run does them, without the result's files."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.sheet import REASONS, Sheet
from benchmarks.tripfiles import IN_ORDER
from jobs import JOBS
from jobs.runtime import execution, finishing
from jobs.runtime.answering import Asked
from jobs.runtime.memory import keep_freed
from jobs.runtime.plan import make_plan
from jobs.runtime.progress import silent
from jobs.runtime.storage import resolve
from jobspec import parse_spec


@contextmanager
def workers(cores: int) -> Iterator[tuple[Callable[..., Sheet], list[int]]]:
    """In worker processes: what a run chooses on more than a few cores."""
    from jobs.runtime.cluster import process_cluster

    with process_cluster("bench", cores, silent) as cluster:
        pids = list(cluster.client.run(os.getpid).values())
        yield lambda _, files: _explore(files, cluster), pids


@contextmanager
def threads(cores: int) -> Iterator[tuple[Callable[..., Sheet], list[int]]]:
    """In threads of this process: what a run chooses otherwise."""
    keep_freed()
    yield lambda _, files: _explore(files, execution.Threads(cores)), [os.getpid()]


@contextmanager
def published(cores: int) -> Iterator[tuple[Callable[..., Sheet], list[int]]]:
    """In threads, reproducing the article's numbers: what the article's own code is compared with."""
    yield lambda _, files: _explore(files, execution.Threads(cores), as_published=True), [os.getpid()]


def _explore(files: list[str], executor: execution.Executor, **params: Any) -> Sheet:
    spec = parse_spec({"job": "explore-trips", "params": {"trips": files, **params}}, JOBS)
    job, wanted = JOBS[spec.job], spec.params
    plan = make_plan(resolve(wanted.trips), wanted)
    asked = Asked(job.questions(wanted), wanted.keeps_all, wanted.on_bad_file == "skip")
    tally = executor.tally(plan.work(), asked, silent)
    finishing.check_whole(tally, plan)
    return _sheet(finishing.answers(tally, asked, plan), finishing.quality(tally, asked, plan))


def _sheet(answers: dict[str, Any], quality: dict[str, Any]) -> Sheet:
    top = ("pickup_at", "pickup_location_id")
    fares, trips = ("fare_amount", *top, "distance_miles"), ("distance_miles", *top, "fare_amount", "duration_seconds")
    return {
        "kept": {name: both["kept"] for name, both in quality["effect"].items()},
        "all": {name: both["all"] for name, both in quality["effect"].items()},
        "reasons": {name: quality["reasons"][name] for name in REASONS},
        "missing": {name: answers["missing"][name] for name in IN_ORDER},
        "top_fares": [[row[name] for name in fares] for row in answers["top_fares"]],
        "longest_trips": [[row[name] for name in trips] for row in answers["longest_trips"]],
        **{name: _table(answers[name]) for name in TABLES},
    }


TABLES = (
    "durations_by_minute", "fares_by_mile", "vendors", "distance_by_passengers", "zones_by_mean_fare",
    "trips_by_pickup_date",
)  # fmt: skip


def _table(rows: list[dict[str, Any]]) -> list[list[Any]]:
    """Key, trips and the measure, where there is one; a zone's name and borough come from its id."""
    table = [[value for name, value in row.items() if name not in ("zone", "borough")] for row in rows]
    return sorted(table, key=lambda row: (row[0] is None, row[0] or 0))
