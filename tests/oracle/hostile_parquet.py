"""Hostile Parquet files, mixes of both formats, and files that nobody can read."""

import gzip
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.oracle.hostile import MONTH, Builder, write
from tests.oracle.sheet import DATA, ROWS, Sheet

WHOLE = ["VendorID", "passenger_count", "RatecodeID", "PULocationID", "DOLocationID", "payment_type"]
NUMBERS = ["trip_distance", "fare_amount", "total_amount"]
TIMES = ["tpep_pickup_datetime", "tpep_dropoff_datetime"]


def parquet(table: pa.Table, path: Path, **options: object) -> Path:
    pq.write_table(table, path, **options)
    return path


def _month(make: Callable[[pa.Table], pa.Table], name: str = f"{MONTH}.parquet", **options: object) -> Builder:
    return lambda folder: [parquet(make(Sheet.real().table()), folder / name, **options)]


def cast(table: pa.Table, columns: list[str], kind: pa.DataType) -> pa.Table:
    for name in columns:
        table = table.set_column(table.schema.get_field_index(name), name, table[name].cast(kind))
    return table


def put(table: pa.Table, column: str, values: list[object], kind: pa.DataType, start: int = 3) -> pa.Table:
    """The column as `kind`, with `values` in the rows from `start` on."""
    found = table[column].cast(kind, safe=False).to_pylist()
    found[start : start + len(values)] = values
    return table.set_column(table.schema.get_field_index(column), column, pa.array(found, kind))


def _nulls(table: pa.Table) -> pa.Table:
    """Every seventh value null, at another row in every column."""
    for at, name in enumerate(table.column_names):
        values = [None if (row + at) % 7 == 0 else value for row, value in enumerate(table[name].to_pylist())]
        table = table.set_column(at, name, pa.array(values, table.schema.field(name).type))
    return table


def _nothing_but_nulls(table: pa.Table) -> pa.Table:
    """Columns of which nobody ever had a value, as pandas writes them: without even a type."""
    for name in ["passenger_count", "fare_amount", "store_and_fwd_flag", "PULocationID"]:
        table = table.set_column(table.schema.get_field_index(name), name, pa.nulls(table.num_rows))
    return table.append_column("congestion_surcharge", pa.nulls(table.num_rows))


def _not_finite(table: pa.Table) -> pa.Table:
    nan, inf = float("nan"), float("inf")
    table = put(table, "trip_distance", [nan, inf, -inf, 1e300, -1e300, None], pa.float64())
    table = put(table, "fare_amount", [1e308, nan, None, 429490.25, inf], pa.float64())
    return put(table, "passenger_count", [nan, 1.5, inf, 1.0, None, 1e300, -0.0], pa.float64())


def _times(table: pa.Table) -> pa.Table:
    second = 1_000_000
    early, late = -62_135_596_800 * second, 253_402_300_799 * second
    table = put(table, TIMES[0], [early, late, 0, -second, None], pa.int64())
    table = put(table, TIMES[1], [None, early, late, 0, 1], pa.int64(), start=6)
    return cast(table, TIMES, pa.timestamp("us"))


def _ids(table: pa.Table) -> pa.Table:
    table = put(table, "PULocationID", [0, -1, 266, 300, 10**12, -(2**63), 2**63 - 1, 265, None], pa.int64())
    return put(table, "VendorID", [2**53 + 1, -(2**63), 2**63 - 1, 0, None], pa.int64())


def _unsigned(table: pa.Table) -> pa.Table:
    table = cast(table, WHOLE, pa.uint16())
    return put(table, "VendorID", [2**63 - 1, 2**63, 2**64 - 1], pa.uint64())


def _tiny_groups(folder: Path) -> list[Path]:
    """Seven rows a group, and groups without any rows between them."""
    table, path = Sheet.real(rows=200).table(), folder / f"{MONTH}.parquet"
    with pq.ParquetWriter(path, table.schema) as writer:
        for start in range(0, table.num_rows, 40):
            writer.write_table(table.slice(0, 0))
            writer.write_table(table.slice(start, 40), row_group_size=7)
    return [path]


