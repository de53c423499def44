"""How many trips the frame holds, seen through one column after another."""

from typing import Any

from jobs.trips import TripParams
from jobspec import Size

SIZE = Size(min_workers=1, max_workers=4, trips_per_worker=1_000_000)


class Params(TripParams):
    """Which trips."""


def run(trips: Any, params: Params) -> dict[str, Any]:
    return {
        "rows": trips.shape[0],
        "fares": trips.fare_amount.count().compute(),  # by itself, so that no other column is read
        "tips": trips.tip_amount.size,
        "tips_there": trips.tip_amount.count(),
        "tips_sum": trips.tip_amount.sum(),
        "vendors": trips.VendorID.count(),
    }
