"""What a question may ask about: columns, values derived from them, and keys to group by.

Plain data: how they are computed, batch by batch, is the business of `jobs.runtime`.
"""

from dataclasses import dataclass

from jobs.trips.columns import DROPOFF, PICKUP, Kind, kind_of
from jobs.trips.columns import label_of as column_label

# Sums of numbers are kept as whole multiples of 2^-40, so that the order of adding cannot matter.
FIXED_POINT = 2**40
MICROSECONDS = 10**6


@dataclass(frozen=True)
class Elapsed:
    """The time from one time column to another in seconds, as written; null where either is null.

    `wrapped` takes it modulo 24 hours and so hides negative and very long durations, as the article does.
    """

    start: str = PICKUP
    end: str = DROPOFF
    wrapped: bool = False


Value = str | Elapsed  # a column's canonical name, or a derived value

DURATION = Elapsed()
PUBLISHED_DURATION = Elapsed(wrapped=True)


@dataclass(frozen=True)
class Day:
    """The calendar day of a time column, as written: a key that prints as an ISO date."""

    time: str

    def __post_init__(self) -> None:
        if kind_of(self.time) is not Kind.TIME:
            raise ValueError(f"{self.time!r} is not a column of times")


@dataclass(frozen=True)
class Bins:
    """The bin of `width` (in the value's own unit) that a value falls into: a key that prints as its lower edge."""

    value: Value
    width: float

    def __post_init__(self) -> None:
        check_summable(self.value)
        if not self.width > 0:
            raise ValueError(f"a bin's width is above 0, not {self.width!r}")
        if is_whole(self.value) and not float(self.width * unit_of(self.value)).is_integer():
            raise ValueError(f"{self.width!r} is no whole number of the units that {self.value!r} is counted in")


Key = str | Day | Bins  # an INTEGER column's name, or a derived key


def columns_of(expression: Value | Key) -> tuple[str, ...]:
    """The canonical columns that a value or key is computed from."""
    match expression:
        case str():
            return (expression,)
        case Elapsed(start, end):
            return (start, end)
        case Day(time):
            return (time,)
        case Bins(value):
            return columns_of(value)


def check_summable(value: Value) -> None:
    """Raise ValueError for a column that holds no numbers."""
    if isinstance(value, str) and kind_of(value) not in (Kind.INTEGER, Kind.NUMBER):
        raise ValueError(f"{value!r} is not a column of numbers")


def is_whole(value: Value) -> bool:
    """True where values are exact integers inside (ids, counts, times in microseconds), False for numbers."""
    return not isinstance(value, str) or kind_of(value) is not Kind.NUMBER


def unit_of(value: Value) -> int:
    """How many of the integers that sums are kept in make one of the value's own unit."""
    if isinstance(value, Elapsed):
        return MICROSECONDS
    return 1 if is_whole(value) else FIXED_POINT


def label_of(expression: Value | Key) -> str:
    """The field's name under which a value or key stands in an answer."""
    match expression:
        case str():
            return column_label(expression)
        case Elapsed():
            return "duration_seconds"
        case Day(time):
            return f"{column_label(time).removesuffix('_at')}_date"
        case Bins(value):
            return f"{label_of(value)}_from"
