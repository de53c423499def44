"""The article's exploration as published: all columns, pandas everywhere, each step a computation of its own.

Left out: what no longer runs (grouping one frame by another's column) is done within the persisted frame instead, and
nothing is plotted. None of the checks are made, so its numbers are those that `as_published` reproduces.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dask.dataframe as dd

from benchmarks.dask_frame import local_client
from benchmarks.sheet import Sheet
from benchmarks.tripfiles import DROPOFF, IN_ORDER, PICKUP

TIMES = [PICKUP, DROPOFF]
# Sums of money print without a point where they can, which Dask then takes for whole numbers.
MONEY = dict.fromkeys(
    ("extra", "mta_tax", "fare_amount", "tip_amount", "tolls_amount", "improvement_surcharge", "total_amount"),
    "float64",
)


@contextmanager
def steps(cores: int) -> Iterator[tuple[Callable[..., Sheet], list[int]]]:
    with local_client(cores) as client:
        yield lambda kind, files: _explore(client, kind, files), []


def _explore(client: Any, kind: str, files: list[str]) -> Sheet:
    df = dd.read_csv(files, parse_dates=TIMES, dtype=MONEY) if kind == "csv" else dd.read_parquet(files)
    df["trip_dur_secs"] = (df[DROPOFF] - df[PICKUP]).dt.seconds
    df.head()
    longest_duration = df.trip_dur_secs.max().compute()
    df["pickup_date"] = df[DROPOFF].dt.date
    df.head()
    passengers_by_date = df.groupby("pickup_date").passenger_count.mean().compute()
    trips_by_date = df.groupby("pickup_date").store_and_fwd_flag.count().compute()
    trips = len(df)
    persisted = client.persist(df)
    persisted.head()
    distance_by_passengers = persisted.groupby("passenger_count").trip_distance.mean().compute()
    longest_distance = persisted.trip_distance.max().compute()
    vendors = df.groupby("VendorID").agg({"passenger_count": "count", "trip_distance": "sum"}).compute()
    missing = df.isna().sum().compute()
    top_fares = df[["PULocationID", "fare_amount"]].nlargest(10, "fare_amount").compute()
    longest_trips = df[["trip_distance", "fare_amount"]].nlargest(10, "trip_distance").compute()
    return {
        "trips": trips,
        "longest_duration": int(longest_duration),
        "longest_distance": float(longest_distance),
        "trips_by_date": sorted([str(day), int(count)] for day, count in trips_by_date.items()),
        "passengers_by_date": sorted([str(day), float(mean)] for day, mean in passengers_by_date.items()),
        "distance_by_passengers": sorted([int(n), float(mean)] for n, mean in distance_by_passengers.items()),
        "vendors": sorted([int(row[0]), int(row[1]), float(row[2])] for row in vendors.itertuples()),
        "missing": {name: int(missing[name]) for name in IN_ORDER},
        "top_fares": [float(fare) for fare in top_fares.fare_amount],
        "longest_trips": [float(miles) for miles in longest_trips.trip_distance],
    }


def told_by(published: Sheet) -> Sheet:
    """What the article says, from a sheet of ours with `as_published`."""
    return {
        "trips": published["all"]["trips"],
        "longest_duration": published["all"]["duration_seconds.max"],
        "longest_distance": published["all"]["distance_miles.max"],
        "trips_by_date": [[day, trips] for day, trips, _ in published["trips_by_pickup_date"]],
        "passengers_by_date": [[day, mean] for day, _, mean in published["trips_by_pickup_date"]],
        "distance_by_passengers": [[passengers, mean] for passengers, _, mean in published["distance_by_passengers"]],
        "vendors": published["vendors"],
        "missing": published["missing"],
        "top_fares": [row[0] for row in published["top_fares"]],
        "longest_trips": [row[0] for row in published["longest_trips"]],
    }
