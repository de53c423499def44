"""The oracle against pandas, on the trips that ship: two ways to the same numbers."""

from typing import Any

import pandas as pd
import pytest

from tests.oracle.compare import assert_same
from tests.oracle.duck import Keep, answers
from tests.oracle.sheet import DATA

YELLOW = [DATA / f"yellow_tripdata_{month}.csv" for month in ("2018-01", "2018-02", "2018-03", "2019-07")]
GREEN = [DATA / "green_tripdata_2021-01.parquet"]


def frame(taxi: str, keep: Keep) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All trips, and those kept."""
    parts = []
    for file in YELLOW if taxi == "yellow" else GREEN:
        part = pd.read_csv(file, parse_dates=[1, 2]) if file.suffix == ".csv" else pd.read_parquet(file)
        part = part.rename(columns={part.columns[1]: "pickup", part.columns[2]: "dropoff"})
        first = pd.Timestamp(file.stem[-7:])
        low, high = first - pd.Timedelta(days=1), first + pd.offsets.MonthBegin(1) + pd.Timedelta(days=1)
        parts.append(part.assign(dated=(part.pickup >= low) & (part.pickup < high)))
    trips = pd.concat(parts, ignore_index=True)
    trips["pickup_date"] = trips.pickup.dt.date.astype(str)
    trips["seconds"] = (trips.dropoff - trips.pickup).dt.total_seconds()
    plausible = (
        trips.dated
        & (trips.seconds > 0)
        & (trips.seconds < 86_400)
        & trips.trip_distance.between(0, 200)
        & trips.fare_amount.between(0, 2000)
        & trips.PULocationID.between(1, 265)
    )
    return trips, trips if keep == "all" else trips[plausible]


def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as answers print them: null is None, whole keys are whole."""

    def plain(name: str, value: Any) -> Any:
        if pd.isna(value):
            return None
        return int(value) if name in ("vendor_id", "passenger_count", "trips") else value

    records = table.rename(columns={"VendorID": "vendor_id"}).to_dict("records")
    return [{str(name): plain(str(name), value) for name, value in row.items()} for row in records]


@pytest.mark.parametrize("keep", ["all", "plausible"])
@pytest.mark.parametrize("taxi", ["yellow", "green"])
def test_same_as_pandas(taxi: str, keep: Keep) -> None:
    trips, kept = frame(taxi, keep)

    def by(group: str, **columns: tuple[str, str]) -> list[dict[str, Any]]:
        table = kept.groupby(group, dropna=False).agg(trips=("pickup", "size"), **columns).reset_index()
        return rows(table.sort_values(group, na_position="last"))

    found = {
        "trips": len(kept),
        "duration_seconds": {"min": kept.seconds.min(), "max": kept.seconds.max(), "mean": kept.seconds.mean()},
        "distance_miles": {
            "max": kept.trip_distance.max(),
            "total": kept.trip_distance.sum(),
            "mean": kept.trip_distance.mean(),
        },
        "vendors": by("VendorID", distance_miles=("trip_distance", "sum")),
        "distance_by_passengers": by("passenger_count", mean_distance_miles=("trip_distance", "mean")),
        "trips_by_pickup_date": by("pickup_date", mean_passengers=("passenger_count", "mean")),
    }
    expected = answers(list(YELLOW if taxi == "yellow" else GREEN), keep=keep, taxi=taxi)
    assert_same({"answers": found}, {"answers": {name: expected["answers"][name] for name in found}})
    top = kept.sort_values(["fare_amount", "pickup", "PULocationID"], ascending=[False, True, True]).head(10)
    shown = [(row["fare_amount"], row["pickup_at"]) for row in expected["answers"]["top_fares"]]
    assert shown == [(row.fare_amount, row.pickup.isoformat()) for row in top.itertuples()]
    fares = kept.groupby("PULocationID").fare_amount.mean()
    zones = {row["pickup_location_id"]: row["mean_fare"].value for row in expected["answers"]["zones_by_mean_fare"]}
    assert zones == pytest.approx(fares.to_dict())
    nulls = {name: count for name, count in trips.isna().sum().items() if name in expected["answers"]["missing"]}
    assert nulls == {name: count for name, count in expected["answers"]["missing"].items() if "datetime" not in name}
    assert len(trips) == expected["quality"]["trips"]["read"]
