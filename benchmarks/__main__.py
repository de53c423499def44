"""Times this against others: `make bench`, or `python -m benchmarks [--no-page | --page FOLDER]`.

BENCH_TRIPS (10_000_000), BENCH_RUNS (5) and BENCH_FOLDER (.bench) say how many trips, how many turns, and where the
data lives. The last line on standard output is one JSON object of every figure, ratio and target.
"""

import argparse
import json
import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import figures, generate, page, suite
from benchmarks.measure import CORES, ROOT, machine

SPARE_BYTES = 2 * 2**30


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--page", type=Path, default=ROOT / "docs", help="where benchmarks.md and .json are written")
    parser.add_argument("--no-page", action="store_true", help="write neither")
    options = parser.parse_args()
    trips, runs = int(os.environ.get("BENCH_TRIPS", "10_000_000")), int(os.environ.get("BENCH_RUNS", "5"))
    folder = Path(os.environ.get("BENCH_FOLDER", ROOT / ".bench")).resolve()
    _narrow()
    left_out: list[str] = []
    patterns = _data(folder, trips, left_out)
    found = suite.measure(trips, runs, patterns, folder, left_out)
    record = figures.record(found, datetime.now(UTC).date().isoformat(), machine())
    if not options.no_page:
        page.keep(options.page, record)
    print(page.section(record))
    print(json.dumps(record))


def _narrow() -> None:
    """Two cores for us and for every process that we start, however many there are."""
    os.environ["POLARS_MAX_THREADS"] = str(CORES)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])


def _data(folder: Path, trips: int, left_out: list[str]) -> dict[str, str]:
    """The pattern of the files by kind. Parquet must fit on the disk; CSV is left out where it does not."""
    folder.mkdir(parents=True, exist_ok=True)
    patterns = {}
    for kind in ("parquet", "csv"):
        needed, free = generate.bytes_needed(folder, trips, kind), shutil.disk_usage(folder).free
        if needed and needed + SPARE_BYTES > free:
            short = f"{kind}: {needed / 1e9:.1f} GB would not fit, {free / 1e9:.1f} GB of disk are free."
            if kind == "parquet":
                raise SystemExit(short)
            print(short, file=sys.stderr)
            left_out.append(short)
            continue
        patterns[kind] = generate.ensure(folder, trips, kind)
    return patterns


if __name__ == "__main__":
    main()
