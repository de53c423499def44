"""The trips of the highest fares, and the mean fare of every pick-up zone.

Ties go to the earlier pick-up, then to the lower pick-up zone.
"""

from collections.abc import Mapping
from typing import Any

from jobs.questions import By, Count, Mean, Question, Top, Trips
from jobs.reports import Bars, Fact, Report, Section, Table
from jobs.trips import PICKUP, TopParams
from jobspec import Size

SIZE = Size(min_workers=1, max_workers=20, trips_per_worker=10_000_000)
_ENOUGH_TRIPS = 30  # a zone's mean of fewer trips is listed, and not plotted

_LISTED = ("fare_amount", "pickup_location_id", "zone", "borough", "pickup_at", "distance_miles")


class Params(TopParams):
    """Which trips, and how many of them to list."""


def questions(params: Params) -> dict[str, Question]:
    """The highest fares, and all zones by their mean fare."""
    return {"trips": Trips(), **fares(params)}


def fares(params: TopParams) -> dict[str, Question]:
    """All about fares."""
    shown = ["fare_amount", "PULocationID", PICKUP, "trip_distance"]
    return {
        "top_fares": Top(params.top, by="fare_amount", show=shown),
        "zones_by_mean_fare": By("PULocationID", order="-mean_fare", trips=Count(), mean_fare=Mean("fare_amount")),
    }


def report(answers: Mapping[str, Any]) -> Report:
    """Plots and lists."""
    return Report(
        title="Top fares",
        summary=(Fact("Trips", answers["trips"]), *facts(answers)),
        sections=(section(answers),),
    )


def facts(answers: Mapping[str, Any]) -> tuple[Fact, ...]:
    """The figure to read first."""
    if not answers["top_fares"]:
        return (Fact("Highest fare", None, "USD"),)
    best = answers["top_fares"][0]
    return (Fact("Highest fare", best["fare_amount"], "USD", note=_zone(best)),)


def section(answers: Mapping[str, Any]) -> Section:
    """The article's bar plot of the highest fares, and the dearest zones."""
    top = answers["top_fares"]
    zones = [zone for zone in answers["zones_by_mean_fare"] if zone["trips"] >= _ENOUGH_TRIPS]
    return Section(
        "Fares by pick-up zone",
        f"Zones with at least {_ENOUGH_TRIPS} trips are plotted; all of them are among the answers.",
        plots=(
            Bars(
                "top-fares",
                "Top fares by pick-up zone",
                labels=[_zone(row) for row in top[:20]],
                values=[row["fare_amount"] for row in top[:20]],
                x_label="Fare (USD)",
                horizontal=True,
            ),
            Bars(
                "zones-by-mean-fare",
                "Dearest pick-up zones",
                labels=[_zone(row) for row in zones[:15]],
                values=[row["mean_fare"] for row in zones[:15]],
                x_label="Fare (USD), mean",
                horizontal=True,
            ),
        ),
        tables=(
            Table(
                "Top fares",
                ["Fare (USD)", "Zone id", "Zone", "Borough", "Pick-up", "Miles"],
                [[row[field] for field in _LISTED] for row in top],
                note="Ties: the earlier pick-up first. TLC calls its unknown zones 264 and 265 NV and NA.",
            ),
        ),
    )


def _zone(row: Mapping[str, Any]) -> str:
    known = row["zone"] not in (None, "NV", "NA")
    return str(row["zone"]) if known else f"zone {row['pickup_location_id']}"
