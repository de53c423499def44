"""Dask DataFrame done well: only the columns needed, small types, and everything in one `dask.compute`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dask
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from benchmarks.sheet import Sheet, sheet
from benchmarks.tripfiles import COUNTED, DROPOFF, IN_ORDER, PICKUP, USED, missing_by_footer, window

CSV_TYPES = {
    "VendorID": "Int16", "passenger_count": "Int16", "trip_distance": "float64", "PULocationID": "Int16",
    "fare_amount": "float64", **dict.fromkeys(COUNTED, "string[pyarrow]"),
}  # fmt: skip
GREATEST = {
    "top_fares": ["fare", "pickup", "zone", "miles"],
    "longest_trips": ["miles", "pickup", "zone", "fare", "seconds"],
}


@contextmanager
def local_client(cores: int) -> Iterator[Any]:
    """A client of a cluster of worker processes of one thread each."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=cores, threads_per_worker=1, dashboard_address=None, host="127.0.0.1", silence_logs=40
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


@contextmanager
def frames(cores: int) -> Iterator[tuple[Callable[..., Sheet], list[int]]]:
    with local_client(cores):
        yield _explore, []


def _explore(kind: str, files: list[str]) -> Sheet:
    trips = _read_csv(files) if kind == "csv" else _read_parquet(files)
    kept = trips[trips.reason == 0]
    day = {"day": kept.pickup.dt.floor("D")}
    minute, mile = {"minute": kept.seconds // 60 * 60}, {"mile": np.floor(kept.miles)}
    asked = {
        "groups": trips.groupby("reason").agg(
            {
                "pickup": "size",
                "seconds": ["count", "min", "max", "sum"],
                "miles": ["count", "max", "sum"],
                "fare": "max",
            }
        ),
        "durations_by_minute": kept.assign(**minute).groupby("minute").agg({"seconds": "size"}),
        "fares_by_mile": kept.assign(**mile).groupby("mile").agg({"fare": ["size", "mean"]}),
        "vendors": kept.groupby("vendor", dropna=False).agg({"miles": ["size", "sum"]}),
        "distance_by_passengers": kept.groupby("passengers", dropna=False).agg({"miles": ["size", "mean"]}),
        "zones_by_mean_fare": kept.groupby("zone", dropna=False).agg({"fare": ["size", "mean"]}),
        "trips_by_pickup_date": kept.assign(**day).groupby("day").agg({"passengers": ["size", "mean"]}),
        **{name: kept[shown].map_partitions(_greatest, shown) for name, shown in GREATEST.items()},
    }
    if kind == "csv":
        asked["missing"] = trips[[f"no {name}" for name in IN_ORDER]].sum()
    found = dict(zip(asked, dask.compute(*asked.values()), strict=True))
    missing = dict(zip(IN_ORDER, found.pop("missing"), strict=True)) if kind == "csv" else missing_by_footer(files)
    days = found["trips_by_pickup_date"]
    days.index = days.index.date
    greatest = {name: _greatest(found.pop(name), shown).to_numpy().tolist() for name, shown in GREATEST.items()}
    groups = found.pop("groups").itertuples()
    return sheet(groups, {name: frame.itertuples() for name, frame in found.items()} | greatest, missing)


def _read_parquet(files: list[str]) -> Any:
    """A partition a row group, judged as it is read, so that every answer shares one reading."""
    groups = [(file, group) for file in files for group in range(pq.read_metadata(file).num_row_groups)]
    empty = _judged(pq.read_schema(files[0]).empty_table().select(USED).to_pandas(), *window(files[0]))
    return dd.from_map(_read_group, *map(list, zip(*groups, strict=True)), meta=empty)


def _read_group(file: str, group: int) -> pd.DataFrame:
    table = pq.ParquetFile(file).read_row_group(group, columns=list(USED), use_threads=False)
    return _judged(table.to_pandas(), *window(file))


def _read_csv(files: list[str]) -> Any:
    raw = dd.read_csv(
        files,
        dtype=CSV_TYPES,
        parse_dates=[PICKUP, DROPOFF],
        date_format="%Y-%m-%d %H:%M:%S",
        include_path_column="file",
    )
    return raw.map_partitions(_judged_block)


def _judged_block(raw: pd.DataFrame) -> pd.DataFrame:
    file = str(raw["file"].iloc[0]) if len(raw) else "0001-02"
    return _judged(raw, *window(file))


def _judged(raw: pd.DataFrame, begin: Any, end: Any) -> pd.DataFrame:
    pickup, miles, fare = raw[PICKUP], raw["trip_distance"], raw["fare_amount"]
    seconds = (raw[DROPOFF] - pickup).dt.total_seconds()
    zone = raw["PULocationID"].astype("float64")
    rules = [
        seconds.isna(),
        ~((pickup >= begin) & (pickup < end)),
        seconds <= 0,
        seconds >= 86_400,
        miles.isna(),
        ~miles.between(0, 200),
        fare.isna(),
        ~fare.between(0, 2000),
        ~zone.between(1, 265),
    ]
    slim = {
        "reason": np.select(rules, list(range(1, 10)), 0).astype("int8"),
        "vendor": raw["VendorID"].astype("float32"),
        "pickup": pickup,
        "passengers": raw["passenger_count"].astype("float32"),
        "miles": miles,
        "zone": zone.astype("float32"),
        "fare": fare,
        "seconds": seconds,
    }
    if COUNTED[0] in raw.columns:
        slim |= {f"no {name}": raw[name].isna() for name in IN_ORDER}
    return pd.DataFrame(slim)


def _greatest(frame: pd.DataFrame, shown: list[str]) -> pd.DataFrame:
    return frame.sort_values(shown, ascending=[False] + [True] * (len(shown) - 1)).head(10)
