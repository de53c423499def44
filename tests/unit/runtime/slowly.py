"""What every question's partial is by definition: one trip at a time, in Python's exact numbers."""

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import reduce
from typing import Any

from jobs.questions import (
    Bins,
    By,
    Count,
    Day,
    Elapsed,
    Key,
    Quantiles,
    Question,
    Span,
    Stats,
    Top,
    Trips,
    Value,
    Where,
)
from jobs.questions.values import is_whole
from tests.unit.runtime.drawn import Row

DAY = 86_400 * 10**6


def partial(question: Question, rows: Iterable[Row]) -> Any:
    """The partial of the rows that the question is about."""
    chosen = [row for row in rows if among(row, question.where)]
    match question:
        case Trips():
            return len(chosen)
        case Stats(value):
            found = there(value, chosen)
            return (
                (len(found), sum(exact(x, value) for x in found), min(found), max(found))
                if found
                else (0, 0, None, None)
            )
        case Span(time):
            found = there(time, chosen)
            return (min(found), max(found)) if found else None
        case By():
            groups = {
                key: [row for row in chosen if key_of(row, question.key) == key] for key in keys(question.key, chosen)
            }
            return {
                key: (len(rows), *(measured(measure, rows) for measure in question.measures.values()))
                for key, rows in groups.items()
            }
        case Quantiles(value, width):
            bins = [key for row in chosen if (key := key_of(row, Bins(value, width))) is not None]
            return {key: bins.count(key) for key in bins}
        case Top(k, by, _):
            ranked = [tuple(of(row, field) for field in question.fields()) for row in chosen if of(row, by) is not None]
            return tuple(sorted(ranked, key=lambda r: (-r[0], *((item is None, item or 0) for item in r[1:])))[:k])
    raise TypeError(question)


def of(row: Row, value: Value) -> Any:
    """A row's value, times and durations in microseconds."""
    if not isinstance(value, Elapsed):
        return row[value]
    if row[value.start] is None or row[value.end] is None:
        return None
    return (row[value.end] - row[value.start]) % DAY if value.wrapped else row[value.end] - row[value.start]


def there(value: Value, rows: Iterable[Row]) -> list[Any]:
    return [x for row in rows if (x := of(row, value)) is not None]


def exact(x: float, value: Value) -> int:
    """A value as the whole number that sums are made of: numbers to the nearest multiple of 2^-40."""
    return int(x) if is_whole(value) else round(Fraction(x) * 2**40)


def measured(measure: Any, rows: Sequence[Row]) -> tuple[int, int]:
    if measure == Count():
        return (0, 0)
    found = there(measure.value, rows)
    return (len(found), 0 if isinstance(measure, Count) else sum(exact(x, measure.value) for x in found))


def keys(key: Key, rows: Iterable[Row]) -> set[int | None]:
    return {key_of(row, key) for row in rows}


def key_of(row: Row, key: Key) -> int | None:
    value, width = {Day: lambda: (key.time, DAY), Bins: lambda: (key.value, key.width)}.get(
        type(key), lambda: (key, 1)
    )()
    x = of(row, value)
    if x is None:
        return None
    if not is_whole(value):
        return math.floor(x / width)
    return x // (round(width * 10**6) if isinstance(value, Elapsed) else int(width))


def among(row: Row, where: Where) -> bool:
    if where.value is None:
        return True
    x = of(row, where.value)
    unit = 10**6 if isinstance(where.value, Elapsed) else 1
    return x is not None and where.at_least * unit <= x <= where.at_most * unit


def merged(question: Question, partials: Sequence[Any]) -> Any:
    return reduce(question.merge, partials, question.empty())
