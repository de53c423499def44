"""How long trips take: shortest, longest, mean, quantiles and the whole distribution.

A duration is the drop-off minus the pick-up as written: naive wall clock, never repaired, so the hour that a clock
change adds or takes away shows. With `as_published` durations wrap at 24 hours, as in the article.
"""

from collections.abc import Mapping
from typing import Any

from jobs.questions import DURATION, PUBLISHED_DURATION, Bins, By, Count, Quantiles, Question, Stats, Trips
from jobs.reports import Fact, Report, Section, Steps
from jobs.trips import TripParams
from jobspec import Size

SIZE = Size(min_workers=1, max_workers=20, trips_per_worker=10_000_000)
MINUTE = 60


class Params(TripParams):
    """Which trips."""


def questions(params: Params) -> dict[str, Question]:
    """Durations in seconds; quantiles to ten seconds, the distribution by the minute."""
    return {"trips": Trips(), **durations(params), "duration_quantiles": Quantiles(_duration(params), width=10)}


def durations(params: TripParams) -> dict[str, Question]:
    """Extremes and mean, and the distribution."""
    duration = _duration(params)
    return {
        "duration_seconds": Stats(duration),
        "durations_by_minute": By(Bins(duration, width=MINUTE), nulls=False, trips=Count()),
    }


def _duration(params: TripParams) -> Any:
    return PUBLISHED_DURATION if params.as_published else DURATION


def report(answers: Mapping[str, Any]) -> Report:
    """Figures and the distribution."""
    quantiles = answers["duration_quantiles"]
    return Report(
        title="Trip durations",
        summary=(
            Fact("Trips", answers["trips"]),
            *facts(answers),
            *(Fact(f"{share} take at most", seconds, "seconds") for share, seconds in quantiles.items()),
        ),
        sections=(section(answers),),
    )


def facts(answers: Mapping[str, Any]) -> tuple[Fact, ...]:
    """The figures to read first."""
    stats = answers["duration_seconds"]
    return (
        Fact("Mean duration", stats["mean"], "seconds", note="drop-off minus pick-up"),
        Fact("Longest duration", stats["max"], "seconds"),
        Fact("Shortest duration", stats["min"], "seconds"),
    )


def section(answers: Mapping[str, Any]) -> Section:
    """The distribution, by the minute."""
    minutes = {int(row["duration_seconds_from"] // MINUTE): row["trips"] for row in answers["durations_by_minute"]}
    span = range(min(minutes), max(minutes) + 1) if minutes else range(0)
    # Absurd durations can be years away from the bulk: a histogram of every minute between would hold nothing else.
    span = span if len(span) <= 10_000 else range(max(span.start, 0), min(span.stop, 24 * MINUTE))
    return Section(
        "Durations",
        plots=(
            Steps(
                "durations",
                "How long trips take",
                edges=[*span, span.stop] if len(span) else [],
                counts=[minutes.get(minute, 0) for minute in span],
                x_label="Minutes",
                y_label="Trips",
            ),
        ),
    )
