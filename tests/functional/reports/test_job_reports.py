"""What the reports of single jobs say beside their figures."""

from typing import Any

from jobs import longest_trips, top_fares

TRIP: dict[str, Any] = {
    "fare_amount": 90.0,
    "pickup_location_id": 265,
    "zone": "NA",
    "borough": "Unknown",
    "pickup_at": "2018-01-01T00:00:00",
    "distance_miles": 70.0,
    "duration_seconds": 60,
}


def by_mile(trips: dict[int, int]) -> list[dict[str, Any]]:
    return [{"distance_miles_from": float(mile), "trips": n, "mean_fare": 1.0} for mile, n in trips.items()]


def test_trips_out_of_the_plots_view_are_told() -> None:
    answers = {"longest_trips": [TRIP], "fares_by_mile": by_mile({5: 4, 59: 1, 60: 2, 150: 1})}
    assert longest_trips.section(answers).text.startswith("3 trips are out of the first plot's view")
    answers["fares_by_mile"] = by_mile({5: 4, 59: 1})
    assert longest_trips.section(answers).text == ""


def test_an_unknown_zone_is_told_by_its_id() -> None:
    """TLC calls it NA, which reads like nothing."""
    answers = {"longest_trips": [TRIP], "fares_by_mile": [], "top_fares": [TRIP], "zones_by_mean_fare": []}
    for section in (longest_trips.section(answers), top_fares.section(answers)):
        (table,) = section.tables
        assert dict(zip(table.columns, table.rows[0], strict=True))["Zone id"] == 265
    (highest,) = top_fares.facts(answers)
    assert highest.note == "zone 265"
