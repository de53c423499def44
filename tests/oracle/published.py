"""The numbers of the article's notebook, with its slips, computed by pandas as the notebook computes them."""

from pathlib import Path
from typing import Any

import pandas as pd

from tests.oracle.compare import Near


def published(files: list[Path]) -> dict[str, Any]:
    """What the notebook would have printed for trips of one colour, under the names that the answers have."""
    trips = pd.concat([_read(file) for file in files], ignore_index=True)
    pickup, dropoff = sorted((name for name in trips.columns if "datetime" in name), reverse=True)
    duration = (trips[dropoff] - trips[pickup]).dt.seconds  # wraps at a day, which hides negatives as well
    by_date = trips.groupby(trips[dropoff].dt.date)  # "pick-up date", says the notebook
    by_vendor = trips.groupby("VendorID")
    passengers, flags = by_date.passenger_count.mean(), by_date.store_and_fwd_flag.count()
    vendor_trips, vendor_miles = by_vendor.passenger_count.count(), by_vendor.trip_distance.sum()
    return {
        "duration_seconds": {"max": float(duration.max())},
        "distance_miles": {"max": float(trips.trip_distance.max())},
        "trips_by_pickup_date": [
            {"pickup_date": day.isoformat(), "trips": int(flags[day]), "mean_passengers": _near(passengers[day])}
            for day in sorted(flags.index)
        ],
        "vendors": [
            {
                "vendor_id": int(vendor),
                "trips": int(vendor_trips[vendor]),
                "distance_miles": _near(vendor_miles[vendor]),
            }
            for vendor in sorted(vendor_trips.index)
        ],
        "distance_by_passengers": [
            {"passenger_count": int(count), "mean_distance_miles": _near(mean)}
            for count, mean in trips.groupby("passenger_count").trip_distance.mean().sort_index().items()
        ],
        "top_fares": [{"fare_amount": float(fare)} for fare in trips.fare_amount.nlargest(10)],
        "missing": {str(name): int(count) for name, count in trips.isna().sum().items()},
    }


def _read(file: Path) -> pd.DataFrame:
    return pd.read_csv(file, parse_dates=[1, 2]) if file.suffix == ".csv" else pd.read_parquet(file)


def _near(value: float) -> Near | None:
    return None if pd.isna(value) else Near(float(value), abs(float(value)))
