"""Trips and total distance of each vendor.

With `as_published` a trip counts if its passengers were counted, and trips without a vendor are left out, as in the
article.
"""

from collections.abc import Mapping
from typing import Any

from jobs.questions import By, Count, Question, Sum, Trips
from jobs.reports import Fact, Report, Section, Table
from jobs.trips import TripParams
from jobspec import Size

SIZE = Size(min_workers=1, max_workers=20, trips_per_worker=10_000_000)


class Params(TripParams):
    """Which trips."""


def questions(params: Params) -> dict[str, Question]:
    """One row a vendor; trips without one are a group of their own."""
    return {"trips": Trips(), "vendors": by_vendor(params)}


def by_vendor(params: TripParams) -> Question:
    """Trips and miles by vendor."""
    trips = Count(of="passenger_count") if params.as_published else Count()
    return By("VendorID", nulls=not params.as_published, trips=trips, distance_miles=Sum("trip_distance"))


def report(answers: Mapping[str, Any]) -> Report:
    """The table."""
    return Report(title="Vendors", summary=(Fact("Trips", answers["trips"]),), sections=(section(answers),))


def section(answers: Mapping[str, Any]) -> Section:
    """Trips and miles of each vendor."""
    rows = [[row["vendor_id"], row["trips"], row["distance_miles"]] for row in answers["vendors"]]
    return Section("Vendors", tables=(Table("Trips and distance by vendor", ["Vendor", "Trips", "Miles"], rows),))
