"""What fills a question's partial, batch by batch, with the compiled loops: one small class a kind of partial."""

from collections.abc import Callable
from fractions import Fraction
from functools import singledispatch
from typing import Any, Protocol

import numpy as np

from jobs.questions import By, Quantiles, Question, Span, Stats, Top, Trips
from jobs.questions.groups import Count, add_groups
from jobs.questions.values import FIXED_POINT, Bins, Key, Value, is_whole
from jobs.runtime import kernels
from jobs.runtime.batch import Batch, key_of_slot, slots_of
from jobs.runtime.canonical import Scratch

Groups = dict[int | None, tuple[Any, ...]]


class Filler(Protocol):
    """Adds the trips of one unit to a partial."""

    def update(self, batch: Batch, mask: Any) -> None:
        """Add the trips of the batch that are 1 in `mask`."""

    def partial(self) -> Any:
        """The question's partial of all trips added."""


@singledispatch
def filler(question: Question) -> Filler:
    """A new filler for the question."""
    raise TypeError(f"no loop fills {type(question).__name__}")


class TripsFiller:
    """The number of trips."""

    def __init__(self) -> None:
        self._trips = 0

    def update(self, batch: Batch, mask: Any) -> None:  # noqa: ARG002, D102
        self._trips += int(np.count_nonzero(mask))

    def partial(self) -> int:  # noqa: D102
        return self._trips


class StatsFiller:
    """Count, exact sum, least and greatest of one value."""

    def __init__(self, value: Value) -> None:
        self._value = value
        self._sums = np.zeros(4, np.int64)
        self._large = 0
        if is_whole(value):
            self._loop = kernels.whole_stats
            self._extremes = np.array([kernels.LAST, -kernels.LAST - 1], np.int64)
        else:
            self._loop = kernels.number_stats
            self._extremes = np.array([np.inf, -np.inf])

    def update(self, batch: Batch, mask: Any) -> None:  # noqa: D102
        values, valid = batch.values(self._value)
        if self._loop(values, valid, mask, self._sums, self._extremes):
            self._large += sum(fixed_point(x) for x in values[large_rows(values, valid, mask)].tolist())

    def partial(self) -> Any:  # noqa: D102
        _, count, high, low = self._sums.tolist()
        if not count:
            return (0, 0, None, None)
        least, greatest = self._extremes.tolist()
        return (count, (high << 32) + low + self._large, least, greatest)


class SpanFiller(StatsFiller):
    """First and last of a time."""

    def partial(self) -> Any:  # noqa: D102
        count, _, first, last = super().partial()
        return (first, last) if count else None


class GroupFiller:
    """Trips and measures by key: dense arrays for the known keys, a dict for any other."""

    def __init__(self, key: Key, sums: tuple[Value, ...], counts: tuple[str, ...]) -> None:
        self._key = key
        self._sums = sums
        self._counts = counts  # columns of which only the validity matters
        self._dense = self._arrays(slots_of(key) + 2)
        self._others: Groups = {}

    def _arrays(self, slots: int) -> list[Any]:
        return [np.zeros((slots, 4), np.int64) for _ in range(max(1, len(self._sums) + len(self._counts)))]

    def update(self, batch: Batch, mask: Any) -> None:  # noqa: D102
        slots, spilled = batch.slots(self._key)
        if self._fill(batch, slots, mask, self._dense):
            self._add_large(batch, slots, mask)
        if spilled:
            self._add_spilled(batch, slots, mask)

    def _fill(self, batch: Batch, slots: Any, mask: Any, arrays: list[Any]) -> int:
        """Add to dense arrays; returns how many numbers were too large for them."""
        if not self._sums and not self._counts:
            kernels.count_groups(slots, mask, arrays[0])
        large = 0
        for value, groups in zip(self._sums, arrays, strict=False):
            loop = kernels.sum_whole_groups if is_whole(value) else kernels.sum_number_groups
            large += loop(slots, *batch.values(value), mask, groups)
        for column, groups in zip(self._counts, arrays[len(self._sums) :], strict=False):
            kernels.count_valid_groups(slots, batch.values(column)[1], mask, groups)
        return large

    def _add_spilled(self, batch: Batch, slots: Any, mask: Any) -> None:
        rows = np.flatnonzero((slots == slots_of(self._key) + 1) & (mask == 1))
        if len(rows):
            keys, few_slots = np.unique(batch.keys_at(self._key, rows), return_inverse=True)
            few = batch.take(rows, Scratch())
            arrays = self._arrays(len(keys))
            self._fill(few, few_slots.astype(np.int32), few.everyone, arrays)
            whole_keys = [int(key) for key in keys.tolist()]
            self._merge(_groups(arrays, whole_keys.__getitem__))

    def _add_large(self, batch: Batch, slots: Any, mask: Any) -> None:
        """Numbers of 2^23 and more are whole multiples of 2^-40 as they are: add them as Python's integers."""
        for index, value in enumerate(self._sums):
            if is_whole(value):
                continue
            values, valid = batch.values(value)
            rows = large_rows(values, valid, mask)
            keys = batch.keys_at(self._key, rows)
            for key, slot, x in zip(keys.tolist(), slots[rows].tolist(), values[rows].tolist(), strict=True):
                sums = [(0, 0)] * len(self._dense)
                sums[index] = (0, fixed_point(x))
                self._merge({int(key) if slot else None: (0, *sums)})

    def _merge(self, groups: Groups) -> None:
        for key, group in groups.items():
            self._others[key] = add_groups(self._others[key], group) if key in self._others else group

    def groups(self) -> Groups:
        """{key: (trips, (count, exact sum) of each summed value, then (count, 0) of each counted column)}."""
        known = slots_of(self._key) + 1
        self._merge(_groups([groups[:known] for groups in self._dense], lambda slot: key_of_slot(self._key, slot)))
        for groups in self._dense:
            groups[:] = 0
        return self._others


