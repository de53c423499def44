"""Small real trips, the answers that are right for them, and an S3 to read them from."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import s3fs

from jobs.runtime.run import run_spec
from tests.functional.runtime.runs import spec_of, told
from tests.oracle.hostile_parquet import parquet
from tests.oracle.sheet import Sheet
from tests.servers.s3 import CREDENTIALS, S3, s3_server

MONTHS = ["2018-01", "2018-02", "2018-03"]


@pytest.fixture(scope="session")
def trip_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """Three months of 400 trips each, as CSV and as Parquet."""
    folder = tmp_path_factory.mktemp("trips")
    sheets = {month: Sheet.real(month, rows=400) for month in MONTHS}
    return {
        "csv": [sheet.csv(folder / f"yellow_tripdata_{month}.csv") for month, sheet in sheets.items()],
        "parquet": [
            parquet(sheet.table(), folder / f"yellow_tripdata_{month}.parquet") for month, sheet in sheets.items()
        ],
    }


@pytest.fixture(scope="session")
def expected(trip_files: dict[str, list[Path]], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What is told of these files when they lie on this machine, by format."""
    results = str(tmp_path_factory.mktemp("expected"))
    return {form: told(run_spec(spec_of(files), results=results, report=False)) for form, files in trip_files.items()}


@pytest.fixture(scope="session")
def running_s3() -> Iterator[S3]:
    with s3_server() as server:
        yield server


@pytest.fixture
def s3(running_s3: S3, monkeypatch: pytest.MonkeyPatch) -> S3:
    """An S3 with the empty buckets `trips` and `results`, where the environment says that S3 is."""
    running_s3.reset()
    for bucket in ("trips", "results"):
        running_s3.client.create_bucket(Bucket=bucket)
    for name, value in (CREDENTIALS | {"AWS_ENDPOINT_URL": running_s3.url}).items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    return running_s3
