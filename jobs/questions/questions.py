"""The questions a job may ask of every trip.

A question is a monoid: an `empty` partial, an associative and commutative `merge` of which `empty` is the identity,
and `finish`, which makes the answer. Partials are plain tuples and dicts of exact integers, so however the trips are
split and in whatever order partials meet, the answer is the same to the byte. Nothing here computes over trips: the
compiled loops that fill partials live in `jobs.runtime`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from math import ceil
from typing import Any, ClassVar

from jobs.questions.values import (
    Bins,
    Day,
    Key,
    Value,
    columns_of,
    is_whole,
    label_of,
    printed_mean,
    printed_sum,
    printed_value,
)
from jobs.trips import COLUMNS, PICKUP, Kind, Taxi, printed_name, zones
from jobs.trips.columns import kind_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Where:
    """Which trips a question is about: KEPT, ALL, or those kept whose `value` lies in [at_least, at_most]."""

    name: str
    value: Value | None = None
    at_least: float = float("-inf")
    at_most: float = float("inf")


KEPT = Where("kept")  # the trips that the run keeps: the plausible ones, or all of them with keep: all
ALL = Where("all")  # every trip read


class Question(ABC):
    """What every question can do; `Partial` below is each question's own type of exact partial."""

    where: Where

    @abstractmethod
    def columns(self) -> frozenset[str]:
        """The canonical columns whose values it needs."""

    @abstractmethod
    def empty(self) -> Any:
        """The partial of no trips."""

    @abstractmethod
    def merge(self, a: Any, b: Any) -> Any:
        """The partial of both their trips; neither `a` nor `b` is changed."""

    @abstractmethod
    def finish(self, partial: Any, taxi: Taxi) -> Any:
        """The answer, ready for JSON."""

    def headline(self, partial: Any) -> Mapping[str, Any]:  # noqa: ARG002 - most questions have none
        """The statistics that `quality.effect` shows over all trips beside those kept, by name."""
        return {}


def _columns(where: Where, *expressions: Value | Key) -> frozenset[str]:
    asked = (*expressions, where.value) if where.value is not None else expressions
    return frozenset(column for expression in asked for column in columns_of(expression))


# ---------------------------------------------------------------------------------------------- measures of a group


@dataclass(frozen=True)
class Count:
    """How many trips; with `of`, how many in which that column is not null."""

    of: str | None = None

    @property
    def value(self) -> Value | None:
        """What it reads."""
        return self.of

    def answer(self, rows: int, count: int, total: int) -> Any:  # noqa: ARG002 - all measures have one shape
        """The count."""
        return rows if self.of is None else count


@dataclass(frozen=True)
class Sum:
    """The exact sum of a value; null of nothing."""

    value: Value

    def answer(self, rows: int, count: int, total: int) -> Any:  # noqa: ARG002
        """The sum in the value's unit."""
        return printed_sum(total, self.value) if count else None


@dataclass(frozen=True)
class Mean:
    """The exact mean of a value over the trips that have one; null of nothing."""

    value: Value

    def answer(self, rows: int, count: int, total: int) -> Any:  # noqa: ARG002
        """The mean in the value's unit."""
        return printed_mean(total, count, self.value)


Measure = Count | Sum | Mean


# -------------------------------------------------------------------------------------------------------- questions


@dataclass(frozen=True)
class Trips(Question):
    """How many trips there are. Partial: the number."""

    where: Where = KEPT

    def columns(self) -> frozenset[str]:  # noqa: D102
        return _columns(self.where)

    def empty(self) -> int:  # noqa: D102
        return 0

    def merge(self, a: int, b: int) -> int:  # noqa: D102
        return a + b

    def finish(self, partial: int, taxi: Taxi) -> int:  # noqa: ARG002, D102
        return partial

    def headline(self, partial: int) -> Mapping[str, Any]:  # noqa: D102
        return {"": partial}


