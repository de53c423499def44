"""prepare-trips loses nothing: what it writes answers as its inputs do, and what it sets aside says why."""

import gzip
import hashlib
import tracemalloc
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from jobs import JOBS
from jobs.questions import Export, Part
from jobs.runtime import csv_files
from jobs.runtime.exporting import QUARANTINE, ExportTo, finish_export
from jobs.runtime.outputs import RunFolder
from jobs.runtime.run import run_spec
from jobs.runtime.tally import Range
from jobs.runtime.tripfile import SetAside, TripFile, Unit
from jobs.trips import Taxi
from jobspec import InputFile, parse_spec

DATA = Path("examples/data")
MIXED = ["yellow_tripdata_2018-01.csv", "yellow_tripdata_2019-07.csv", "yellow_tripdata_2025-01.sample.parquet"]


def run(tmp_path: Path, job: str, files: list[str], **params: Any) -> Any:
    spec = parse_spec({"job": job, "params": {"trips": files, **params}}, JOBS)
    return run_spec(spec, results=str(tmp_path), report=False)


def prepare(tmp_path: Path, files: list[str], **params: Any) -> tuple[Any, Path]:
    outcome = run(tmp_path, "prepare-trips", files, **params)
    return outcome.result, Path(outcome.result_path).parent


@pytest.mark.parametrize(
    "files", [MIXED, ["green_tripdata_2021-01.parquet"]], ids=["yellow: CSV, Parquet, 2018 to 2025", "green"]
)
def test_what_is_written_answers_as_the_inputs_do(tmp_path: Path, files: list[str]) -> None:
    sources = [str(DATA / name) for name in files]
    result, folder = prepare(tmp_path, sources)
    taxi = result.quality["taxi"]
    before = run(tmp_path, "explore-trips", sources).result.answers
    after = run(tmp_path, "explore-trips", [f"{folder}/trips/*/*.parquet"], taxi=taxi).result.answers
    about_all = ("missing", "columns")  # these describe the trips set aside as well
    assert {k: v for k, v in after.items() if k not in about_all} == {
        k: v for k, v in before.items() if k not in about_all
    }
    assert [column["name"] for column in after["columns"]] == [column["name"] for column in before["columns"]]


def test_trips_lie_in_the_month_of_their_pickup(tmp_path: Path) -> None:
    result, folder = prepare(tmp_path, [str(DATA / name) for name in MIXED])
    found = duckdb.sql(
        f"select month, count(*), bool_and(strftime(tpep_pickup_datetime, '%Y-%m') = month) "
        f"from read_parquet('{folder}/trips/*/*.parquet', hive_partitioning = true) group by 1 order by 1"
    ).fetchall()
    assert [(month["month"], month["trips"], True) for month in result.answers["prepared"]["months"]] == found


def test_everything_set_aside_is_in_the_quarantine_with_its_reason(tmp_path: Path) -> None:
    source = tmp_path / "yellow_tripdata_2018-01.csv"
    lines = (DATA / "yellow_tripdata_2018-01.csv").read_text().splitlines()[:200]
    lines[7] = "1,2018-01-05 10:00:00"
    lines[9] = lines[9].replace("2018-01", "2018-31")
    lines[11] = lines[11].replace("2018-01", "2016-05")
    source.write_text("\n".join(lines) + "\n1,2018-01-0")
    result, folder = prepare(tmp_path / "results", [str(source)])
    quarantine = pq.read_table(folder / "quarantine.parquet").to_pylist()
    why = sorted((row["reason"], row["line"]) for row in quarantine if row["line"] is not None)
    assert why == [("bad_value", 10), ("field_count", 8), ("truncated_line", 201)]
    assert {row["text"] for row in quarantine} >= {"1,2018-01-05 10:00:00", "1,2018-01-0"}
    misdated = [row for row in quarantine if row["reason"] == "misdated"]
    assert [row["tpep_pickup_datetime"].year for row in misdated] == [2016]
    assert {row["file"] for row in quarantine} == {str(source)}
    written = sum(month["trips"] for month in result.answers["prepared"]["months"])
    assert written + len(quarantine) == 200  # 199 lines under the header, and the one cut off
    assert result.answers["prepared"]["quarantined"] == len(quarantine)


