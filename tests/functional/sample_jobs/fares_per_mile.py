"""Fares per mile, of which some are infinite, and by day."""

from typing import Any

from jobs.trips import TripParams
from jobspec import Size

SIZE = Size(min_workers=1, max_workers=4, trips_per_worker=1_000_000)


class Params(TripParams):
    """Which trips."""


def run(trips: Any, params: Params) -> dict[str, Any]:
    days = trips.assign(pickup_date=trips.tpep_pickup_datetime.dt.floor("D"))
    mean = trips.fare_amount.mean()
    return {
        "dearest_per_mile": (trips.fare_amount / trips.trip_distance).max(),
        "fares": {"mean": mean, "most": [trips.fare_amount.max()], "above_mean": trips.fare_amount.max() - mean},
        "days": days.groupby("pickup_date").fare_amount.sum(),
    }
