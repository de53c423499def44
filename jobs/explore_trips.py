"""Explores the trips: every question of the single jobs, answered in one pass over the data, with a report.

Durations, distances, fares, passengers, vendors, days, zones and missing values. A line of a CSV that means nothing in
a column which any of these needs is set aside for all; the single jobs read fewer columns, and may count such a line.
"""

from collections.abc import Mapping
from typing import Any

from jobs import (
    distance_by_passengers,
    longest_trips,
    passengers_by_date,
    profile_trips,
    top_fares,
    trip_duration,
    vendor_summary,
)
from jobs.questions import Question, Trips
from jobs.reports import Fact, Report
from jobs.trips import TopParams
from jobspec import Size

SIZE = Size(min_workers=1, max_workers=20, trips_per_worker=5_000_000)


class Params(TopParams):
    """Which trips, and how many of the greatest to list."""


def questions(params: Params) -> dict[str, Question]:
    """Those of the single jobs, together."""
    return {
        "trips": Trips(),
        **trip_duration.durations(params),
        **longest_trips.distances(params),
        "vendors": vendor_summary.by_vendor(params),
        "distance_by_passengers": distance_by_passengers.by_passengers(params),
        **profile_trips.columns(),
        **top_fares.fares(params),
        "trips_by_pickup_date": passengers_by_date.by_date(params),
    }


def report(answers: Mapping[str, Any]) -> Report:
    """The sections of the single jobs, together."""
    return Report(
        title="New York taxi trips, explored",
        summary=(
            Fact("Trips", answers["trips"]),
            *trip_duration.facts(answers),
            *longest_trips.facts(answers),
            *top_fares.facts(answers),
        ),
        sections=(
            passengers_by_date.section(answers),
            trip_duration.section(answers),
            top_fares.section(answers),
            longest_trips.section(answers),
            distance_by_passengers.section(answers),
            vendor_summary.section(answers),
            profile_trips.section(answers),
        ),
    )
