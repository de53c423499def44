"""The trips of the greatest distance, and how fares go with distance.

Ties go to the earlier pick-up, then to the lower pick-up zone.
"""

from collections.abc import Mapping
from typing import Any

from jobs.questions import DURATION, Bins, By, Count, Mean, Question, Stats, Top, Trips, Value
from jobs.reports import Bars, Fact, Lines, Report, Section, Table, number
from jobs.trips import PICKUP, TopParams
from jobspec import Size

SIZE = Size(min_workers=1, max_workers=20, trips_per_worker=10_000_000)
_SHOWN_MILES = 60  # beyond lie too few plausible trips for a mean that means something

_LISTED = (
    "distance_miles",
    "duration_seconds",
    "fare_amount",
    "pickup_at",
    "pickup_location_id",
    "zone",
    "borough",
)


class Params(TopParams):
    """Which trips, and how many of them to list."""


def questions(params: Params) -> dict[str, Question]:
    """The longest trips, the extremes of distance, and mean fares by the mile."""
    return {"trips": Trips(), **distances(params)}


def distances(params: TopParams) -> dict[str, Question]:
    """All about distance."""
    shown: list[Value] = ["fare_amount", "PULocationID", PICKUP, "trip_distance", DURATION]
    return {
        "distance_miles": Stats("trip_distance", show=("max", "total", "mean")),
        "longest_trips": Top(params.top, by="trip_distance", show=shown),
        "fares_by_mile": By(Bins("trip_distance", width=1), nulls=False, trips=Count(), mean_fare=Mean("fare_amount")),
    }


def report(answers: Mapping[str, Any]) -> Report:
    """Figures, plots and the list."""
    return Report(
        title="Longest trips",
        summary=(Fact("Trips", answers["trips"]), *facts(answers)),
        sections=(section(answers),),
    )


def facts(answers: Mapping[str, Any]) -> tuple[Fact, ...]:
    """The figures to read first."""
    miles = answers["distance_miles"]
    return (
        Fact("Longest distance", miles["max"], "miles"),
        Fact("Total distance", miles["total"], "miles"),
        Fact("Mean distance", miles["mean"], "miles"),
    )


def section(answers: Mapping[str, Any]) -> Section:
    """Fares by distance: the mean of each mile, and those of the longest trips as in the article."""
    longest = answers["longest_trips"]
    miles = [row for row in answers["fares_by_mile"] if 0 <= row["distance_miles_from"] < _SHOWN_MILES]
    hidden = sum(row["trips"] for row in answers["fares_by_mile"]) - sum(row["trips"] for row in miles)
    return Section(
        "Fares by distance",
        f"{number(hidden)} trips are out of the first plot's view, which goes from 0 to {_SHOWN_MILES} miles; "
        "they are among the answers."
        if hidden
        else "",
        plots=(
            Lines(
                "fares-by-distance",
                "Mean fare by distance",
                x=[row["distance_miles_from"] for row in miles],
                series={"mean fare": [row["mean_fare"] for row in miles]},
                x_label="Miles, from",
                y_label="Fare (USD), mean",
            ),
            Bars(
                "fares-of-longest-trips",
                "Fares of the longest trips",
                labels=[_miles(row["distance_miles"]) for row in longest[:20]],
                values=[row["fare_amount"] for row in longest[:20]],
                x_label="Distance of the trip",
                y_label="Fare (USD)",
            ),
        ),
        tables=(
            Table(
                "Longest trips",
                ["Miles", "Seconds", "Fare (USD)", "Pick-up", "Zone id", "Zone", "Borough"],
                [[row[field] for field in _LISTED] for row in longest],
            ),
        ),
    )


def _miles(distance: float | None) -> str:
    return "unknown" if distance is None else f"{distance:,.1f} mi"
