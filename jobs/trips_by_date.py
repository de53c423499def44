"""How many trips begin on each day.

With `as_published` the day is the drop-off's and a trip counts if its store_and_fwd_flag is there, as in the article.
"""

from collections.abc import Mapping
from typing import Any

from jobs.questions import By, Count, Day, Question, Trips
from jobs.reports import Fact, Lines, Report, Section
from jobs.trips import DROPOFF, PICKUP, TripParams
from jobspec import Size

SIZE = Size(min_workers=1, max_workers=20, trips_per_worker=10_000_000)


class Params(TripParams):
    """Which trips."""


def questions(params: Params) -> dict[str, Question]:
    """One row a day."""
    return {"trips": Trips(), "trips_by_pickup_date": by_date(params)}


def by_date(params: TripParams, **measures: Any) -> By:
    """Trips, and further measures, by the day of the pick-up; days without trips are not there, unknown ones last."""
    if params.as_published:
        flagged = Count(of="store_and_fwd_flag")
        return By(Day(DROPOFF), label="pickup_date", nulls=False, trips=flagged, **measures)
    return By(Day(PICKUP), trips=Count(), **measures)


def report(answers: Mapping[str, Any]) -> Report:
    """The course of the days."""
    days = [row for row in answers["trips_by_pickup_date"] if row["pickup_date"]]
    busiest = max(days, key=lambda row: (row["trips"], row["pickup_date"]), default=None)
    return Report(
        title="Trips by date",
        summary=(
            Fact("Trips", answers["trips"]),
            Fact("Days with trips", len(days)),
            Fact(
                "Trips on the busiest day",
                busiest["trips"] if busiest else None,
                note=busiest["pickup_date"] if busiest else "",
            ),
        ),
        sections=(
            Section(
                "Through the days",
                plots=(
                    Lines(
                        "trips-by-date",
                        "Trips by date",
                        x=[row["pickup_date"] for row in days],
                        series={"trips": [row["trips"] for row in days]},
                        y_label="Trips a day",
                    ),
                ),
            ),
        ),
    )
