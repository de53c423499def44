"""Questions by group: measures of the trips of each key, and quantiles, which count trips by bin."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from itertools import accumulate
from math import ceil
from typing import Any

from jobs.questions.printing import nulls_last, printed_day, printed_mean, printed_sum, zone_fields
from jobs.questions.question import KEPT, Question, Where, columns_asked
from jobs.questions.values import Bins, Day, Key, Value, check_summable, is_whole, label_of
from jobs.trips import Kind, Taxi
from jobs.trips.columns import kind_of


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

    def __post_init__(self) -> None:
        check_summable(self.value)

    def answer(self, rows: int, count: int, total: int) -> Any:  # noqa: ARG002
        """The sum in the value's unit."""
        return printed_sum(total, self.value) if count else None


@dataclass(frozen=True)
class Mean:
    """The exact mean of a value over the trips that have one; null of nothing."""

    value: Value

    def __post_init__(self) -> None:
        check_summable(self.value)

    def answer(self, rows: int, count: int, total: int) -> Any:  # noqa: ARG002
        """The mean in the value's unit."""
        return printed_mean(total, count, self.value)


Measure = Count | Sum | Mean


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
        if isinstance(key, str) and kind_of(key) is not Kind.INTEGER:
            raise ValueError(f"trips cannot be grouped by {key!r}: it is not a column of whole numbers")
        self.key = key
        self.label = label or label_of(key)
        self.where = where
        self.order = order
        self.nulls = nulls
        self.measures = measures
        if order is not None and order.removeprefix("-") not in measures:
            raise ValueError(f"order {order!r} names none of the measures {', '.join(measures)}")

    def columns(self) -> frozenset[str]:  # noqa: D102
        read = [measure.value for measure in self.measures.values() if measure.value is not None]
        return columns_asked(self.where, self.key, *read)

    def empty(self) -> dict[int | None, tuple[Any, ...]]:  # noqa: D102
        return {}

    def merge(self, a: Any, b: Any) -> Any:  # noqa: D102
        small, merged = (a, dict(b)) if len(a) < len(b) else (b, dict(a))
        for key, group in small.items():
            merged[key] = add_groups(merged[key], group) if key in merged else group
        return merged

    def finish(self, partial: Any, taxi: Taxi) -> list[dict[str, Any]]:  # noqa: ARG002, D102
        rows = []
        for key in sorted(partial, key=nulls_last):
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

    def headline(self, partial: Any) -> Mapping[str, Any]:
        """What is measured, over all groups together; nothing where they are a histogram's bins."""
        if isinstance(self.key, Bins):
            return {}
        nothing: tuple[Any, ...] = (0, *((0, 0) for _ in self.measures))
        groups = [group for key, group in partial.items() if key is not None or self.nulls]
        trips, *sums = reduce(add_groups, groups, nothing)
        measures = zip(self.measures.items(), sums, strict=True)
        # How many trips there are is every job's headline already.
        return {name: measure.answer(trips, *of) for (name, measure), of in measures if measure.value is not None}

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
        return columns_asked(self.where, self.value)

    def empty(self) -> dict[int, int]:  # noqa: D102
        return {}

    def merge(self, a: Any, b: Any) -> Any:  # noqa: D102
        return {key: a.get(key, 0) + b.get(key, 0) for key in a.keys() | b.keys()}

    def finish(self, partial: Any, taxi: Taxi) -> dict[str, Any]:  # noqa: ARG002, D102
        bins = sorted(partial)
        reached = list(accumulate(partial[key] for key in bins))
        answer: dict[str, Any] = {}
        for quantile in self.at:
            rank = ceil(Fraction(repr(quantile)) * reached[-1]) if reached else 0
            found = next((key for key, so_far in zip(bins, reached, strict=True) if so_far >= rank), None)
            answer[f"{quantile * 100:g}%"] = None if found is None else found * self.width
        return answer


def add_groups(a: Any, b: Any) -> tuple[Any, ...]:
    """The sum of two groups of a `By` partial, each (trips, (count, exact sum)...)."""
    return (a[0] + b[0], *((x[0] + y[0], x[1] + y[1]) for x, y in zip(a[1:], b[1:], strict=True)))
