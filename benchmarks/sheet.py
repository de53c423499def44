"""The answers of the exploration suite in one plain form, so that every contender's can be compared.

A sheet is ready for JSON: `kept` and `all` hold the headline statistics over plausible trips and over all, `reasons`
counts the trips set aside, `missing` the values each column lacks; tables are lists of [key, trips, measure] in the
order of the key, null last; the lists of the greatest hold [value, pick-up, zone, further columns].
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

Sheet = dict[str, Any]
REASONS = (
    "missing_time", "misdated", "duration_not_positive", "duration_24h_or_more", "distance_missing",
    "distance_out_of_range", "fare_missing", "fare_out_of_range", "zone_unknown",
)  # fmt: skip
TOLERANCE = 1e-9  # relative, of sums and means


class Group(NamedTuple):
    """The headline statistics of the trips of one reason; reason 0 is those kept."""

    reason: int
    trips: int
    durations: int
    duration_min: float | None
    duration_max: float | None
    duration_total: float | None
    distances: int
    distance_max: float | None
    distance_total: float | None
    fare_max: float | None


def sheet(
    groups: Iterable[Sequence[Any]],
    tables: Mapping[str, Iterable[Sequence[Any]]],
    missing: Mapping[str, int],
) -> Sheet:
    """A sheet, from the groups by reason, the tables and the lists of the greatest."""
    by_reason = [Group(*map(_plain, group)) for group in groups]
    counts = {group.reason: group.trips for group in by_reason}
    return {
        "kept": _headlines([group for group in by_reason if group.reason == 0]),
        "all": _headlines(by_reason),
        "reasons": {name: counts.get(code, 0) for code, name in enumerate(REASONS, 1)},
        "missing": dict(missing),
        **{name: _ordered(name, rows) for name, rows in tables.items()},
    }


def _ordered(name: str, rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
    plain = [[_plain(item) for item in row] for row in rows]
    ranked = name in ("top_fares", "longest_trips")
    return plain if ranked else sorted(plain, key=lambda row: (row[0] is None, row[0] or 0))


def _headlines(groups: Sequence[Group]) -> dict[str, Any]:
    durations, distances = sum(g.durations for g in groups), sum(g.distances for g in groups)
    duration, distance = sum(g.duration_total or 0 for g in groups), sum(g.distance_total or 0 for g in groups)
    return {
        "trips": sum(g.trips for g in groups),
        "duration_seconds.min": min((g.duration_min for g in groups if g.duration_min is not None), default=None),
        "duration_seconds.max": _greatest(g.duration_max for g in groups),
        "duration_seconds.mean": duration / durations if durations else None,
        "distance_miles.max": _greatest(g.distance_max for g in groups),
        "distance_miles.total": distance if distances else None,
        "distance_miles.mean": distance / distances if distances else None,
        "longest_trips.max": _greatest(g.distance_max for g in groups),
        "top_fares.max": _greatest(g.fare_max for g in groups),
    }


def _greatest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


HEADLINES = tuple(_headlines([]))
"""The statistics that are compared over plausible trips and over all."""


def _plain(value: Any) -> Any:
    """A value as JSON has it: NumPy's and pandas's scalars as Python's, NaN and NaT as null, times as ISO text."""
    if hasattr(value, "item"):
        value = value.item()
    if value is None or value != value:
        return None
    if isinstance(value, datetime | date):
        return value.isoformat()
    return int(value) if isinstance(value, float) and value.is_integer() else value


def differences(found: Any, expected: Any, where: str = "") -> Iterator[str]:
    """Every place where two sheets differ: counts at all, sums and means beyond TOLERANCE."""
    if isinstance(found, dict) and isinstance(expected, dict):
        for name in sorted(found.keys() | expected.keys()):
            yield from differences(found.get(name), expected.get(name), f"{where}.{name}")
    elif isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        for at, (one, other) in enumerate(zip(found, expected, strict=True)):
            yield from differences(one, other, f"{where}[{at}]")
    elif not _same(found, expected):
        yield f"{where}: {str(found)[:200]} is not {str(expected)[:200]}"


def _same(found: Any, expected: Any) -> bool:
    numbers = isinstance(found, int | float) and isinstance(expected, int | float)
    if numbers and float in (type(found), type(expected)):
        return math.isclose(found, expected, rel_tol=TOLERANCE)
    return bool(found == expected)