def _as_views(table: pa.Table) -> pa.Table:
    """The same as views of text, as Polars writes it."""
    table = _as_text(table)
    table = cast(table, [*WHOLE, *NUMBERS, "store_and_fwd_flag"], pa.string_view())
    return cast(table, ["VendorID"], pa.binary_view())


def _as_text(table: pa.Table) -> pa.Table:
    table = put(cast(table, [*WHOLE, *NUMBERS], pa.string()), "fare_amount", ["abc", "0x1F", "nan", ""], pa.string())
    table = put(table, "passenger_count", ["1.0", "1.5", "two", None], pa.string())
    return cast(table, ["VendorID"], pa.large_string())


def _dictionaries(table: pa.Table) -> pa.Table:
    """Dictionaries with nulls, of text and of numbers."""
    for name in ["store_and_fwd_flag", "VendorID", "PULocationID", "passenger_count"]:
        values = put(table, name, [None], table.schema.field(name).type)[name].combine_chunks()
        table = table.set_column(table.schema.get_field_index(name), name, values.dictionary_encode())
    return table


def _strangers(table: pa.Table) -> pa.Table:
    """Columns that no trip has, one of them nested."""
    rows = table.num_rows
    table = table.add_column(0, "index", pa.array(range(rows)))
    return table.append_column("route", pa.array([{"lat": 40.7, "stops": [1, 2]}] * rows))


def _renamed(table: pa.Table) -> pa.Table:
    return table.rename_columns(Sheet(table.column_names, []).lower_case().header)


def _mixed(folder: Path) -> list[Path]:
    """Every release at once: TLC's CSV, its Parquet of two ages, words for names, a gzip."""
    march = Sheet.real("2018-03", rows=500)
    return [
        DATA / "yellow_tripdata_2018-01.csv",
        parquet(
            Sheet.real("2018-02", rows=10_000).table(), folder / "yellow_tripdata_2018-02.parquet", row_group_size=999
        ),
        march.lower_case().csv(folder / "yellow_tripdata_2018-03.csv"),
        parquet(_renamed(march.table()), folder / "yellow_trips_2018-03.parquet"),
        *write(
            folder / "yellow_tripdata_2019-07.csv.gz",
            gzip.compress((DATA / "yellow_tripdata_2019-07.csv").read_bytes()),
        ),
        DATA / "yellow_tripdata_2025-01.sample.parquet",
    ]


def _green(folder: Path) -> list[Path]:
    sheet = Sheet.real().green().add("ehail_fee", ["", "1.5"]).add("trip_type", ["1", "2", "", "1.0"])
    return [
        DATA / "green_tripdata_2021-01.parquet",
        sheet.csv(folder / "green_tripdata_2018-01.csv"),
        sheet.lower_case().csv(folder / "green_tripdata_2018-02.csv"),
        sheet.drop("ehail_fee", "trip_type").lower_case().csv(folder / "green_trips_2018-01.csv"),
    ]


def _timestamps(unit: str) -> Callable[[pa.Table], pa.Table]:
    return lambda table: cast(_fractions(table) if unit != "s" else table, TIMES, pa.timestamp(unit))


def _fractions(table: pa.Table) -> pa.Table:
    """A few pick-ups half a second later."""
    found = table[TIMES[0]].cast(pa.int64()).to_pylist()
    found[3:6] = [moment + 500_000 for moment in found[3:6]]
    return table.set_column(table.schema.get_field_index(TIMES[0]), TIMES[0], pa.array(found).cast(pa.timestamp("us")))


