"""The one door through which these tests run a job: a spec in, answers and quality out."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from jobs import JOBS
from jobspec import parse_spec

Explore = Callable[..., dict[str, Any]]


@pytest.fixture
def run_job(tmp_path: Path) -> Explore:
    """`run_job(job, trips, **params)`: `{"answers": ..., "quality": ...}` of a job run on those files."""
    from jobs.runtime.run import run_spec

    def run(job: str, trips: Sequence[Path], **params: Any) -> dict[str, Any]:
        document = {"job": job, "params": {"trips": [str(path) for path in trips], **params}}
        outcome = run_spec(parse_spec(document, JOBS), results=str(tmp_path / "results"), report=False)
        return {"answers": outcome.result.answers, "quality": outcome.result.quality}

    return run


@pytest.fixture
def explore(run_job: Explore) -> Explore:
    """`explore(trips, **params)`: the same of `explore-trips`."""
    return lambda trips, **params: run_job("explore-trips", trips, **params)
