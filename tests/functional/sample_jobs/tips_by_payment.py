"""Mean tips by payment type, by a Dask DataFrame."""

from typing import Any

from jobs.trips import TripParams
from jobspec import Size

SIZE = Size(min_workers=1, max_workers=4, trips_per_worker=1_000_000)


class Params(TripParams):
    """Which trips."""


def run(trips: Any, params: Params) -> dict[str, Any]:
    tips = trips.groupby("payment_type", dropna=False).tip_amount.mean()
    return {
        "tips": tips,
        "longest": trips.trip_distance.max(),
        "asked_for": params.keep,
        "first_pickup": trips.tpep_pickup_datetime.min().compute(),
    }
