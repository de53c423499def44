"""Every job that asks one question answers as `explore-trips` is to answer it, and as the article did when asked to."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs import JOBS
from jobspec import SpecError, parse_spec
from tests.oracle.compare import Near, assert_same
from tests.oracle.duck import Keep, answers
from tests.oracle.published import published
from tests.oracle.sheet import DATA, Sheet

RunJob = Callable[..., dict[str, Any]]

YELLOW = [DATA / f"yellow_tripdata_{month}.csv" for month in ("2018-01", "2018-02", "2018-03", "2019-07")]
GREEN = [DATA / "green_tripdata_2021-01.parquet"]

# Job: its answer, and the columns of it when the answer is shared out between jobs.
ANSWERED: dict[str, tuple[str, list[str]]] = {
    "trip-duration": ("duration_seconds", []),
    "passengers-by-date": ("trips_by_pickup_date", ["pickup_date", "mean_passengers"]),
    "trips-by-date": ("trips_by_pickup_date", ["pickup_date", "trips"]),
    "vendor-summary": ("vendors", []),
    "distance-by-passengers": ("distance_by_passengers", []),
    "longest-trips": ("longest_trips", []),
    "top-fares": ("top_fares", []),
    "missing-values": ("missing", []),
}


def part(told: dict[str, Any], answer: str, columns: list[str]) -> dict[str, Any]:
    """One answer of several, of its rows only these columns (none: all)."""
    if not columns:
        return {"answers": {answer: told["answers"][answer]}}
    return {"answers": {answer: [{name: row[name] for name in columns} for row in told["answers"][answer]]}}


TAXIS_AND_KEEPS: list[tuple[str, Keep]] = [("yellow", "plausible"), ("yellow", "all"), ("green", "plausible")]


@pytest.fixture(scope="module")
def expected() -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (taxi, keep): answers(list(YELLOW if taxi == "yellow" else GREEN), keep=keep, taxi=taxi)
        for taxi, keep in TAXIS_AND_KEEPS
    }


@pytest.mark.parametrize(("taxi", "keep"), TAXIS_AND_KEEPS)
@pytest.mark.parametrize("job", ANSWERED)
def test_each_job(job: str, taxi: str, keep: Keep, run_job: RunJob, expected: dict[tuple[str, str], Any]) -> None:
    found = run_job(job, YELLOW if taxi == "yellow" else GREEN, keep=keep)
    assert_same(part(found, *ANSWERED[job]), part(expected[taxi, keep], *ANSWERED[job]))
    if job != "missing-values":
        assert_same(found, {"quality": {"reasons": expected[taxi, keep]["quality"]["reasons"]}})


def plain(value: Any) -> float:
    return value.value if isinstance(value, Near) else value


def mean_over(rows: list[dict[str, Any]], measure: str) -> float:
    """The mean over all groups from those of the groups; only where every trip has a value."""
    return math.fsum(row["trips"] * plain(row[measure]) for row in rows) / sum(row["trips"] for row in rows)


# Job: statistics of its `quality.effect` beside the number of trips, out of the oracle's answers.
EFFECTS: dict[str, dict[str, Callable[[dict[str, Any]], Any]]] = {
    "trip-duration": {"duration_seconds.mean": lambda a: a["duration_seconds"]["mean"]},
    "passengers-by-date": {
        "trips_by_pickup_date.mean_passengers": lambda a: mean_over(
            [row for row in a["distance_by_passengers"] if row["passenger_count"] is not None], "passenger_count"
        )
    },
    "trips-by-date": {},
    "vendor-summary": {"vendors.distance_miles": lambda a: a["distance_miles"]["total"]},
    "distance-by-passengers": {"distance_by_passengers.mean_distance_miles": lambda a: a["distance_miles"]["mean"]},
    "longest-trips": {"distance_miles.total": lambda a: a["distance_miles"]["total"]},
    "top-fares": {
        "top_fares.max": lambda a: a["top_fares"][0]["fare_amount"],
        "zones_by_mean_fare.mean_fare": lambda a: mean_over(a["zones_by_mean_fare"], "mean_fare"),
    },
}


@pytest.mark.parametrize("job", EFFECTS)
def test_the_effect_on_what_each_job_measures(job: str, run_job: RunJob, expected: dict[tuple[str, str], Any]) -> None:
    effect = run_job(job, YELLOW)["quality"]["effect"]
    for side, keep in (("all", "all"), ("kept", "plausible")):
        told = expected["yellow", keep]["answers"]
        assert effect["trips"][side] == told["trips"]
        for statistic, of in EFFECTS[job].items():
            assert effect[statistic][side] == pytest.approx(plain(of(told)), rel=1e-9), statistic
    assert effect["trips"]["all"] > effect["trips"]["kept"]


@pytest.mark.parametrize("files", [YELLOW, GREEN], ids=["yellow", "green"])
def test_as_published(files: list[Path], run_job: RunJob) -> None:
    found = run_job("explore-trips", files, as_published=True)
    article = published(files)
    told: dict[str, Any] = {}
    for name, value in article.items():
        one = found["answers"][name]
        if isinstance(value, dict):
            told[name] = {key: one[key] for key in value}
        else:
            told[name] = [{key: row[key] for key in value[0]} for row in one]
    assert_same({"answers": told}, {"answers": article})


def test_as_published_keeps_everything() -> None:
    with pytest.raises(SpecError, match="keep"):
        parse_spec(
            {"job": "explore-trips", "params": {"trips": ["x.csv"], "as_published": True, "keep": "plausible"}}, JOBS
        )


def test_which_lines_are_trips_depends_on_the_columns_that_a_job_reads(run_job: RunJob, tmp_path: Path) -> None:
    """As docs/decisions/0006 says; each run tells of every line that it did not take for a trip."""
    sheet = Sheet.real(rows=4).put({"VendorID": ["x"]}).put({"tip_amount": ["abc"]}, start=1)
    file = sheet.csv(tmp_path / "yellow_tripdata_2018-01.csv")
    for job, trips in {"trip-duration": 4, "vendor-summary": 3, "explore-trips": 3, "prepare-trips": 2}.items():
        told = run_job(job, [file], keep="all")
        assert told["answers"]["trips"] == trips, job
        assert told["quality"]["lines_set_aside"] == ({"bad_value": 4 - trips} if trips < 4 else {})
