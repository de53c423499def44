"""DuckDB, in its two best forms: a slim temporary table that is asked everything, or a scan of the files a question.

The rules of plausibility are one expression; ids and reasons are as small as they go. Three group-bys make roll-ups
from which six tables follow, and a list of the greatest looks only at trips that reach the least of the ten.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import duckdb

from benchmarks.sheet import Sheet, sheet
from benchmarks.tripfiles import COUNTED, DROPOFF, IN_ORDER, PICKUP, USED, window

# CSV columns that are only counted stay text, which costs least.
TYPES = {
    "VendorID": "utinyint", PICKUP: "timestamp", DROPOFF: "timestamp", "passenger_count": "utinyint",
    "trip_distance": "double", "PULocationID": "smallint", "fare_amount": "double",
}  # fmt: skip
TRIPS = f"""VendorID::utinyint vendor, {PICKUP} pickup, passenger_count::utinyint passengers, trip_distance miles,
    PULocationID::smallint zone, fare_amount fare, date_diff('second', {PICKUP}, {DROPOFF})::integer as seconds"""
REASON = """(case when seconds is null then 1 when not (pickup >= {begin} and pickup < {end}) then 2
    when seconds <= 0 then 3 when seconds >= 86400 then 4
    when miles is null then 5 when not miles between 0 and 200 then 6
    when fare is null then 7 when not fare between 0 and 2000 then 8
    when zone is null or not zone between 1 and 265 then 9 else 0 end)::utinyint"""
GROUPS = """select reason, count(*), count(seconds), min(seconds), max(seconds), sum(seconds), count(miles),
    max(miles), sum(miles), max(fare) from {trips} group by reason"""
BY_DAY = """select vendor, passengers, pickup::date as day, count(*) n, sum(miles) miles from {trips} where reason = 0
    group by all"""
BY_ZONE = """select zone, floor(miles)::utinyint as mile, count(*) n, sum(fare) fare from {trips} where reason = 0
    group by all"""
BY_MINUTE = "select (seconds // 60) * 60, count(*) from {trips} where reason = 0 group by all"
ROLLED_UP = {
    "vendors": "select vendor, sum(n), sum(miles) from days group by all",
    "distance_by_passengers": "select passengers, sum(n), sum(miles) / sum(n) from days group by all",
    "trips_by_pickup_date": "select day, sum(n), sum(passengers * n) / sum(n) filter (passengers is not null) "
    "from days group by all",
    "zones_by_mean_fare": "select zone, sum(n), sum(fare) / sum(n) from zones group by all",
    "fares_by_mile": "select mile, sum(n), sum(fare) / sum(n) from zones group by all",
}
GREATEST = {
    "top_fares": ("fare", "fare, pickup, zone, miles"),
    "longest_trips": ("miles", "miles, pickup, zone, fare, seconds"),
}


@contextmanager
def table(cores: int) -> Iterator[tuple[Callable[..., Sheet], list[int]]]:
    """The files are read once, into a slim temporary table."""
    with _connection(cores) as sql:

        def explore(kind: str, files: list[str]) -> Sheet:
            sql.execute(f"create or replace temp table trips as {_judged(kind, files)}")
            return _ask(sql, "trips", _missing(sql, kind, files))

        yield explore, []


@contextmanager
def scans(cores: int) -> Iterator[tuple[Callable[..., Sheet], list[int]]]:
    """Each question reads the columns it needs from the Parquet files."""
    with _connection(cores) as sql:

        def explore(kind: str, files: list[str]) -> Sheet:
            assert kind == "parquet", "reading CSV again for every question is no form of DuckDB's best"
            return _ask(sql, f"({_judged(kind, files)})", _missing(sql, kind, files))

        yield explore, []


@contextmanager
def _connection(cores: int) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as sql:
        sql.execute(f"set threads = {cores}")
        yield sql


def _judged(kind: str, files: list[str]) -> str:
    """SQL: the slim trips of all the files, each with its reason; a file's month is a constant of its own scan."""
    return " union all ".join(_judged_file(kind, file) for file in files)


def _judged_file(kind: str, file: str) -> str:
    begin, end = (f"'{moment}'::timestamp" for moment in window(file))
    reason = REASON.format(begin=begin, end=end)
    if kind == "parquet":
        return f"select *, {reason} reason from (select {TRIPS} from read_parquet('{file}'))"
    types = {name: TYPES.get(name, "varchar") for name in IN_ORDER}
    lacking = " + ".join(f"({name} is null)::usmallint * {1 << bit}" for bit, name in enumerate(COUNTED))
    source = f"read_csv('{file}', header = true, auto_detect = false, delim = ',', quote = '\"', columns = {types})"
    return f"select *, {reason} reason from (select {TRIPS}, ({lacking})::usmallint lacking from {source})"


def _missing(sql: duckdb.DuckDBPyConnection, kind: str, files: list[str]) -> dict[str, int]:
    if kind == "parquet":
        footers = "select path_in_schema, sum(stats_null_count)::bigint from parquet_metadata(?) group by all"
        return dict(sql.execute(footers, [files]).fetchall())
    rows = sql.execute("select lacking, count(*) from trips group by all").fetchall()
    missing = {name: sum(n for bits, n in rows if bits >> bit & 1) for bit, name in enumerate(COUNTED)}
    fields = ("vendor", "pickup", "passengers", "miles", "zone", "fare")
    counts = sql.execute(f"select {', '.join(f'count(*) - count({field})' for field in fields)} from trips").fetchone()
    assert counts is not None
    missing |= zip((name for name in USED if name != DROPOFF), counts, strict=True)
    # seconds are null where either time is
    ends = sql.execute("select count(*) from trips where seconds is null and pickup is not null").fetchone()
    assert ends is not None
    return missing | {DROPOFF: ends[0]}


def _ask(sql: duckdb.DuckDBPyConnection, trips: str, missing: dict[str, int]) -> Sheet:
    def rows(query: str) -> list[tuple[Any, ...]]:
        return sql.execute(query.format(trips=trips)).fetchall()

    groups = rows(GROUPS)
    sql.execute(f"create or replace temp table days as {BY_DAY.format(trips=trips)}")
    sql.execute(f"create or replace temp table zones as {BY_ZONE.format(trips=trips)}")
    tables = {name: rows(query) for name, query in ROLLED_UP.items()}
    tables["durations_by_minute"] = rows(BY_MINUTE)
    for name, (by, shown) in GREATEST.items():
        order = shown.replace(by, f"{by} desc", 1)
        least = f"(select min({by}) from (select {by} from {{trips}} where reason = 0 order by 1 desc limit 10))"
        # Through files the least of the ten would cost one more scan than it saves.
        enough = f"and {by} >= {least}" if trips == "trips" else ""
        tables[name] = rows(f"select {shown} from {{trips}} where reason = 0 {enough} order by {order} limit 10")
    return sheet(groups, tables, missing)
