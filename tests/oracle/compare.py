"""Says where found answers differ from expected ones, all differences at once, each with its place."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

TOLERANCE = 1e-9
SHOWN = 40
ZONE_ORDER = "zones_by_mean_fare"


@dataclass(frozen=True)
class Near:
    """A sum or mean: right when within a billionth of `scale`, the same sum or mean of absolute values."""

    value: float
    scale: float

    def __contains__(self, found: float) -> bool:
        return abs(found - self.value) <= TOLERANCE * self.scale


def assert_same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    """Fails with every difference of `answers` and `quality`; what is found but nobody expected is let be.

    A count of nothing may be printed as 0 or left out; everything else must be there as expected.
    """
    wrong = [*_answers(found.get("answers", {}), expected.get("answers", {}))]
    wrong += _quality(found.get("quality", {}), expected.get("quality", {}))
    if wrong:
        more = [f"... and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
        raise AssertionError("\n".join([f"{len(wrong)} differences", *wrong[:SHOWN], *more]))


def _answers(found: dict[str, Any], expected: dict[str, Any]) -> Iterator[str]:
    for name, value in expected.items():
        if name not in found:
            yield f"answers.{name}: not there"
        elif name == "columns":
            sizes = {column["name"]: column["bytes"] for column in found[name]}
            yield from _differences(f"answers.{name}", sizes, value)
        elif name == ZONE_ORDER:
            yield from _zones(found[name], value)
        else:
            yield from _differences(f"answers.{name}", found[name], value)


def _zones(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> Iterator[str]:
    """Means that differ by a rounding may stand in either order, so the order is judged by the means as printed."""

    def rank(row: dict[str, Any]) -> tuple[Any, ...]:
        mean, zone = row["mean_fare"], row["pickup_location_id"]
        return (mean is None, -(mean or 0.0), zone is None, zone or 0)

    for before, after in pairwise(found):
        if rank(before) > rank(after):
            yield f"answers.{ZONE_ORDER}: {before} stands before {after}"
    by_id = {f"id {row['pickup_location_id']}": row for row in found}
    yield from _differences(
        f"answers.{ZONE_ORDER}", by_id, {f"id {row['pickup_location_id']}": row for row in expected}
    )


def _quality(found: dict[str, Any], expected: dict[str, Any]) -> Iterator[str]:
    for name, value in expected.items():
        where, there = f"quality.{name}", found.get(name, {} if isinstance(value, dict) else 0)
        if isinstance(value, dict) and isinstance(there, dict):
            yield from _differences(where, _nonzero(there), _nonzero(value))
        else:
            yield from _differences(where, there, value)


def _nonzero(counts: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}


def _differences(where: str, found: Any, expected: Any) -> Iterator[str]:
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in expected.keys() | found.keys():
            if name not in found:
                yield f"{where}.{name}: expected {_shown(expected[name])}, not there"
            elif name not in expected:
                yield f"{where}.{name}: found {found[name]!r}, not expected"
            else:
                yield from _differences(f"{where}.{name}", found[name], expected[name])
    elif isinstance(expected, list) and isinstance(found, list):
        for at, (one, other) in enumerate(zip(found, expected, strict=False)):
            yield from _differences(f"{where}[{at}]", one, other)
        if len(found) != len(expected):
            yield f"{where}: {len(found)} rows found, {len(expected)} expected"
    elif not _same(found, expected):
        yield f"{where}: found {found!r}, expected {_shown(expected)}"


def _same(found: Any, expected: Any) -> bool:
    """Whole numbers must print as such; a whole float may print either way, being the same number."""
    if isinstance(expected, Near):
        return isinstance(found, int | float) and not isinstance(found, bool) and found in expected
    if isinstance(expected, float):
        return isinstance(found, int | float) and not isinstance(found, bool) and found == expected
    return type(found) is type(expected) and bool(found == expected)


def _shown(expected: Any) -> str:
    return f"{expected.value!r} or nearly so" if isinstance(expected, Near) else repr(expected)
