"""Runs of the same work that begin at the same moment get attempts of their own, here and in S3."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from jobs.runtime.outputs import RunFolder, next_folder
from jobs.runtime.run import run_spec
from jobspec import BadResults
from tests.functional.runtime.runs import spec_of
from tests.servers.s3 import S3

RUNS = 8


@pytest.fixture(params=["here", "in S3"])
def results(request: pytest.FixtureRequest, tmp_path: Path, s3: S3) -> str:
    return "s3://results/team" if request.param == "in S3" else str(tmp_path)


def at_once(act: Callable[[int], object]) -> list[object]:
    barrier = Barrier(RUNS)

    def go(number: int) -> object:
        barrier.wait(30)
        return act(number)

    with ThreadPoolExecutor(RUNS) as pool:
        return list(pool.map(go, range(RUNS)))


def test_a_folder_is_claimed_by_one(results: str) -> None:
    claims = at_once(lambda number: RunFolder(results, "work-1").claim("spec.json", b"%d" % number))
    assert sorted(claims) == [False] * (RUNS - 1) + [True]
    assert RunFolder(results, "work-1").read("spec.json") == b"%d" % claims.index(True)


def test_the_next_attempts_are_all_different(results: str) -> None:
    assert RunFolder(results, "work-1").claim("spec.json", b"{}")
    names = at_once(lambda number: next_folder(results, "work", "spec.json", b"{}").name)
    assert sorted(names) == [f"work-{attempt}" for attempt in range(2, RUNS + 2)]


def test_whole_runs_of_the_same_work(results: str, trip_files: dict[str, list[Path]]) -> None:
    spec = spec_of(trip_files["csv"][:1], "vendor-summary")
    outcomes = at_once(lambda number: run_spec(spec, results=results, report=False))
    assert sorted(outcome.run_id.rsplit("-", 1)[1] for outcome in outcomes) == [str(n + 1) for n in range(RUNS)]
    for outcome in outcomes:
        folder = RunFolder(results, outcome.run_id)
        assert outcome.run_id.encode() in folder.read("result.json")


def test_what_s3_refuses_for_another_reason_is_an_error(s3: S3) -> None:
    s3.refused["/results/runs/work-1/spec.json"] = ("403 Forbidden", "AccessDenied")
    with pytest.raises(BadResults, match="AccessDenied"):
        next_folder("s3://results", "work", "spec.json", b"{}")
