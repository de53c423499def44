"""Files of this machine: only the version that was pinned is ever read, and whatever else happens to it shows."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from jobs.runtime import csv_reading, parquet_files
from jobs.runtime.plan import make_plan
from jobs.runtime.storage import open_source, resolve
from jobs.runtime.tripfile import Reading, Wanted
from jobs.trips import TripParams
from jobspec import InputChanged
from tests.oracle.hostile_parquet import parquet
from tests.oracle.sheet import Sheet

FORMS = ["csv", "parquet"]


def written(path: Path, month: str = "2018-01") -> Path:
    sheet = Sheet.real(month, rows=400)
    return parquet(sheet.table(), path) if path.suffix == ".parquet" else sheet.csv(path)


@pytest.fixture(params=FORMS)
def trips(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return written(tmp_path / f"trips.{request.param}")


def batches(path: Path) -> Iterator[Any]:
    """The batches of the file's only unit, as a run reads them."""
    plan = make_plan(resolve([str(path)]), TripParams(trips=[str(path)]))
    ((file, [unit]),) = plan.work()
    reader = parquet_files if file.format == "parquet" else csv_reading
    return reader.batches(unit, Wanted(frozenset({"fare_amount"})), Reading())


def test_a_file_that_another_takes_the_place_of_is_read_to_its_end(tmp_path: Path) -> None:
    """Published by rename while a run reads: what is read is what was pinned, never the new under the old's name."""
    path = written(tmp_path / "trips.parquet")
    before = pq.read_table(path)
    (pinned,) = resolve([str(path)])
    with open_source(pinned) as source:
        written(tmp_path / "new.parquet", "2018-02").rename(path)
        assert pq.ParquetFile(source.file()).read().equals(before)
        source.check_unchanged()
    with pytest.raises(InputChanged, match=r"trips\.parquet changed"):
        open_source(pinned)


def test_a_file_that_is_taken_away_is_read_to_its_end(trips: Path) -> None:
    reading = batches(trips)
    first = next(reading)
    trips.unlink()
    assert first.rows + sum(batch.rows for batch in reading) == 400


def test_a_file_written_to_while_it_is_read_fails_by_name(trips: Path) -> None:
    reading = batches(trips)
    next(reading)
    seen = trips.stat()
    os.utime(trips, ns=(seen.st_atime_ns, seen.st_mtime_ns + 1))
    with pytest.raises(InputChanged, match=trips.name):
        list(reading)


def test_so_does_one_that_grows(trips: Path) -> None:
    reading = batches(trips)
    next(reading)
    with trips.open("ab") as file:
        file.write(b"\n")
    with pytest.raises(InputChanged, match=trips.name):
        list(reading)


@pytest.mark.parametrize("change", ["gone", "another"])
def test_a_file_that_changed_since_the_plan_is_not_opened(change: str, trips: Path) -> None:
    reading = batches(trips)
    trips.unlink()
    if change == "another":
        written(trips, "2018-02")
    with pytest.raises(InputChanged, match=trips.name):
        next(reading)
