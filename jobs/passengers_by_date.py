"""The mean number of passengers of the trips that begin on each day.

Trips whose passengers nobody counted are counted as trips and have no part in the mean.
"""

from collections.abc import Mapping
from typing import Any

from jobs import trips_by_date
from jobs.questions import Mean, Question, Trips
from jobs.reports import Fact, Lines, Report, Section
from jobs.trips import TripParams
from jobspec import Size

SIZE = Size(min_workers=1, max_workers=20, trips_per_worker=10_000_000)


class Params(TripParams):
    """Which trips."""


def questions(params: Params) -> dict[str, Question]:
    """One row a day."""
    return {"trips": Trips(), "trips_by_pickup_date": by_date(params)}


def by_date(params: TripParams) -> Question:
    """Trips and mean passengers by day."""
    return trips_by_date.by_date(params, mean_passengers=Mean("passenger_count"))


def report(answers: Mapping[str, Any]) -> Report:
    """The course of the days."""
    return Report(
        title="Passengers by date",
        summary=(Fact("Trips", answers["trips"]), Fact("Days with trips", len(_days(answers)))),
        sections=(section(answers),),
    )


def section(answers: Mapping[str, Any]) -> Section:
    """Trips and mean passengers, one panel each."""
    days = _days(answers)
    return Section(
        "Through the days",
        "Days without any trip are gaps. A trip belongs to the day of its pick-up.",
        plots=(
            Lines(
                "trips-and-passengers-by-date",
                "Trips and passengers by date",
                x=[row["pickup_date"] for row in days],
                series={"trips": [row["trips"] for row in days]},
                y_label="Trips a day",
                lower_series={"mean passengers": [row["mean_passengers"] for row in days]},
                lower_label="Passengers a trip, mean",
            ),
        ),
    )


def _days(answers: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [row for row in answers["trips_by_pickup_date"] if row["pickup_date"]]
