"""Polars: one lazy scan a file, judged, gathered into a slim frame that is asked everything at once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import polars as pl

from benchmarks.sheet import Sheet, sheet
from benchmarks.tripfiles import COUNTED, DROPOFF, IN_ORDER, PICKUP, USED, missing_by_footer, window

SCHEMA: dict[str, Any] = {
    "VendorID": pl.Int16, PICKUP: pl.String, DROPOFF: pl.String, "passenger_count": pl.Int16,
    "trip_distance": pl.Float64, "PULocationID": pl.Int16, "fare_amount": pl.Float64,
}  # fmt: skip


@contextmanager
def lazy(cores: int) -> Iterator[tuple[Callable[..., Sheet], list[int]]]:  # noqa: ARG001 - set by the environment
    yield _explore, []


def _explore(kind: str, files: list[str]) -> Sheet:
    trips = pl.concat([_judged(kind, file) for file in files])
    kept = trips.filter(pl.col("reason") == 0)
    seconds, miles, fare = pl.col("seconds"), pl.col("miles"), pl.col("fare")
    asked = {
        "groups": trips.group_by("reason").agg(
            pl.len(), seconds.count().alias("durations"), seconds.min().alias("least"), seconds.max().alias("most"),
            seconds.cast(pl.Int64).sum().alias("total"), miles.count().alias("distances"),
            miles.max().alias("longest"), miles.sum().alias("distance"), fare.max().alias("dearest"),
        ),
        "durations_by_minute": kept.group_by((seconds // 60 * 60).alias("minute")).agg(pl.len()),
        "fares_by_mile": kept.group_by(miles.floor().cast(pl.Int16).alias("mile")).agg(pl.len(), fare.mean()),
        "vendors": kept.group_by("vendor").agg(pl.len(), miles.sum()),
        "distance_by_passengers": kept.group_by("passengers").agg(pl.len(), miles.mean()),
        "zones_by_mean_fare": kept.group_by("zone").agg(pl.len(), fare.mean()),
        "trips_by_pickup_date": kept.group_by(pl.col("pickup").dt.date()).agg(pl.len(), pl.col("passengers").mean()),
        "top_fares": _greatest(kept, ["fare", "pickup", "zone", "miles"]),
        "longest_trips": _greatest(kept, ["miles", "pickup", "zone", "fare", "seconds"]),
    }  # fmt: skip
    if kind == "csv":
        asked["missing"] = trips.select(*(pl.col(f"no {name}").sum() for name in IN_ORDER))
    found = {name: frame.rows() for name, frame in zip(asked, pl.collect_all(asked.values()), strict=True)}
    missing = dict(zip(IN_ORDER, found.pop("missing")[0], strict=True)) if kind == "csv" else missing_by_footer(files)
    return sheet(found.pop("groups"), found, missing)


def _greatest(kept: pl.LazyFrame, shown: list[str]) -> pl.LazyFrame:
    return kept.select(shown).sort(shown, descending=[True] + [False] * (len(shown) - 1), nulls_last=True).head(10)


def _judged(kind: str, file: str) -> pl.LazyFrame:
    if kind == "csv":
        raw = pl.scan_csv(file, schema={name: SCHEMA.get(name, pl.String) for name in IN_ORDER})
        times = [pl.col(name).str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us") for name in (PICKUP, DROPOFF)]
        absent = [pl.col(name).is_null().alias(f"no {name}") for name in (*USED, *COUNTED)]
        raw = raw.with_columns(*times, *absent)
    else:
        raw, absent = pl.scan_parquet(file), []
    slim = raw.select(
        pl.col("VendorID").cast(pl.Int16).alias("vendor"),
        pl.col(PICKUP).alias("pickup"),
        pl.col("passenger_count").cast(pl.Int16).alias("passengers"),
        pl.col("trip_distance").alias("miles"),
        pl.col("PULocationID").cast(pl.Int16).alias("zone"),
        pl.col("fare_amount").alias("fare"),
        (pl.col(DROPOFF) - pl.col(PICKUP)).dt.total_seconds().cast(pl.Int32).alias("seconds"),
        *(pl.col(f"no {name}") for name in IN_ORDER if absent),
    )
    return slim.with_columns(_reason(file))


def _reason(file: str) -> pl.Expr:
    begin, end = window(file)
    pickup, seconds, miles, fare, zone = (pl.col(name) for name in ("pickup", "seconds", "miles", "fare", "zone"))
    rules = (
        seconds.is_null(),
        ~((pickup >= begin) & (pickup < end)),
        seconds <= 0,
        seconds >= 86_400,
        miles.is_null(),
        ~miles.is_between(0, 200),
        fare.is_null(),
        ~fare.is_between(0, 2000),
        zone.is_null() | ~zone.is_between(1, 265),
    )
    reason: Any = pl.when(rules[0]).then(pl.lit(1, pl.UInt8))
    for code, rule in enumerate(rules[1:], 2):
        reason = reason.when(rule).then(pl.lit(code, pl.UInt8))
    return reason.otherwise(pl.lit(0, pl.UInt8)).alias("reason")