PARQUET_CASES: dict[str, Builder] = {
    "shipped Parquet of 2025": lambda folder: [DATA / "yellow_tripdata_2025-01.sample.parquet"],
    "every release at once": _mixed,
    "parquet": _month(lambda table: table),
    "parquet, 32-bit": _month(lambda table: cast(cast(table, WHOLE, pa.int32()), NUMBERS, pa.float32())),
    "parquet, 8-bit": _month(lambda table: cast(table, ["VendorID", "passenger_count"], pa.int8())),
    "parquet, unsigned": _month(_unsigned),
    "parquet, whole numbers as doubles": _month(lambda table: cast(table, WHOLE, pa.float64())),
    "parquet, numbers as whole numbers": _month(lambda table: put(table, "fare_amount", [8] * ROWS, pa.int64(), 0)),
    "parquet, decimals": _month(
        lambda table: put(
            cast(cast(table, NUMBERS, pa.decimal128(12, 2)), ["PULocationID"], pa.decimal128(20, 0)),
            "passenger_count",
            [Decimal("1.0"), Decimal("1.5"), None],
            pa.decimal128(21, 1),
        )
    ),
    "parquet, everything as text": _month(_as_text),
    "parquet, everything as views of text": _month(_as_views),
    "parquet, dictionaries": _month(_dictionaries),
    "parquet, plain pages": _month(
        lambda table: table, use_dictionary=False, compression="none", data_page_version="2.0"
    ),
    "parquet, zstd": _month(lambda table: table, compression="zstd"),
    "parquet, milliseconds": _month(_timestamps("ms")),
    "parquet, microseconds": _month(_timestamps("us")),
    "parquet, nanoseconds": _month(_timestamps("ns"), version="2.6"),
    "parquet, 96-bit timestamps": _month(lambda table: table, use_deprecated_int96_timestamps=True),
    "parquet, no statistics": _month(_nulls, write_statistics=False),
    "parquet, nulls": _month(_nulls),
    "parquet, columns of nothing": _month(_nothing_but_nulls),
    "parquet, no numbers": _month(_not_finite),
    "parquet, absurd times": _month(_times),
    "parquet, absurd ids": _month(_ids),
    "parquet, tiny row groups": _tiny_groups,
    "parquet, no rows": _month(lambda table: table.slice(0, 0)),
    "parquet, one row": _month(lambda table: table.slice(5, 1)),
    "parquet, lower-case names": _month(_renamed),
    "parquet, spaces in names": _month(
        lambda table: table.rename_columns([f" {name} " for name in table.column_names])
    ),
    "parquet, strangers": _month(_strangers),
    "parquet, without fares and vendors": _month(lambda table: table.drop_columns(["fare_amount", "VendorID"])),
}
GREEN_CASES: dict[str, Builder] = {"green, every release": _green}


def _parquet_bytes(folder: Path) -> bytes:
    return parquet(Sheet.real(rows=2000).table(), folder / "whole.parquet").read_bytes()


def _overwritten(raw: bytes) -> bytes:
    middle = len(raw) // 3
    return raw[:middle] + b"\xff" * 4000 + raw[middle + 4000 :]


PAGE = (
    b"<!doctype html>\n<html><head><title>403 Forbidden</title></head>\n<body>Request blocked, sorry.</body></html>\n"
)

# Each writes one file that is no trips at all.
UNREADABLE: dict[str, Callable[[Path], Path]] = {
    "half a Parquet file": lambda f: write(f / "half.parquet", _parquet_bytes(f)[:-2000])[0],
    "Parquet without its footer": lambda f: write(f / "headless.parquet", _parquet_bytes(f)[:9000])[0],
    "Parquet with a broken page": lambda f: write(f / "broken.parquet", _overwritten(_parquet_bytes(f)))[0],
    "Parquet of which a column can hold no fare": lambda f: parquet(
        cast(Sheet.real().table(), ["fare_amount"], pa.bool_()), f / "bools.parquet"
    ),
    "a page named Parquet": lambda f: write(f / "page.parquet", PAGE)[0],
    "a page named CSV": lambda f: write(f / "page.csv", PAGE)[0],
    "half a gzip file": lambda f: write(f / "half.csv.gz", gzip.compress(Sheet.real().text().encode())[:-300])[0],
    "words named gzip": lambda f: write(f / "words.csv.gz", b"not an archive\n")[0],
    "numbers of another kind": lambda f: write(f / "other.csv", "a,b,c\n1,2,3\n")[0],
    "one endless line": lambda f: write(f / "endless.csv", b"[" + b"1234567890" * 30_000 + b"]")[0],
    "noise": lambda f: write(f / "noise.csv", bytes(range(256)) * 40)[0],
    "UTF-16": lambda f: write(f / "wide.csv", Sheet.real().text().encode("utf-16"))[0],
}
