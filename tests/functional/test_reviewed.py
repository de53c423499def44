"""What reviews found wrong once, each as the user who would have met it."""

import gzip
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from jobs import JOBS
from jobs.runtime.__main__ import main as entry_point
from jobs.runtime.run import run_spec
from jobs.trips import month_of
from jobspec import DataError, InputFile, SpecError, UnreadableFile, discover, parse_spec

DATA = Path("examples/data")
HEADER = "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,PULocationID,fare_amount"


def spec_of(job: str, trips: list[Any], **params: Any) -> Any:
    return parse_spec({"job": job, "params": {"trips": [str(path) for path in trips], **params}}, JOBS)


@pytest.mark.parametrize(
    "path",
    [
        "http://127.0.0.2/x.csv",
        "http://169.254.170.2\\@127.0.0.1/v2/credentials",
        "http://127.0.0.1@169.254.170.2/v2/credentials",
        "https://host\t.example/x.csv",
        "filecache::http://169.254.170.2/x",
    ],
)
def test_no_path_reaches_where_plain_http_must_not(path: str) -> None:
    with pytest.raises(SpecError, match="/params/trips/0"):
        spec_of("vendor-summary", [path])


@pytest.mark.parametrize(
    ("params", "pointers"),
    [
        (
            {"trips": ["ftp://x/a", "ok.csv", "gs://y/z", "https://h/*.csv"]},
            {"/params/trips/0", "/params/trips/2", "/params/trips/3"},
        ),
        (
            {"trips": ["ftp://x/a", 1], "top": 0, "kep": 1},
            {"/params/trips/0", "/params/trips/1", "/params/top", "/params/kep"},
        ),
        ({"trips": ["a"], "top": 0, "as_published": True, "keep": "plausible"}, {"/params/top", "/params/keep"}),
        ({"trips": ["a"], "as_published": 1}, {"/params/as_published"}),
    ],
)
def test_every_problem_of_the_params_is_named_at_once(params: dict[str, Any], pointers: set[str]) -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec({"job": "explore-trips", "params": params}, JOBS)
    assert [problem.pointer for problem in caught.value.problems] == list(
        dict.fromkeys(problem.pointer for problem in caught.value.problems)
    )
    assert {problem.pointer for problem in caught.value.problems} == pointers


def test_nor_do_pinned_inputs(tmp_path: Path) -> None:
    pinned = [InputFile(uri="http://127.0.0.2:9/x.csv", bytes=10, etag='"a"')]
    with pytest.raises(UnreadableFile, match="this machine only"):
        run_spec(
            spec_of("vendor-summary", [DATA / "yellow_tripdata_2018-01.csv"]), results=str(tmp_path), inputs=pinned
        )


@pytest.mark.parametrize("run_id", ["../../victim", ".", "a/b", "A", ""])
def test_a_run_id_is_a_name_and_no_path(run_id: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "important.txt").write_text("keep me")
    spec = tmp_path / "spec.json"
    trips = [str((DATA / "yellow_tripdata_2018-01.csv").absolute())]
    spec.write_text(json.dumps({"job": "vendor-summary", "params": {"trips": trips}}))
    code = entry_point(["--spec", str(spec), "--results", str(tmp_path / "a" / "b"), "--run-id", run_id])
    assert code == 2
    assert "not a path" in capsys.readouterr().out
    assert (victim / "important.txt").read_text() == "keep me"


def test_a_frame_job_loses_no_small_file(tmp_path: Path) -> None:
    jobs = discover("tests.functional.sample_jobs")
    small = tmp_path / "small.csv"
    small.write_text("tip_amount,payment_type,trip_distance,tpep_pickup_datetime\n1,1,2,2018-01-01 00:00:00\n")
    spec = parse_spec({"job": "tips-by-payment", "params": {"trips": [str(small)], "keep": "all"}}, jobs)
    result = run_spec(spec, jobs, results=str(tmp_path / "results"), report=False).result
    assert result.answers["tips"] == [{"payment_type": 1, "tip_amount": 1.0}]


def test_millions_of_lines_that_are_no_trips_are_not_held_in_memory(tmp_path: Path) -> None:
    bomb = tmp_path / "yellow_2018-01.csv.gz"
    bomb.write_bytes(gzip.compress((HEADER + "\n" + "x\n" * 600_000).encode()))
    spec = spec_of("vendor-summary", [bomb])
    tracemalloc.start()
    try:
        result = run_spec(spec, results=str(tmp_path / "results"), report=False).result
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert result.quality["lines_set_aside"] == {"field_count": 600_000}
    assert len(result.quality["set_aside_examples"]) == 100
    assert peak < 600_000 * 400


def test_prepare_trips_that_fails_leaves_no_trips_behind(tmp_path: Path) -> None:
    good = DATA / "yellow_tripdata_2018-01.csv"
    cut = tmp_path / "cut_2018-01.csv.gz"
    cut.write_bytes(gzip.compress(good.read_bytes())[:-1000])
    with pytest.raises(UnreadableFile, match="ends in the middle"):
        run_spec(spec_of("prepare-trips", [good, cut]), results=str(tmp_path / "results"), report=False)
    left = sorted(path.name for path in (tmp_path / "results").rglob("*") if path.is_file())
    assert left == ["error.json", "spec.json"]


@pytest.mark.parametrize(
    ("uri", "month"),
    [
        ("https://h/yellow_tripdata_2018-01.csv?X-Amz-Credential=A/20240101/b", (2018, 1)),
        ("https://h/green.csv?from=2019-07", None),
        ("/trips/2018-01 to 2018-03.csv", None),
        ("/2017-05/yellow.csv", None),
    ],
)
def test_the_month_is_that_of_the_base_name_and_of_one_only(uri: str, month: tuple[int, int] | None) -> None:
    assert month_of(uri) == month


def test_a_file_spelled_in_two_ways_is_read_once(tmp_path: Path) -> None:
    file = (DATA / "yellow_tripdata_2018-01.csv").absolute()
    twice = [file, f"{file.parent}/../data/{file.name}", f"{file.parent}/yellow*2018-01.csv"]
    assert (
        run_spec(spec_of("missing-values", twice), results=str(tmp_path), report=False).result.answers["trips"]
        == 10_000
    )


def test_a_spec_that_names_the_other_colour_is_bad_data_even_where_bad_files_are_skipped(tmp_path: Path) -> None:
    spec = spec_of("vendor-summary", [DATA / "green_tripdata_2021-01.parquet"], taxi="yellow", on_bad_file="skip")
    with pytest.raises(DataError, match="columns are those of green taxis"):
        run_spec(spec, results=str(tmp_path), report=False)


def test_a_canonical_spec_can_be_parsed_again() -> None:
    from jobspec import canonical_spec

    for job in JOBS:
        for params in ({}, {"as_published": True}, {"keep": "all"}):
            spec = spec_of(job, ["a.csv"], **params)
            assert parse_spec(canonical_spec(spec), JOBS) == spec


def test_an_address_signed_by_a_role_is_not_too_long() -> None:
    address = f"https://trips.s3.amazonaws.com/a.csv?X-Amz-Security-Token={'A' * 1800}&X-Amz-Signature={'0' * 64}"
    spec = parse_spec({"job": "explore-trips", "params": {"trips": [address]}}, JOBS)
    assert spec.params.trips == [address]  # type: ignore[attr-defined]
