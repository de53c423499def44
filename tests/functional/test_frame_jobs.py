"""A job that defines `run` gets the kept trips as a lazy Dask frame; its answers and the quality are as anybody's."""

import math
from pathlib import Path
from typing import Any

import duckdb
import pytest
from distributed import Client, LocalCluster

from jobs.runtime.run import run_spec
from jobspec import discover, parse_spec

DATA = Path("examples/data")
JOBS = discover("tests.functional.sample_jobs")


def run(tmp_path: Path, files: list[Path], scheduler: str | None = None, **params: Any) -> Any:
    spec = parse_spec({"job": "tips-by-payment", "params": {"trips": list(map(str, files)), **params}}, JOBS)
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


def test_a_frame_job_runs_on_the_workers_it_claimed(tmp_path: Path) -> None:
    file = DATA / "yellow_tripdata_2018-02.csv"
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0") as cluster,
        Client(cluster),
    ):
        shared = run(tmp_path, [file], scheduler=cluster.scheduler_address)
    assert shared.answers == run(tmp_path, [file]).answers
    assert shared.environment["executor"] == "distributed"