@dataclass(frozen=True)
class Stats(Question):
    """Least, greatest, total and mean of a value, whichever are in `show`. Partial: (count, exact sum, min, max)."""

    value: Value
    show: tuple[str, ...] = ("min", "max", "mean")
    where: Where = KEPT

    def columns(self) -> frozenset[str]:  # noqa: D102
        return _columns(self.where, self.value)

    def empty(self) -> tuple[int, int, None, None]:  # noqa: D102
        return (0, 0, None, None)

    def merge(self, a: Any, b: Any) -> Any:  # noqa: D102
        if not a[0] or not b[0]:
            return a if a[0] else b
        return (a[0] + b[0], a[1] + b[1], min(a[2], b[2]), max(a[3], b[3]))

    def finish(self, partial: Any, taxi: Taxi) -> dict[str, Any]:  # noqa: ARG002, D102
        count, total, least, greatest = partial
        every = {
            "min": printed_value(least, self.value),
            "max": printed_value(greatest, self.value),
            "total": printed_sum(total, self.value) if count else None,
            "mean": printed_mean(total, count, self.value),
        }
        return {name: every[name] for name in self.show}

    def headline(self, partial: Any) -> Mapping[str, Any]:  # noqa: D102
        return self.finish(partial, Taxi.YELLOW)


@dataclass(frozen=True)
class Span(Question):
    """First and last of a time column as written. Partial: (min, max) in microseconds since 1970, or None."""

    time: str
    where: Where = KEPT

    def columns(self) -> frozenset[str]:  # noqa: D102
        return _columns(self.where, self.time)

    def empty(self) -> None:  # noqa: D102
        return None

    def merge(self, a: Any, b: Any) -> Any:  # noqa: D102
        return (min(a[0], b[0]), max(a[1], b[1])) if a and b else a or b

    def finish(self, partial: Any, taxi: Taxi) -> dict[str, Any]:  # noqa: ARG002, D102
        first, last = partial or (None, None)
        return {"first": printed_time(first), "last": printed_time(last)}

    def headline(self, partial: Any) -> Mapping[str, Any]:  # noqa: D102
        return self.finish(partial, Taxi.YELLOW)


class By(Question):
    """Measures of the trips in each group of a key; null is a group of its own.

    Partial: {key: (trips, (count, exact sum) of each measure...)}. The answer has one row a group, in the order of the
    key (null last) or, with `order="-name"`, of that measure downwards, then of the key. A zone's id brings its name
    and borough along. With `nulls=False` the null group is dropped; `label` is what the key's field is called.
    """

    def __init__(
        self,
        key: Key,
        *,
        label: str | None = None,
        where: Where = KEPT,
        order: str | None = None,
        nulls: bool = True,
        **measures: Measure,
    ) -> None:
        self.key = key
        self.label = label or label_of(key)
        self.where = where
        self.order = order
        self.nulls = nulls
        self.measures = measures
        if order is not None and order.removeprefix("-") not in measures:
            raise ValueError(f"order {order!r} names none of the measures {', '.join(measures)}")
        if isinstance(key, str) and kind_of(key) is not Kind.INTEGER:
            raise ValueError(f"trips cannot be grouped by {key!r}: it is not a column of whole numbers")

    def columns(self) -> frozenset[str]:  # noqa: D102
        read = [measure.value for measure in self.measures.values() if measure.value is not None]
        return _columns(self.where, self.key, *read)

    def empty(self) -> dict[int | None, tuple[Any, ...]]:  # noqa: D102
        return {}

    def merge(self, a: Any, b: Any) -> Any:  # noqa: D102
        small, merged = (a, dict(b)) if len(a) < len(b) else (b, dict(a))
        for key, group in small.items():
            merged[key] = add_groups(merged[key], group) if key in merged else group
        return merged

    def finish(self, partial: Any, taxi: Taxi) -> list[dict[str, Any]]:  # noqa: ARG002, D102
        rows = []
        for key in sorted(partial, key=_nulls_last):
            if key is None and not self.nulls:
                continue
            trips, *sums = partial[key]
            row = self._printed_key(key)
            row |= {name: m.answer(trips, *sums[i]) for i, (name, m) in enumerate(self.measures.items())}
            rows.append(row)
        if self.order is not None:
            name, sign = self.order.removeprefix("-"), -1 if self.order.startswith("-") else 1
            rows.sort(key=lambda row: (row[name] is None, 0 if row[name] is None else sign * row[name]))
        return rows

    def _printed_key(self, key: int | None) -> dict[str, Any]:
        match self.key:
            case Day():
                return {self.label: None if key is None else printed_day(key)}
            case Bins(value, width):
                edge = None if key is None else key * width if is_whole(value) else float(key * width)
                return {self.label: edge}
            case column:
                return {self.label: key, **zone_fields(column, key)}


