"""Makes canonical Parquet of any mix of CSV and Parquet, old names and new.

Trips are partitioned by the month of their pick-up: `trips/month=YYYY-MM/`. Every file has the same columns and types;
nothing is repaired. What is set aside, trips that are not plausible and lines that are no trips, goes to
`quarantine.parquet` with its reason, its file and, for lines, its line and text.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from jobs.questions import Export, Question, Trips
from jobs.reports import Fact, Report, Section, Table
from jobs.trips import TripParams
from jobspec import Size

SIZE = Size(min_workers=1, max_workers=20, trips_per_worker=5_000_000)

Categorical = Literal[
    "VendorID",
    "passenger_count",
    "RatecodeID",
    "store_and_fwd_flag",
    "PULocationID",
    "DOLocationID",
    "payment_type",
    "trip_type",
]


class Params(TripParams):
    """Which trips, and which columns to spread."""

    one_hot: Annotated[list[Categorical], Field(max_length=8)] = Field(
        default_factory=list,
        description="Columns to add one-hot columns for: one for each value that TLC's dictionary lists, and one each "
        "for any other value and for none.",
    )


def questions(params: Params) -> dict[str, Question]:
    """The trips, written."""
    return {"trips": Trips(), "prepared": Export(one_hot=tuple(dict.fromkeys(params.one_hot)))}


def report(answers: Mapping[str, Any]) -> Report:
    """What was written."""
    prepared = answers["prepared"]
    rows = [[month["month"], month["trips"], month["files"]] for month in prepared["months"]]
    return Report(
        title="Prepared trips",
        summary=(
            Fact("Trips written", answers["trips"]),
            Fact("Months", len(rows)),
            Fact("Set aside", prepared["quarantined"], note="in quarantine.parquet"),
        ),
        sections=(Section("Months", tables=(Table("Trips by month", ["Month", "Trips", "Files"], rows),)),),
    )
