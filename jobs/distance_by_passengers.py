"""The mean distance of trips by the number of their passengers.

With `as_published` trips whose passengers nobody counted are left out, as in the article.
"""

from collections.abc import Mapping
from typing import Any

from jobs.questions import By, Count, Mean, Question, Trips
from jobs.reports import Bars, Fact, Report, Section, Table
from jobs.trips import TripParams
from jobspec import Size

SIZE = Size(min_workers=1, max_workers=20, trips_per_worker=10_000_000)


class Params(TripParams):
    """Which trips."""


def questions(params: Params) -> dict[str, Question]:
    """One row a number of passengers."""
    return {"trips": Trips(), "distance_by_passengers": by_passengers(params)}


def by_passengers(params: TripParams) -> Question:
    """Trips and mean miles by number of passengers."""
    nulls = not params.as_published
    return By("passenger_count", nulls=nulls, trips=Count(), mean_distance_miles=Mean("trip_distance"))


def report(answers: Mapping[str, Any]) -> Report:
    """Plot and table."""
    return Report(
        title="Distance by passengers", summary=(Fact("Trips", answers["trips"]),), sections=(section(answers),)
    )


def section(answers: Mapping[str, Any]) -> Section:
    """Mean miles by number of passengers."""
    rows = answers["distance_by_passengers"]
    return Section(
        "Distance by passengers",
        plots=(
            Bars(
                "distance-by-passengers",
                "Mean distance by number of passengers",
                labels=["unknown" if row["passenger_count"] is None else str(row["passenger_count"]) for row in rows],
                values=[row["mean_distance_miles"] for row in rows],
                x_label="Passengers",
                y_label="Miles, mean",
            ),
        ),
        tables=(
            Table(
                "Distance by passengers",
                ["Passengers", "Trips", "Miles, mean"],
                [[row["passenger_count"], row["trips"], row["mean_distance_miles"]] for row in rows],
            ),
        ),
    )
