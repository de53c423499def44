"""`explore-trips` answers as an independent DuckDB computation does, however hostile the files are."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import compute

from tests.oracle.compare import assert_same
from tests.oracle.duck import Keep, answers
from tests.oracle.hostile import CSV_CASES, Builder
from tests.oracle.hostile_parquet import GREEN_CASES, PARQUET_CASES, TIMES, cast, parquet
from tests.oracle.sheet import DATA, Sheet

Explore = Callable[..., dict[str, Any]]

YELLOW = CSV_CASES | PARQUET_CASES


@pytest.mark.parametrize("build", YELLOW.values(), ids=YELLOW)
def test_yellow(build: Builder, explore: Explore, tmp_path: Path) -> None:
    files = build(tmp_path)
    expected = answers(list(files))
    assert_same(explore(files), expected)
    if expected["quality"]["reasons"]:  # otherwise every trip is kept either way
        assert_same(explore(files, keep="all"), answers(list(files), keep="all"))


@pytest.mark.parametrize(("taxi", "keep"), [("auto", "plausible"), ("green", "all")])
@pytest.mark.parametrize("build", GREEN_CASES.values(), ids=GREEN_CASES)
def test_green(build: Builder, taxi: str, keep: Keep, explore: Explore, tmp_path: Path) -> None:
    files = build(tmp_path)
    assert_same(explore(files, keep=keep, taxi=taxi), answers(list(files), keep=keep, taxi="green"))


def test_top_three(explore: Explore, tmp_path: Path) -> None:
    files = CSV_CASES["ties"](tmp_path)
    assert_same(explore(files, top=3), answers(list(files), top=3))


def test_the_effect_of_setting_aside(explore: Explore) -> None:
    """Each headline statistic over all trips beside the same over those kept, in one run."""
    files = [DATA / "green_tripdata_2021-01.parquet"]
    effect = explore(files)["quality"]["effect"]
    headlines = {"trips": None, "duration_seconds": ("min", "max", "mean"), "distance_miles": ("max", "total", "mean")}
    for side, keep in (("all", "all"), ("kept", "plausible")):
        told = answers(list(files), keep=keep, taxi="green")["answers"]
        found: dict[str, Any] = {}
        for name, parts in headlines.items():
            found[name] = {part: effect[f"{name}.{part}"][side] for part in parts} if parts else effect[name][side]
        assert_same({"answers": found}, {"answers": {name: told[name] for name in headlines}})


@pytest.mark.parametrize("keep", ["plausible", "all"])
def test_a_sum_beyond_doubles_ends_no_run(keep: Keep, explore: Explore, tmp_path: Path) -> None:
    """No double holds the sum of these distances; every other answer stands, and the result is still JSON."""
    file = Sheet.real().put({"trip_distance": ["1.7e308"] * 2}).csv(tmp_path / "yellow_tripdata_2018-01.csv")
    found = explore([file], keep=keep)
    assert found["answers"]["trips"] == (60 if keep == "all" else 58)
    json.dumps(found, allow_nan=False)
    if keep == "plausible":
        assert_same(found, answers([file]))


def test_a_note_of_any_length_beside_a_trip(explore: Explore, tmp_path: Path) -> None:
    sheet = Sheet.real()
    file = sheet.add("note", ["x" * 200_000, *[""] * 59]).csv(tmp_path / "yellow_tripdata_2018-01.csv")
    found = explore([file], keep="all")
    assert_same(found, answers([sheet.csv(file)], keep="all"))


def test_neither_order_nor_format_nor_splitting_changes_a_byte(explore: Explore, tmp_path: Path) -> None:
    """The same trips as three files, as three others in another order, as thirty small ones of either format."""
    months = ["2018-01", "2018-02", "2018-03"]
    whole = [DATA / f"yellow_tripdata_{month}.csv" for month in months]
    pieces = []
    for month in months:
        for at in range(10):
            sheet = Sheet.real(month, rows=1000, skip=1000 * at)
            path = tmp_path / f"piece_{at}_{month}"
            pieces.append(
                sheet.csv(path.with_suffix(".csv")) if at % 2 else parquet(sheet.table(), path.with_suffix(".parquet"))
            )
    told = [json.dumps(explore(files, keep="all")["answers"]) for files in (whole, whole[::-1], pieces)]
    assert told[0] == told[1]
    assert told[0] == told[2]


NEW_YORK = "America/New_York"


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_in_a_time_zone_are_the_wall_clock_there(unit: str, explore: Explore, tmp_path: Path) -> None:
    """The same trips, once with naive times and once as instants in New York: the same answers to the byte."""
    naive = Sheet.real(rows=500).table()
    zoned = cast(naive, TIMES, pa.timestamp(unit))
    for name in TIMES:
        instants = compute.assume_timezone(zoned[name], NEW_YORK)
        zoned = zoned.set_column(zoned.schema.get_field_index(name), name, instants)
    plain, there = (tmp_path / place / "yellow_tripdata_2018-01.parquet" for place in ("plain", "there"))
    for path, table in ((plain, naive), (there, zoned)):
        path.parent.mkdir()
        parquet(table, path)
    assert json.dumps(explore([there])) == json.dumps(explore([plain]))


def test_a_zone_of_clock_changes(run_job: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    """Ten minutes over the night in which clocks go forward last an hour and ten, as TLC's own naive times say."""
    pickups = ["2018-03-11 03:30:00", "2018-03-11 06:55:00", "2018-11-04 05:30:00", "2018-11-04 06:30:00"]  # UTC
    times = pa.array(pickups).cast(pa.timestamp("us"))
    table = Sheet.real(rows=len(pickups)).table()
    for name, minutes in zip(TIMES, (0, 10), strict=True):
        instants = compute.add(times, pa.scalar(timedelta(minutes=minutes))).cast(pa.timestamp("us", NEW_YORK))
        table = table.set_column(table.schema.get_field_index(name), name, instants)
    file = parquet(table, tmp_path / "trips.parquet")
    days = run_job("trips-by-date", [file])["answers"]["trips_by_pickup_date"]
    assert days == [
        {"pickup_date": "2018-03-10", "trips": 1},
        {"pickup_date": "2018-03-11", "trips": 1},
        {"pickup_date": "2018-11-04", "trips": 2},
    ]
    durations = run_job("trip-duration", [file])["answers"]["duration_seconds"]
    assert (durations["min"], durations["max"]) == (600, 4200)
    span = run_job("profile-trips", [file])["answers"]["pickup_span"]
    assert span == {"first": "2018-03-10T22:30:00", "last": "2018-11-04T01:30:00"}