def test_one_hot_columns_add_up(tmp_path: Path) -> None:
    _, folder = prepare(
        tmp_path, [str(DATA / name) for name in MIXED], one_hot=["payment_type", "store_and_fwd_flag", "PULocationID"]
    )
    trips = f"read_parquet('{folder}/trips/*/*.parquet')"
    names = [row[0] for row in duckdb.sql(f"describe select * from {trips}").fetchall()]
    for column, levels in (("payment_type", 7), ("store_and_fwd_flag", 2), ("PULocationID", 265)):
        spread = [name for name in names if name.startswith(f"{column}_")]
        assert len(spread) == levels + 2
        total = " + ".join(f'"{name}"' for name in spread)
        assert duckdb.sql(f"select min({total}), max({total}) from {trips}").fetchall() == [(1, 1)]
    wrong = (
        "payment_type_1 <> coalesce((payment_type = 1)::int, 0) or payment_type_missing <> (payment_type is null)::int"
    )
    assert duckdb.sql(f"select count(*) from {trips} where {wrong}").fetchall() == [(0,)]


def test_every_file_is_listed_with_its_digest_and_no_other_is_left(tmp_path: Path) -> None:
    result, folder = prepare(tmp_path, [str(DATA / name) for name in MIXED])
    listed = {output.path: output.sha256 for output in result.outputs}
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == listed.keys() | {"result.json", "spec.json"}
    for path, digest in listed.items():
        assert hashlib.sha256((folder / path).read_bytes()).hexdigest() == digest


def test_a_file_that_turns_out_bad_leaves_no_part_behind(tmp_path: Path) -> None:
    good = tmp_path / "good_2018-01.csv"
    good.write_bytes((DATA / "yellow_tripdata_2018-01.csv").read_bytes())
    bad = tmp_path / "bad_2018-01.csv.gz"
    bad.write_bytes(gzip.compress(good.read_bytes())[:-1000])
    result, folder = prepare(tmp_path / "results", [str(good), str(bad)], on_bad_file="skip")
    assert [file["uri"] for file in result.quality["skipped_files"]] == [str(bad)]
    written = duckdb.sql(f"select count(*) from read_parquet('{folder}/trips/*/*.parquet')").fetchall()
    assert written == [(result.answers["trips"],)]


def test_keeping_all_writes_implausible_trips_too(tmp_path: Path) -> None:
    result, _ = prepare(tmp_path, [str(DATA / MIXED[0])], keep="all")
    assert sum(month["trips"] for month in result.answers["prepared"]["months"]) == 10_000
    assert result.answers["prepared"]["quarantined"] == 0


def test_what_was_written_of_a_file_before_it_turned_out_to_hold_quotes_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read again as one unit, and its trips would be there twice."""
    monkeypatch.setattr(csv_files, "HEAD_BYTES", 1000)
    monkeypatch.setattr(csv_files.units, "__defaults__", (5000,))
    lines = (DATA / "yellow_tripdata_2018-01.csv").read_text().splitlines()[:401]
    lines[-1] = f'"{lines[-1].replace(",", chr(34) + "," + chr(34))}"'
    source = tmp_path / "yellow_tripdata_2018-01.csv"
    source.write_text("\n".join(lines) + "\n")
    result, folder = prepare(tmp_path / "results", [str(source)])
    assert result.answers["trips"] > 300
    written = duckdb.sql(f"select count(*) from read_parquet('{folder}/trips/*/*.parquet')").fetchall()
    assert written == [(result.answers["trips"],)]
    listed = {output.path for output in result.outputs}
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.parquet")} <= listed


def test_the_quarantine_is_put_together_piece_by_piece(tmp_path: Path) -> None:
    """Its size is that of what was set aside, however much that is; its lines are numbered from the file's start."""
    units, lines, text = 20, 1000, 2000
    pinned = InputFile(uri=str(tmp_path / "yellow_tripdata_2018-01.csv"), bytes=units, etag="e")
    file = TripFile(pinned, "csv", names=("VendorID",), header_lines=1)
    to = ExportTo(Export(), str(tmp_path), "run-1", ("VendorID",), Taxi.YELLOW)
    draw = Random(1)
    parts: list[Part] = []
    for start in range(units):
        exporter = to.exporter(Unit(file, start, start + 1, lines), False)
        exporter.add_lines(
            [SetAside(start, line, "bad_value", draw.randbytes(text // 2).hex()) for line in range(1, lines + 1)]
        )
        parts += exporter.finish()
    ranges = {file.uri: tuple(Range(start, start + 1, lines, lines, 0, lines) for start in range(units))}
    folder = RunFolder(str(tmp_path), "run-1")
    tracemalloc.start()
    finish_export(folder, to, parts, ranges, [file])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    (quarantine,) = [output for output in folder.outputs if output.path == QUARANTINE]
    assert quarantine.bytes > units * lines * text / 2
    assert peak < quarantine.bytes / 4
    found = pq.read_table(folder.path(QUARANTINE), columns=["file", "line"])
    assert found["file"].unique().to_pylist() == [file.uri]
    assert found["line"].to_pylist() == [*range(2, units * lines + 2)]
