"""How many values each column lacks, over all the trips read.

A column that a file does not have counts all the file's trips; an empty text in a CSV is null.
"""

from collections.abc import Mapping
from typing import Any

from jobs.questions import ALL, Missing, Question, Trips
from jobs.reports import Fact, Report, Section, Table
from jobs.trips import TripParams
from jobspec import Size

SIZE = Size(min_workers=1, max_workers=20, trips_per_worker=20_000_000)


class Params(TripParams):
    """Which trips."""


def questions(params: Params) -> dict[str, Question]:
    """One count a column."""
    return {"trips": Trips(where=ALL), "missing": Missing()}


def report(answers: Mapping[str, Any]) -> Report:
    """The table."""
    return Report(title="Missing values", summary=(Fact("Trips", answers["trips"]),), sections=(section(answers),))


def section(answers: Mapping[str, Any]) -> Section:
    """Missing values of each column."""
    return Section(
        "Missing values", tables=(Table("Missing values", ["Column", "Missing"], list(answers["missing"].items())),)
    )