@dataclass(frozen=True)
class Quantiles(Question):
    """Quantiles of a value, to the width of a bin: each is the lower edge of the bin that holds it.

    Partial: {bin: trips}. Integer bins, because the usual sketches are not associative.
    """

    value: Value
    width: float
    at: tuple[float, ...] = (0.25, 0.5, 0.75, 0.9, 0.99)
    where: Where = KEPT

    def columns(self) -> frozenset[str]:  # noqa: D102
        return _columns(self.where, self.value)

    def empty(self) -> dict[int, int]:  # noqa: D102
        return {}

    def merge(self, a: Any, b: Any) -> Any:  # noqa: D102
        return {key: a.get(key, 0) + b.get(key, 0) for key in a.keys() | b.keys()}

    def finish(self, partial: Any, taxi: Taxi) -> dict[str, Any]:  # noqa: ARG002, D102
        bins = sorted(partial)
        reached = list(accumulate(partial[key] for key in bins))
        answer: dict[str, Any] = {}
        for quantile in self.at:
            rank = ceil(quantile * reached[-1]) if reached else 0
            found = next((key for key, so_far in zip(bins, reached, strict=True) if so_far >= rank), None)
            answer[f"{quantile:.0%}"] = None if found is None else found * self.width
        return answer


@dataclass(frozen=True)
class Top(Question):
    """The `k` trips with the greatest `by`: ties by pick-up time, pick-up zone, then every shown column, nulls last.

    A trip that has no `by` is not among the greatest.

    Partial: the rows, best first, each (by, pick-up, zone, *show) as exact values.
    """

    k: int
    by: str
    show: Sequence[Value]
    where: Where = KEPT
    TIES: ClassVar[tuple[str, str]] = (PICKUP, "PULocationID")

    def __post_init__(self) -> None:
        object.__setattr__(self, "show", tuple(self.show))
        if kind_of(self.by) is not Kind.NUMBER:
            raise ValueError(f"{self.by!r} is not a column of numbers")

    def fields(self) -> tuple[Value, ...]:
        """What a row of the partial holds, in order."""
        return (self.by, *self.TIES, *self.show)

    def columns(self) -> frozenset[str]:  # noqa: D102
        return _columns(self.where, *self.fields())

    def empty(self) -> tuple[Any, ...]:  # noqa: D102
        return ()

    def merge(self, a: Any, b: Any) -> Any:  # noqa: D102
        return tuple(sorted((*a, *b), key=self.rank)[: self.k])

    def rank(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """What rows are sorted by: a total order but for rows that are equal in every shown column."""
        return (-row[0], *(_nulls_last(item) for item in row[1:]))

    def finish(self, partial: Any, taxi: Taxi) -> list[dict[str, Any]]:  # noqa: ARG002, D102
        return [
            {name: item for value, raw in zip(self.show, row[3:], strict=True) for name, item in _shown(value, raw)}
            for row in partial
        ]

    def headline(self, partial: Any) -> Mapping[str, Any]:  # noqa: D102
        return {"max": printed_value(partial[0][0], self.by) if partial else None}


@dataclass(frozen=True)
class Seen:
    """What a stretch of trips was before any rule: its rows, the columns its file has, the nulls in each."""

    rows: int = 0
    present: frozenset[str] = frozenset()
    nulls: Mapping[str, int] = field(default_factory=dict)  # of every canonical column, absent ones included

    def __add__(self, other: "Seen") -> "Seen":
        names = self.nulls.keys() | other.nulls.keys()
        nulls = {name: self.nulls.get(name, 0) + other.nulls.get(name, 0) for name in names}
        return Seen(self.rows + other.rows, self.present | other.present, nulls)


@dataclass(frozen=True)
class Missing(Question):
    """How many values each column lacks, over all trips read: {column: count}; a column of no file is not listed.

    Numbers that are not finite and whole numbers that are not whole count as lacking in the columns named in `READ`,
    which are therefore read in full; the rest may be answered from the footers of Parquet files.
    """

    where: Where = ALL
    READ: ClassVar[frozenset[str]] = frozenset({"VendorID", "passenger_count"})

    def columns(self) -> frozenset[str]:  # noqa: D102
        return self.READ

    def empty(self) -> Seen:  # noqa: D102
        return Seen()

    def merge(self, a: Seen, b: Seen) -> Seen:  # noqa: D102
        return a + b

    def finish(self, partial: Seen, taxi: Taxi) -> dict[str, int]:  # noqa: D102
        listed = [column.name for column in COLUMNS if column.name in partial.present]
        return {printed_name(name, taxi): partial.nulls.get(name, 0) for name in listed}


@dataclass(frozen=True)
class Columns(Question):
    """Name, type and canonical size in bytes of every column that any file has, over all trips read."""

    where: Where = ALL

    def columns(self) -> frozenset[str]:  # noqa: D102
        return frozenset()

    def empty(self) -> Seen:  # noqa: D102
        return Seen()

    def merge(self, a: Seen, b: Seen) -> Seen:  # noqa: D102
        return a + b

    def finish(self, partial: Seen, taxi: Taxi) -> list[dict[str, Any]]:  # noqa: D102
        return [
            {"name": printed_name(c.name, taxi), "type": c.kind.value, "bytes": partial.rows * c.kind.width}
            for c in COLUMNS
            if c.name in partial.present
        ]


# ----------------------------------------------------------------------------------------------------------- printing


def add_groups(a: Any, b: Any) -> tuple[Any, ...]:
    """The sum of two groups of a `By` partial, each (trips, (count, exact sum)...)."""
    return (a[0] + b[0], *((x[0] + y[0], x[1] + y[1]) for x, y in zip(a[1:], b[1:], strict=True)))


def printed_day(days: int) -> str:
    """The ISO date of a day counted from 1970-01-01."""
    return (date(1970, 1, 1) + timedelta(days=days)).isoformat()


def printed_time(microseconds: int | None) -> str | None:
    """The ISO time of microseconds since 1970, as written: no time zone."""
    return (
        None
        if microseconds is None
        else (EPOCH + timedelta(microseconds=microseconds)).replace(tzinfo=None).isoformat()
    )


def zone_fields(column: str, zone_id: int | None) -> dict[str, str | None]:
    """The zone's name and borough beside a pick-up zone's id; null where TLC knows no such zone."""
    if column != "PULocationID":
        return {}
    zone = zones().get(zone_id) if zone_id is not None else None
    return {"zone": zone.name if zone else None, "borough": zone.borough if zone else None}


def _shown(value: Value, raw: Any) -> list[tuple[str, Any]]:
    label = label_of(value)
    if isinstance(value, str) and kind_of(value) is Kind.TIME:
        return [(label, printed_time(raw))]
    zone = zone_fields(value, raw) if isinstance(value, str) else {}
    return [(label, printed_value(raw, value)), *zone.items()]


def _nulls_last(item: Any) -> tuple[bool, Any]:
    return (item is None, 0 if item is None else item)
