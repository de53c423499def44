"""Makes a year of trips for the benchmarks: seeded, resampled from the real ones that ship in examples/data.

Every trip is a real one moved to another day and up to half an hour of the year 2018, its duration by up to half a
minute. Months have the sizes of the real 2018 (TLC's record counts), files the names, columns and types of TLC's.
"""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

SEED = 2018
GROUP_ROWS = 1_048_576
TRIP_BYTES = {"csv": 90, "parquet": 24}
SHIPPED = Path(__file__).parent.parent / "examples" / "data"
# Yellow trips of 2018 by month, as TLC published them: 102.8 million in all.
MONTHS = (
    8_760_687, 8_492_819, 9_431_289, 9_306_216, 9_224_788, 8_714_667,
    7_851_143, 7_855_040, 8_049_094, 8_834_520, 8_155_449, 8_195_675,
)  # fmt: skip
_DOUBLES = ("passenger_count", "RatecodeID")  # as in TLC's Parquet
_TIMES = ("tpep_pickup_datetime", "tpep_dropoff_datetime")


def ensure(folder: Path, trips: int, kind: str) -> str:
    """The pattern of the files that hold `trips` trips as `kind`, csv or parquet; they are made on first use."""
    home = folder / f"{trips}"
    files, done = home / kind, home / f"{kind}.complete"
    if not done.exists():
        files.mkdir(parents=True, exist_ok=True)
        for month in range(1, 13):
            path = files / f"yellow_tripdata_2018-{month:02d}.{kind}"
            WRITERS[kind](path, _month(month, round(trips * MONTHS[month - 1] / sum(MONTHS))))
            print(f"made {path.name}", file=sys.stderr, flush=True)
        done.touch()
    return f"{files}/*.{kind}"


def bytes_needed(folder: Path, trips: int, kind: str) -> int:
    """How much disk making the files will take, about; 0 where they are there."""
    return 0 if (folder / f"{trips}" / f"{kind}.complete").exists() else trips * TRIP_BYTES[kind]


def _write_csv(path: Path, tables: Iterator[pa.Table]) -> None:
    first = next(tables)
    with pc.CSVWriter(path, first.schema, write_options=pc.WriteOptions(quoting_style="none")) as writer:
        for table in chain([first], tables):
            writer.write_table(table)


def _write_parquet(path: Path, tables: Iterator[pa.Table]) -> None:
    first = _as_parquet(next(tables))
    with pq.ParquetWriter(path, first.schema) as writer:
        for table in chain([first], map(_as_parquet, tables)):
            writer.write_table(table, row_group_size=GROUP_ROWS)


WRITERS = {"csv": _write_csv, "parquet": _write_parquet}


def _month(month: int, trips: int) -> Iterator[pa.Table]:
    random = np.random.default_rng([SEED, month])
    source = pa.concat_tables(_shipped(SHIPPED / f"yellow_tripdata_2018-{m:02d}.csv") for m in (1, 2, 3))
    pickup, dropoff = (source[name].cast(pa.int64()).to_numpy() for name in _TIMES)
    begin = _epoch(2018, month)
    days = (_epoch(2018 + month // 12, month % 12 + 1) - begin) // 86_400
    for start in range(0, trips, GROUP_ROWS):
        rows = min(GROUP_ROWS, trips - start)
        chosen = random.integers(0, len(source), rows)
        clock = (pickup[chosen] % 86_400 + random.integers(-1800, 1801, rows)) % 86_400
        new_pickup = begin + random.integers(0, days, rows) * 86_400 + clock
        duration = dropoff[chosen] - pickup[chosen]
        usual = (duration > 60) & (duration < 80_000)
        duration = np.where(usual, duration + random.integers(-30, 31, rows), duration)
        table = source.take(pa.array(chosen))
        for name, seconds in zip(_TIMES, (new_pickup, new_pickup + duration), strict=True):
            table = table.set_column(table.column_names.index(name), name, pa.array(seconds).cast(pa.timestamp("s")))
        yield table.combine_chunks()


def _shipped(path: Path) -> pa.Table:
    return pc.read_csv(path, convert_options=pc.ConvertOptions(column_types=dict.fromkeys(_TIMES, pa.timestamp("s"))))


def _as_parquet(table: pa.Table) -> pa.Table:
    fields = [
        field.with_type(
            pa.float64() if field.name in _DOUBLES else pa.timestamp("us") if field.name in _TIMES else field.type
        )
        for field in table.schema
    ]
    return table.cast(pa.schema(fields))


def _epoch(year: int, month: int) -> int:
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp())