class ByFiller(GroupFiller):
    """The partial of a `By`: each measure looks up the sums of its own value."""

    def __init__(self, question: By) -> None:
        measures = question.measures.values()
        self._measures = measures
        sums = tuple(dict.fromkeys(m.value for m in measures if not isinstance(m, Count)))
        counts = tuple(dict.fromkeys(m.of for m in measures if isinstance(m, Count) and m.of is not None))
        super().__init__(question.key, sums, counts)

    def partial(self) -> Any:  # noqa: D102
        at: dict[tuple[str, Any], int] = {("sum", value): 1 + i for i, value in enumerate(self._sums)}
        at |= {("count", column): 1 + len(self._sums) + i for i, column in enumerate(self._counts)}
        wanted = [at.get(("count", m.of) if isinstance(m, Count) else ("sum", m.value)) for m in self._measures]
        return {
            key: (group[0], *((0, 0) if index is None else group[index] for index in wanted))
            for key, group in self.groups().items()
        }


class QuantilesFiller(GroupFiller):
    """Trips by bin; those without a value are in none."""

    def __init__(self, question: Quantiles) -> None:
        super().__init__(Bins(question.value, question.width), (), ())

    def partial(self) -> Any:  # noqa: D102
        return {key: group[0] for key, group in self.groups().items() if key is not None}


class TopFiller:
    """The best rows so far; a batch offers only those that could be among them."""

    def __init__(self, question: Top) -> None:
        self._question = question
        self._best: tuple[Any, ...] = ()
        self._rows = np.empty(0, np.int64)

    def update(self, batch: Batch, mask: Any) -> None:  # noqa: D102
        values, valid = batch.values(self._question.by)
        times, times_valid = batch.values(self._question.TIES[0])
        if len(self._rows) < batch.rows:
            self._rows = np.empty(batch.rows, np.int64)
        threshold, latest = self._threshold(values, valid, mask)
        found = kernels.candidates(values, valid, times, times_valid, mask, threshold, latest, self._rows)
        if found:
            rows = self._rows[:found]
            if found > 4 * self._question.k:
                rows = self._cut(rows, values, times, times_valid)
            columns = [batch.values(field) for field in self._question.fields()]
            taken = [_with_nulls(column[rows], ok[rows]) for column, ok in columns]
            self._best = self._question.merge(self._best, zip(*taken, strict=True))

    def _threshold(self, values: Any, valid: Any, mask: Any) -> tuple[float, int]:
        """What a row must reach to matter: its value, and for ties the latest pick-up."""
        k = self._question.k
        if len(self._best) == k:
            value, time = self._best[-1][:2]
            return value, kernels.LAST if time is None else time
        # The k-th best of a few trips is no better than that of all: enough to pass over most of the others.
        few = slice(0, max(4096, 4 * k))
        there = np.sort(values[few][(mask[few] & valid[few]) == 1])
        return (float(there[-k]) if len(there) >= k else -np.inf, kernels.LAST)

    def _cut(self, rows: Any, values: Any, times: Any, times_valid: Any) -> Any:
        """Fewer of the rows, all that tie with the k-th best in value and time included."""
        value = values[rows]
        time = np.where(times_valid[rows] == 1, times[rows], kernels.LAST)
        order = np.lexsort((time, -value))
        last = order[self._question.k - 1]
        return rows[(value > value[last]) | ((value == value[last]) & (time <= time[last]))]

    def partial(self) -> Any:  # noqa: D102
        return self._best


@filler.register
def _(question: Trips) -> Filler:
    return TripsFiller()


@filler.register
def _(question: Stats) -> Filler:
    return StatsFiller(question.value)


@filler.register
def _(question: Span) -> Filler:
    return SpanFiller(question.time)


@filler.register
def _(question: By) -> Filler:
    return ByFiller(question)


@filler.register
def _(question: Quantiles) -> Filler:
    return QuantilesFiller(question)


@filler.register
def _(question: Top) -> Filler:
    return TopFiller(question)


def fixed_point(x: float) -> int:
    """A number of 2^23 or more as a whole multiple of 2^-40: exact, because its last bit weighs at least 2^-29."""
    return (Fraction(x) * FIXED_POINT).numerator


def large_rows(values: Any, valid: Any, mask: Any) -> Any:
    """Where the numbers are that the compiled sums leave to Python."""
    return np.flatnonzero((mask & valid == 1) & (np.abs(values) >= kernels.LARGE))


def _groups(arrays: list[Any], key_of: Callable[[int], Any]) -> Groups:
    """Dense arrays [slot, (trips, count, high limb, low limb)], one a measure, as {key: (trips, (count, sum)...)}."""
    used = np.flatnonzero(arrays[0][:, 0])
    columns = [array[used].tolist() for array in arrays]
    groups: Groups = {}
    for at, slot in enumerate(used.tolist()):
        sums = ((c[at][1], (c[at][2] << 32) + c[at][3]) for c in columns)
        groups[key_of(slot)] = (columns[0][at][0], *sums)
    return groups


def _with_nulls(values: Any, valid: Any) -> list[Any]:
    return [x if there else None for x, there in zip(values.tolist(), valid.tolist(), strict=True)]
