"""Questions about all trips together: how many, which extremes, which are the greatest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from jobs.questions.printing import nulls_last, printed_mean, printed_sum, printed_time, printed_value, shown
from jobs.questions.question import KEPT, Question, Where, columns_asked
from jobs.questions.values import Value, check_summable
from jobs.trips import PICKUP, Kind, Taxi
from jobs.trips.columns import kind_of


@dataclass(frozen=True)
class Trips(Question):
    """How many trips there are. Partial: the number."""

    where: Where = KEPT

    def columns(self) -> frozenset[str]:  # noqa: D102
        return columns_asked(self.where)

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

    def __post_init__(self) -> None:
        check_summable(self.value)

    def columns(self) -> frozenset[str]:  # noqa: D102
        return columns_asked(self.where, self.value)

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
        return columns_asked(self.where, self.time)

    def empty(self) -> None:  # noqa: D102
        return None

    def merge(self, a: Any, b: Any) -> Any:  # noqa: D102
        return (min(a[0], b[0]), max(a[1], b[1])) if a and b else a or b

    def finish(self, partial: Any, taxi: Taxi) -> dict[str, Any]:  # noqa: ARG002, D102
        first, last = partial or (None, None)
        return {"first": printed_time(first), "last": printed_time(last)}

    def headline(self, partial: Any) -> Mapping[str, Any]:  # noqa: D102
        return self.finish(partial, Taxi.YELLOW)


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
        if "store_and_fwd_flag" in self.show:
            raise ValueError("a flag has no value to show")
        if kind_of(self.by) is not Kind.NUMBER:
            raise ValueError(f"{self.by!r} is not a column of numbers")

    def fields(self) -> tuple[Value, ...]:
        """What a row of the partial holds, in order."""
        return (self.by, *self.TIES, *self.show)

    def columns(self) -> frozenset[str]:  # noqa: D102
        return columns_asked(self.where, *self.fields())

    def empty(self) -> tuple[Any, ...]:  # noqa: D102
        return ()

    def merge(self, a: Any, b: Any) -> Any:  # noqa: D102
        return tuple(sorted((*a, *b), key=self.rank)[: self.k])

    def rank(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """What rows are sorted by: a total order but for rows that are equal in every shown column."""
        return (-row[0], *(nulls_last(item) for item in row[1:]))

    def finish(self, partial: Any, taxi: Taxi) -> list[dict[str, Any]]:  # noqa: ARG002, D102
        return [
            {name: item for value, raw in zip(self.show, row[3:], strict=True) for name, item in shown(value, raw)}
            for row in partial
        ]

    def headline(self, partial: Any) -> Mapping[str, Any]:  # noqa: D102
        return {"max": printed_value(partial[0][0], self.by) if partial else None}
