"""What of a plot's data is worth showing: gaps, far-off points and outliers, decided on plain numbers."""

import math
import statistics
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Any

NAN = float("nan")


def finite(values: Sequence[float | None]) -> list[float]:
    """The values as floats; what is null, infinite or too large to be drawn is NaN, which leaves a gap."""
    return [NAN if value is None or not abs(value) < 1e200 else float(value) for value in values]


def bulk(places: Sequence[float], weights: Sequence[float], share: float) -> slice:
    """Where nearly all the weight lies: light ends of at most `share` of it, both together, are left out.

    Everything, unless that makes the view less than half as wide: near ends are no trouble.
    """
    weights = [0.0 if math.isnan(weight) else abs(weight) for weight in weights]
    spare = share * sum(weights)
    first, last = 0, len(weights) - 1
    while first < last:
        end = first if weights[first] <= weights[last] else last
        if weights[end] > spare:
            break
        spare -= weights[end]
        first, last = (first + 1, last) if end == first else (first, last - 1)
    narrower = first <= last and places[last] - places[first] < (places[-1] - places[0]) / 2
    return slice(first, last + 1) if narrower else slice(0, len(weights))


def limit(values: Sequence[float], share: float) -> float | None:
    """The largest size among the values that are no outliers; None where there is no outlier.

    Outliers are a `share` of the values at most, and at least five times as large as all others.
    """
    sizes = sorted((abs(value) for value in values if not math.isnan(value)), reverse=True)
    candidates = int(share * len(sizes))
    for larger, smaller in reversed(list(pairwise(sizes[: candidates + 1]))):
        if smaller > 0 and larger >= 5 * smaller:
            return smaller
    return None


def gaps(x: Sequence[Any], values: Sequence[float]) -> tuple[list[Any], list[float]]:
    """The points, with a NaN between two dates that are further apart than the usual step: no line bridges a gap."""
    dates = [at for at in x if isinstance(at, date)]
    if len(dates) < 3:
        return list(x), list(values)
    usual = statistics.median((later - earlier).total_seconds() for earlier, later in pairwise(dates))
    places = [dates[0]]
    heights = [values[0]]
    for (earlier, later), value in zip(pairwise(dates), values[1:], strict=True):
        if (later - earlier).total_seconds() > 1.5 * usual:
            places.append(earlier)
            heights.append(NAN)
        places.append(later)
        heights.append(value)
    return places, heights


def lone(values: Sequence[float]) -> list[int]:
    """The places of values with a gap on both sides: no line shows them, so a dot must."""
    padded = [NAN, *values, NAN]
    return [
        at
        for at, value in enumerate(values)
        if not math.isnan(value) and math.isnan(padded[at]) and math.isnan(padded[at + 2])
    ]
