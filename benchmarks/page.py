"""The tables: on the terminal, and as docs/benchmarks.md, made of docs/benchmarks.json which holds a record a size."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.figures import TARGETS

NAMES = {
    "dispatch": "Dispatch, `dispatch run`",
    "dispatch-workers": "Dispatch, worker processes",
    "dispatch-threads": "Dispatch, threads",
    "duckdb-table": "DuckDB, a slim temporary table",
    "duckdb-scans": "DuckDB, a scan a question",
    "polars": "Polars",
    "dask-frame": "Dask DataFrame, done well",
    "article": "The article's code, as published",
    "plots": "Dispatch, `dispatch run` with plots and report",
}
SECTIONS = {
    "parquet_warm": "Parquet, warm",
    "parquet_first": "Parquet, a fresh process",
    "csv_warm": "CSV, warm",
    "csv_first": "CSV, a fresh process",
    "tiny": "10,000 trips of CSV, process start to exit",
}
HEAD = """# Benchmarks

`make bench` writes this page; `BENCH_TRIPS=100_000_000 make bench` its part on 100 million trips. Every figure is also
in [benchmarks.json](benchmarks.json).

## How it is measured

- **Trips**: the year 2018, seeded, resampled from the real trips in `examples/data`, a file a month, as CSV and as
  Parquet with TLC's own names and types. They are in the page cache: the disk is not measured.
- **Suite**: all answers of `explore-trips` with every rule of plausibility and null counted: trips, durations and
  distances, vendors, passengers, days, zones, minutes, miles, missing values, the ten highest fares and longest trips
  with ties, the reasons why trips are set aside, and each headline statistic over all trips beside those kept.
- **Same answers**: before anything is timed, code compares every contender's answers with ours: counts exactly, sums
  and means to a relative 1e-9. The article's code makes no checks and asks less; it is compared with `as_published`.
- **Warm**: each contender in a process of its own that stays up, asked in turns (A B C, A B C, ...). Planning is
  included. Ours is judged in the form that a run takes on two cores: threads. On more than four it is worker processes.
- **Fresh process**: from process start to exit, in turns. Ours is `dispatch run --no-report --json`, which also
  writes its result and tables; the others answer the suite and end.
- **DuckDB** gets the faster of two forms: a slim temporary table, or a scan a question. Both share one expression for
  the rules, small types and roll-ups; null counts of Parquet come from the footers. CSV it loads once, counted in.
  Polars runs everything in one `collect_all`; Dask DataFrame reads only what it needs, in one `dask.compute`, on two
  worker processes. The article's code reads all columns at each step on two worker processes; its plots are left out.
  These two run once over the trips, when they are checked, after a warm-up over 10,000.
- **Memory**: the private bytes (USS) of our process, or of each of our worker processes, sampled every 10 ms over two
  runs each of Parquet and of CSV; the highest sample of any. Flat means: in either form no more than a quarter above
  that at 1 M trips. In threads it includes the pages of libraries, which worker processes share.
- Everything runs on two cores. Kernels are compiled beforehand, as they are in the image. Medians.
"""


def keep(folder: Path, record: Mapping[str, Any]) -> None:
    """Put a run's record in the place of the one of its size, and write the page anew."""
    folder.mkdir(parents=True, exist_ok=True)
    store = folder / "benchmarks.json"
    records = json.loads(store.read_text()) if store.exists() else {}
    records[str(record["trips"])] = record
    ordered = dict(sorted(records.items(), key=lambda item: int(item[0])))
    store.write_text(json.dumps(ordered, indent=2) + "\n")
    (folder / "benchmarks.md").write_text("\n".join([HEAD, *map(section, ordered.values())]))


def section(record: Mapping[str, Any]) -> str:
    """What a run of one size found, as Markdown."""
    return "\n".join(_lines(record))


def _lines(record: Mapping[str, Any]) -> Iterator[str]:
    machine = record["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    yield f"## {record['trips']:,} trips"
    yield ""
    yield f"`BENCH_TRIPS={record['trips']:_} BENCH_RUNS={record['runs']} make bench`, {record['date']}, "
    yield f"{machine['cores']} cores of {machine['cpu']}, {machine['memory_gb']} GB; {versions}."
    yield ""
    yield from _table(("Target", "Reach", "Found", ""), list(_targets(record)))
    for name, title in SECTIONS.items():
        if name in record["seconds"]:
            seconds, ratios = record["seconds"][name], record["ratios"][name]
            rows = [(NAMES[who], f"{s:.2f}", f"{ratios[who]:.2f}") for who, s in seconds.items()]
            yield from _table((title, "Seconds", "DuckDB = 1"), rows)
    memory = [
        (NAMES[form], f"{int(size):,}", *(f"{peak / 1e6:.0f}" for peak in peaks.values()))
        for form, by_size in record["peak_uss_bytes"].items()
        for size, peaks in by_size.items()
    ]
    kinds = (name.removesuffix("_warm") for name in record["seconds"] if name.endswith("_warm"))
    yield from _table(("Peak private memory (USS) of a process", "Trips", *(f"{kind}, MB" for kind in kinds)), memory)
    yield from (f"Left out: {what}\n" for what in record["left_out"])


def _targets(record: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for target in TARGETS:
        if target.name in record["targets"]:
            verdict = "met" if record["targets"][target.name]["met"] else "**not met**"
            yield target.meaning, target.wording(), f"{record[target.name]:.2f}", verdict


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[at]) for row in [head, *rows]) for at in range(len(head))]

    def line(row: tuple[str, ...]) -> str:
        first, *others = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        return "| " + " | ".join([row[0].ljust(len(first)), *others]) + " |"

    yield line(head)
    yield "|" + "|".join("-" * (width + 1) + (":" if at else "-") for at, width in enumerate(widths)) + "|"
    yield from map(line, rows)
    yield ""
