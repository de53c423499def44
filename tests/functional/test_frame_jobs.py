"""A job that defines `run` gets the kept trips as a lazy Dask frame; its answers and the quality are as anybody's."""

import math
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from distributed import Client, LocalCluster

from jobs.runtime.csv_files import UNIT_BYTES
from jobs.runtime.frames import Piece, read_frame
from jobs.runtime.plan import make_plan
from jobs.runtime.run import run_spec
from jobs.runtime.storage import resolve
from jobs.trips import Taxi, TripParams
from jobspec import UnreadableFile, discover, parse_spec
from tests.oracle.hostile_parquet import parquet, put
from tests.oracle.sheet import Sheet

DATA = Path("examples/data")
JOBS = discover("tests.functional.sample_jobs")


def run(
    tmp_path: Path, files: list[Path], scheduler: str | None = None, job: str = "tips-by-payment", **params: Any
) -> Any:
    spec = parse_spec({"job": job, "params": {"trips": list(map(str, files)), **params}}, JOBS)
    return run_spec(spec, JOBS, results=str(tmp_path), scheduler=scheduler, report=False, workers=2).result


def expected(file: Path, where: str = "true") -> dict[Any, float]:
    query = f"select payment_type, avg(tip_amount) from '{file}' where {where} group by 1"
    return dict(duckdb.sql(query).fetchall())


PLAUSIBLE = (
    "tpep_dropoff_datetime > tpep_pickup_datetime and tpep_dropoff_datetime < tpep_pickup_datetime + interval 1 day "
    "and trip_distance between 0 and 200 and fare_amount between 0 and 2000"
)


@pytest.mark.parametrize(("keep", "where"), [("all", "true"), ("plausible", PLAUSIBLE)])
def test_a_frame_job_sees_the_kept_trips(tmp_path: Path, keep: str, where: str) -> None:
    file = DATA / "yellow_tripdata_2018-01.csv"
    result = run(tmp_path, [file], keep=keep)
    found = {row["payment_type"]: row["tip_amount"] for row in result.answers["tips"]}
    wanted = expected(file, where)
    assert found.keys() == wanted.keys()
    assert all(math.isclose(found[payment], wanted[payment], rel_tol=1e-9) for payment in wanted)
    assert result.answers["asked_for"] == keep
    assert result.answers["first_pickup"].startswith("2018-01-01T00:")
    assert result.quality["trips"]["read"] == 10_000


def test_quotes_skipped_files_and_nulls_are_handled(tmp_path: Path) -> None:
    good, quoted, bad = (tmp_path / f"{name}_2018-01.csv" for name in ("good", "quoted", "bad"))
    lines = (DATA / "yellow_tripdata_2018-01.csv").read_text().splitlines(keepends=True)
    good.write_text("".join(lines[:100]))
    # The quote stands beyond the head that planning looks at, so only reading finds it.
    body = lines[1:] * 13
    quoted.write_text(lines[0] + "".join(body) + body[0].replace(",N,", ',"N",'))
    bad.write_text("<html>no trips</html>\n")
    result = run(tmp_path, [good, quoted, bad], keep="all", on_bad_file="skip")
    assert result.answers["trips"] == 99 + len(body) + 1
    assert [file["uri"] for file in result.quality["skipped_files"]] == [str(bad)]


def rows(tmp_path: Path, file: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    result = run(tmp_path, [file], job="rows-by-column", keep="all")
    return result.answers, result.quality


@pytest.mark.parametrize("units", [1, 2])
def test_every_column_of_a_frame_has_the_trips_that_were_counted(units: int, tmp_path: Path) -> None:
    """A line that means nothing in any column is no trip in all of them, and is set aside in sight of the user."""
    header, *lines = (DATA / "yellow_tripdata_2018-01.csv").read_text().splitlines(keepends=True)
    at, fields = header.split(",").index("tip_amount"), lines[5].split(",")
    fields[at] = "abc"
    lines += [] if units == 1 else lines * (UNIT_BYTES * 3 // 2 // sum(map(len, lines)))
    lines[-7:-7] = [",".join(fields), f"x{lines[0][1:]}", "cut,short\n"]
    file = tmp_path / "yellow_tripdata_2018-01.csv"
    file.write_text(header + "".join(lines))
    answers, quality = rows(tmp_path / "results", file)
    counted = len(lines) - 3
    assert {answers[name] for name in ("trips", "rows", "fares", "tips", "tips_there", "vendors")} == {counted}
    assert quality["trips"] == {"read": counted, "kept": counted, "set_aside": 0}
    assert quality["lines_set_aside"] == {"bad_value": 2, "field_count": 1}
    examples = [(one["line"], one["column"]) for one in quality["set_aside_examples"]]
    first = 1 + len(lines) - 9
    assert examples == [(first, "tip_amount"), (first + 1, "VendorID"), (first + 2, None)]


def test_what_a_frame_loses_in_a_cast_is_counted(tmp_path: Path) -> None:
    table = Sheet.real(rows=9).table()
    table = put(table, "tip_amount", [1.0, math.inf, math.nan], pa.float64(), start=0)
    table = put(table, "VendorID", [1.0, 1.5], pa.float64(), start=0)
    answers, quality = rows(tmp_path / "results", parquet(table, tmp_path / "yellow_tripdata_2018-01.parquet"))
    assert [answers[name] for name in ("trips", "rows", "tips", "tips_there", "vendors")] == [9, 9, 9, 7, 8]
    assert quality["non_finite"] == {"tip_amount": 2}
    assert quality["uncastable"] == {"VendorID": 1}


def test_answers_are_what_a_frame_makes_of_itself(tmp_path: Path) -> None:
    """Fares by miles of zero, days by dt.floor, lazy values within a dict: all of them ordinary, and all told."""
    result = run(tmp_path, [DATA / "yellow_tripdata_2018-01.csv"], job="fares-per-mile")
    assert result.answers["dearest_per_mile"] is None
    mean, above = (result.answers["fares"][name] for name in ("mean", "above_mean"))
    assert math.isclose(result.answers["fares"]["most"][0], mean + above)
    day = result.answers["days"][0]
    assert day["pickup_date"] == "2018-01-01T00:00:00"
    table = pq.read_table(next(tmp_path.rglob("days.parquet")))
    assert table["pickup_date"][0].as_py().isoformat() == day["pickup_date"]


def test_a_partition_of_other_trips_than_were_counted_is_no_partition(tmp_path: Path) -> None:
    file = Sheet.real().csv(tmp_path / "yellow_tripdata_2018-01.csv")
    plan = make_plan(resolve([str(file)]), TripParams(trips=[str(file)]))
    ((_, [unit]),) = plan.work()
    with pytest.raises(UnreadableFile, match="61 trips were counted, and 60 read"):
        read_frame(Piece(unit, 61, 0), ["fare_amount"], Taxi.YELLOW, keeps_all=True)


def test_a_frame_job_runs_on_the_workers_it_claimed(tmp_path: Path) -> None:
    file = DATA / "yellow_tripdata_2018-02.csv"
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0") as cluster,
        Client(cluster),
    ):
        shared = run(tmp_path, [file], scheduler=cluster.scheduler_address)
    assert shared.answers == run(tmp_path, [file]).answers
    assert shared.environment["executor"] == "distributed"
