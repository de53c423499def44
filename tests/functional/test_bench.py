import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRIPS = 24_000


def bench(folder: Path) -> subprocess.CompletedProcess[str]:
    settings = {"BENCH_TRIPS": f"{TRIPS:_}", "BENCH_RUNS": "1", "BENCH_FOLDER": str(folder / "data")}
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", "--page", str(folder / "docs")],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="module")
def done(folder: Path) -> subprocess.CompletedProcess[str]:
    """A whole run; it fails by itself where contenders give different answers."""
    return bench(folder)


def test_all_contenders_agree_and_the_last_line_holds_every_figure(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stderr[-4000:]
    record = json.loads(done.stdout.splitlines()[-1])
    assert record["trips"] == TRIPS
    figures = {
        *(f"{kind}_{how}" for kind in ("parquet", "csv") for how in ("warm", "first")),
        "article_over_ours_parquet",
        "article_over_ours_csv",
        "uss_mb",
        "uss_growth",
        "tiny_ratio",
        "tiny_s",
        "tiny_with_plots_s",
    }
    assert all(record[name] > 0 for name in figures)
    # first runs have a target at 100 million trips only
    assert set(record["targets"]) == figures - {"parquet_first", "csv_first", "tiny_s"}
    assert set(record["peak_uss_bytes"]) == {"dispatch-workers", "dispatch-threads"}
    everyone = {"dispatch-workers", "dispatch-threads", "duckdb-table", "polars", "dask-frame", "article"}
    assert set(record["seconds"]["csv_warm"]) == everyone
    assert set(record["seconds"]["parquet_warm"]) == everyone | {"duckdb-scans"}
    assert record["ratios"]["csv_warm"]["duckdb-table"] == 1.0


def test_the_page_is_made_of_the_records_and_keeps_those_of_other_sizes(
    done: subprocess.CompletedProcess[str], folder: Path
) -> None:
    from benchmarks import page

    record = json.loads(done.stdout.splitlines()[-1])
    page.keep(folder / "docs", {**record, "trips": 100_000_000, "csv_warm": 0.123})
    text = (folder / "docs" / "benchmarks.md").read_text()
    small, large = text.index("## 24,000 trips"), text.index("## 100,000,000 trips")
    assert small < large
    assert "0.12" in text[large:] and "| DuckDB, a slim temporary table" in text[small:large]
    assert set(json.loads((folder / "docs" / "benchmarks.json").read_text())) == {"24000", "100000000"}


def test_answers_that_differ_are_named() -> None:
    from benchmarks.sheet import differences

    ours = {"kept": {"trips": 3, "distance_miles.mean": 2.0}, "vendors": [[1, 3, 6.0]]}
    near = {"kept": {"trips": 3, "distance_miles.mean": 2.0 + 1e-10}, "vendors": [[1, 3, 6]]}
    assert list(differences(near, ours)) == []
    wrong = {"kept": {"trips": 4, "distance_miles.mean": 2.00001}, "vendors": [[1, 3, 6], [None, 1, 0]]}
    assert [line.split(":")[0] for line in differences(wrong, ours)] == [
        ".kept.distance_miles.mean",
        ".kept.trips",
        ".vendors",
    ]
