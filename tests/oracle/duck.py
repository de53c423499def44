"""The answers of `explore-trips`, asked of DuckDB: one table of canonical trips, one plain query an answer.

Nothing here is fast, and nothing here is shared with what it judges. Sums and means come as `Near`, the rest is exact.
"""

import datetime as dt
import re
from pathlib import Path
from typing import Any, Literal

import duckdb

from tests.oracle.columns import BYTES, COLUMNS, Kind, canonical
from tests.oracle.compare import Near
from tests.oracle.records import read_records

Trips = str | Path
Keep = Literal["all", "plausible"]

ZONES = Path(__file__).parents[2] / "examples" / "data" / "taxi_zone_lookup.csv"
REASONS = {
    "missing_time": "pickup is null or dropoff is null",
    "misdated": "pickup < first_day or pickup >= end_day",
    "duration_not_positive": "seconds <= 0",
    "duration_24h_or_more": "seconds >= 86400",
    "distance_missing": "trip_distance is null",
    "distance_out_of_range": "trip_distance < 0 or trip_distance > 200",
    "fare_missing": "fare_amount is null",
    "fare_out_of_range": "fare_amount < 0 or fare_amount > 2000",
    "zone_unknown": "PULocationID is null or PULocationID not between 1 and 265",
}
NUMBER = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?"
CUT_OFF = r".*\."
WHOLE = r"[+-]?[0-9]+"
NOT_FINITE = r"[+-]?([nN][aA][nN]|[iI][nN][fF]([iI][nN][iI][tT][yY])?)"
MOMENT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T]([01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
SQL_TYPES: dict[Kind, str] = {"whole": "bigint", "number": "double", "time": "timestamp", "flag": "varchar"}


def answers(files: list[Trips], keep: Keep = "plausible", top: int = 10, taxi: str = "yellow") -> dict[str, Any]:
    """`{"answers": ..., "quality": ...}` of the trips in `files`, all of one colour, as the catalogue words them."""
    with duckdb.connect(config={"threads": 1}) as connection:
        return _Oracle(connection, taxi).answers([Path(file) for file in files], keep, top)


def month_of(name: str) -> tuple[dt.date, dt.date]:
    """The first day on which a trip in a file of this name may begin, and the first on which it no longer may."""
    found = re.search(r"(\d{4})-(0[1-9]|1[0-2])", name)
    if found is None:
        return dt.date(2009, 1, 1), dt.date(2100, 1, 1)
    year, month = int(found[1]), int(found[2])
    following = dt.date(year + month // 12, month % 12 + 1, 1)
    return dt.date(year, month, 1) - dt.timedelta(days=1), following + dt.timedelta(days=1)


def number_of(column: str) -> str:
    """SQL: the double that a column holds, NaN and infinities included; null where it is no number."""
    return f"try_cast(trim({column}::varchar) as double)"


def value_of(column: str, number: str, kind: Kind) -> str:
    """SQL: the canonical value of a column that holds `number`: NaN, infinities, fractions of whole things are null."""
    if kind == "whole":
        whole = f"{number} = trunc({number}) and {number} >= -power(2, 63) and {number} < power(2, 63)"
        text = f"trim({column}::varchar)"
        return (
            f"case when regexp_full_match({text}, '{WHOLE}') then try_cast({text} as bigint) "
            f"when isfinite({number}) and {whole} then {number}::bigint end"
        )
    if kind == "number":
        return f"case when isfinite({number}) then {number} end"
    return f"try_cast({column} as {SQL_TYPES[kind]})"


def malformed(column: str, kind: Kind) -> str:
    """SQL: whether text in a column is none of the values that its kind can have."""
    if kind == "flag":
        return "false"
    if kind == "time":
        good = f"regexp_full_match({column}, '{MOMENT}') and try_cast({column} as timestamp) is not null"
    else:
        good = f"regexp_full_match(trim({column}), '{NUMBER}|{NOT_FINITE}')"
        good += f" and not (_unterminated and regexp_full_match({column}, '{CUT_OFF}'))"
    return f"({column} is not null and not ({good}))"


class _Oracle:
    def __init__(self, connection: duckdb.DuckDBPyConnection, taxi: str) -> None:
        self.sql = connection
        self.columns = COLUMNS[taxi]
        self.taxi = taxi
        self.present: set[str] = set()
        self.set_aside: dict[str, int] = {}
        self.unterminated = 0
        self.unusable: dict[str, dict[str, int]] = {"non_finite": {}, "uncastable": {}}
        fields = ", ".join(f"{name} {SQL_TYPES[kind]}" for name, kind in self.columns.items())
        self.sql.execute(f"create table raw ({fields}, first_day date, end_day date)")
        self.sql.execute(
            "create table zones as select LocationID::bigint as id, Zone as zone, Borough as borough "
            f"from read_csv('{ZONES}', all_varchar = true, nullstr = '')"
        )

    def answers(self, files: list[Path], keep: Keep, top: int) -> dict[str, Any]:
        for file in files:
            self._load(file)
        pickup, dropoff = (name for name, kind in self.columns.items() if kind == "time")
        cases = " ".join(f"when {rule} then '{reason}'" for reason, rule in REASONS.items())
        self.sql.execute(
            f"create table trips as select *, case {cases} end as reason from (select *, {pickup} as pickup, "
            f"{dropoff} as dropoff, (epoch_us({dropoff}) - epoch_us({pickup})) / 1e6 as seconds from raw) "
            "left join zones on PULocationID = id"
        )
        self.sql.execute(f"create view kept as from trips where {'true' if keep == 'all' else 'reason is null'}")
        return {"answers": self._answers(top), "quality": self._quality()}

    def _load(self, file: Path) -> None:
        if not file.stat().st_size:
            return
        if file.read_bytes()[:4] == b"PAR1":
            self.sql.execute(f"create or replace temp table found as from read_parquet('{file}')")
            schema = self.sql.execute("describe found").fetchall()
            # a float's shortest text is another number than the float
            fields = [f'"{name}"::double' if kind == "FLOAT" else f'"{name}"' for name, kind, *_ in schema]
            known = canonical([name for name, *_ in schema], self.taxi)
            self._take(file, {name: fields[at] for name, at in known.items()})
            return
        records = read_records(file)
        known = canonical(records.header, self.taxi)
        self.sql.register("text", records.table(known))
        self.sql.execute("create or replace temp table found as from text")
        bad = " or ".join([malformed(name, self.columns[name]) for name in known] or ["false"])
        lines = self.sql.execute(f"select _unterminated, count(*) from found where {bad} group by 1").fetchall()
        reasons = [reason for _, reason in records.set_aside]
        for ends_open, count in lines:
            reasons += ["truncated_line" if ends_open else "bad_value"] * count
        for reason in reasons:
            self.set_aside[reason] = self.set_aside.get(reason, 0) + 1
        self.sql.execute(f"delete from found where {bad}")
        self.unterminated += self._one("select count(*) from found where _unterminated")
        self._take(file, {name: name for name in known})

    def _take(self, file: Path, source: dict[str, str]) -> None:
        """Adds the rows of `found`; `source` names the expression that holds each canonical column there."""
        self.present |= set(source)
        kinds = {name: self.columns[name] for name in source}
        counted = [name for name, kind in kinds.items() if kind in ("whole", "number")]
        numbers = [f"{number_of(source[name])} as n_{name}" for name in counted]
        values = [f"{value_of(source[name], f'n_{name}', kind)} as v_{name}" for name, kind in kinds.items()]
        self.sql.execute(f"create or replace temp table numbers as select {', '.join(['*', *numbers])} from found")
        self.sql.execute(f"create or replace temp table read as select {', '.join(['*', *values])} from numbers")
        lost = {("non_finite", name): f"not isfinite(n_{name})" for name in counted}
        for name in counted:
            something = f"nullif({source[name]}::varchar, '') is not null and coalesce(isfinite(n_{name}), true)"
            lost["uncastable", name] = f"v_{name} is null and {something}"
        for (what, name), count in self._counts("read", lost).items():
            if count:
                self.unusable[what][name] = self.unusable[what].get(name, 0) + count
        fields = ", ".join(f"v_{name}" if name in source else "null" for name in self.columns)
        self.sql.execute(f"insert into raw select {fields}, ?, ? from read", list(month_of(file.name)))

    def _counts(self, table: str, conditions: dict[Any, str]) -> dict[Any, int]:
        """How many rows of a table meet each condition."""
        if not conditions:
            return {}
        counts = ", ".join(f"count(*) filter (where {condition})" for condition in conditions.values())
        row = self.sql.execute(f"select {counts} from {table}").fetchone()
        return dict(zip(conditions, row or (), strict=True))

    def _one(self, query: str) -> Any:
        row = self.sql.execute(query).fetchone()
        assert row is not None
        return row[0]

    def _rows(self, query: str) -> list[dict[str, Any]]:
        cursor = self.sql.execute(query)
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, map(_plain, row), strict=True)) for row in cursor.fetchall()]

    def _answers(self, top: int) -> dict[str, Any]:
        shown = "fare_amount, PULocationID as pickup_location_id, zone, borough, pickup as pickup_at"
        shown += ", trip_distance as distance_miles"
        ties = "pickup nulls last, PULocationID nulls last"
        rows = self._one("select count(*) from raw")
        known = [name for name in self.columns if name in self.present]
        duration, distance = self._rows(
            "select min(seconds) as min, max(seconds) as max, "
            f"{_mean('seconds')} as mean, null as total from kept union all "
            f"select null, max(trip_distance), {_mean('trip_distance')}, {_sum('trip_distance')} from kept"
        )
        return {
            "trips": self._one("select count(*) from kept"),
            "duration_seconds": {key: duration[key] for key in ("min", "max", "mean")},
            "distance_miles": {key: distance[key] for key in ("max", "total", "mean")},
            "vendors": self._rows(
                f"select VendorID as vendor_id, count(*) as trips, {_sum('trip_distance')} as distance_miles "
                "from kept group by VendorID order by VendorID nulls last"
            ),
            "distance_by_passengers": self._rows(
                f"select passenger_count, count(*) as trips, {_mean('trip_distance')} as mean_distance_miles "
                "from kept group by passenger_count order by passenger_count nulls last"
            ),
            "missing": self._counts("raw", {name: f"{name} is null" for name in known}),
            "columns": {name: rows * BYTES[self.columns[name]] for name in known},
            "top_fares": self._rows(
                f"select {shown} from kept where fare_amount is not null "
                f"order by fare_amount desc, {ties}, trip_distance nulls last limit {top}"
            ),
            "longest_trips": self._rows(
                f"select {shown}, seconds as duration_seconds from kept where trip_distance is not null "
                f"order by trip_distance desc, {ties}, fare_amount nulls last, seconds nulls last limit {top}"
            ),
            "zones_by_mean_fare": self._rows(
                "select PULocationID as pickup_location_id, zone, borough, count(*) as trips, "
                f"{_mean('fare_amount')} as mean_fare from kept group by PULocationID, zone, borough"
            ),
            "trips_by_pickup_date": self._rows(
                f"select pickup::date as pickup_date, count(*) as trips, {_mean('passenger_count')} as mean_passengers "
                "from kept group by pickup::date order by 1 nulls last"
            ),
        }

    def _quality(self) -> dict[str, Any]:
        reasons = self.sql.execute("select reason, count(*) from trips where reason is not null group by 1").fetchall()
        rows, kept = self._one("select count(*) from raw"), self._one("select count(*) from kept")
        return {
            "trips": {"read": rows, "kept": kept, "set_aside": rows - kept},
            "reasons": dict(reasons),
            **self.unusable,
            "lines_set_aside": self.set_aside,
            "truncated_line": self.set_aside.get("truncated_line", 0),
            "unterminated": self.unterminated,
        }


def _sum(column: str) -> str:
    return f"case when count({column}) > 0 then [fsum({column}), fsum(abs({column}::double))] end"


def _mean(column: str) -> str:
    return f"[fsum({column}) / count({column}), fsum(abs({column}::double)) / count({column})]"


def _plain(value: Any) -> Any:
    """A value of DuckDB's as the answers print it."""
    if isinstance(value, list):
        return None if value[0] is None else Near(*value)
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    return value
