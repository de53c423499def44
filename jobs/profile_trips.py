"""What the data is: columns, types, trips, memory by column, the dates it spans, and its quality.

Everything describes all the trips read, whatever `keep` says.
"""

from collections.abc import Mapping
from typing import Any

from jobs.questions import ALL, Columns, Missing, Question, Span, Trips
from jobs.reports import Fact, Report, Section, Table
from jobs.trips import DROPOFF, PICKUP, TripParams
from jobspec import Size

SIZE = Size(min_workers=1, max_workers=20, trips_per_worker=20_000_000)


class Params(TripParams):
    """Which trips."""


def questions(params: Params) -> dict[str, Question]:
    """Trips, columns, what is missing, and the span of both times."""
    return {
        "trips": Trips(where=ALL),
        **columns(),
        "pickup_span": Span(PICKUP, where=ALL),
        "dropoff_span": Span(DROPOFF, where=ALL),
    }


def columns() -> dict[str, Question]:
    """All about columns. `bytes` is trips times the width of a canonical value: a flag 1, anything else 8."""
    return {"missing": Missing(), "columns": Columns()}


def report(answers: Mapping[str, Any]) -> Report:
    """The profile."""
    return Report(
        title="Profile of the trips",
        summary=(
            Fact("Trips", answers["trips"]),
            Fact("Columns", len(answers["columns"])),
            Fact("Memory", sum(column["bytes"] for column in answers["columns"]), "bytes"),
            Fact("First pick-up", answers["pickup_span"]["first"]),
            Fact("Last pick-up", answers["pickup_span"]["last"]),
        ),
        sections=(section(answers),),
    )


def section(answers: Mapping[str, Any]) -> Section:
    """Type, size and missing values of each column."""
    missing = answers["missing"]
    rows = [[c["name"], c["type"], c["bytes"], missing[c["name"]]] for c in answers["columns"]]
    return Section("Columns", tables=(Table("Columns", ["Column", "Type", "Bytes", "Missing"], rows),))
