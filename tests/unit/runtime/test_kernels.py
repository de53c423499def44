"""Each compiled loop beside the same in plain Python, at the borders of its types and between them."""

import math
from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jobs.runtime import kernels
from jobs.trips import Reason
from jobs.trips.rules import DAY_US
from tests.unit.runtime.drawn import JUST_BELOW_LARGE, NUMBERS, WHOLE

LEAST, GREATEST = -(2**63), 2**63 - 1
ANY_WHOLE = WHOLE | st.integers(LEAST, GREATEST)
ANY_NUMBER = NUMBERS | st.floats() | st.sampled_from([math.nan, math.inf, -math.inf])
SCALE = 2**40


def columns(
    values: st.SearchStrategy[Any], *others: st.SearchStrategy[Any]
) -> st.SearchStrategy[list[tuple[Any, ...]]]:
    """Rows of (value, valid, counts, and whatever else)."""
    flag = st.sampled_from([1, 1, 1, 0])
    return st.lists(st.tuples(values, flag, flag, *others), max_size=40)


def arrays(rows: list[tuple[Any, ...]], *dtypes: str) -> list[Any]:
    return [np.array([row[at] for row in rows], dtype) for at, dtype in enumerate(dtypes)]


def limbs(high: int, low: int) -> int:
    return (int(high) << 32) + int(low)


@given(bits=st.lists(st.booleans(), min_size=1, max_size=80), data=st.data())
def test_bits_become_bytes_from_any_offset(bits: list[bool], data: st.DataObject) -> None:
    offset = data.draw(st.integers(0, len(bits) - 1))
    out = np.empty(len(bits) - offset, np.uint8)
    kernels.unpack_bits(np.packbits(bits, bitorder="little"), offset, out)
    assert out.tolist() == bits[offset:]


@given(numbers=st.lists(ANY_NUMBER))
def test_counting_what_is_not_finite(numbers: list[float]) -> None:
    assert kernels.count_non_finite(np.array(numbers, "float64")) == sum(not math.isfinite(x) for x in numbers)


@given(numbers=st.lists(ANY_WHOLE), low=ANY_WHOLE, high=ANY_WHOLE)
def test_counting_what_is_outside(numbers: list[int], low: int, high: int) -> None:
    assert kernels.count_outside(np.array(numbers, "int64"), low, high) == sum(not low <= x <= high for x in numbers)


@given(numbers=st.lists(ANY_NUMBER | st.integers(-(2**53) - 2, 2**53 + 2).map(float)))
@example(numbers=[2.0**53, 2.0**53 - 1, -(2.0**53), 1 - 2.0**53, 2.0**63, -(2.0**63), 0.5, -0.0])
def test_numbers_become_whole_only_where_a_double_tells_them_from_their_neighbours(numbers: list[float]) -> None:
    out = np.empty(len(numbers), np.int64)
    unfit = kernels.whole_numbers(np.array(numbers, "float64"), out)
    fits = [math.isfinite(x) and abs(x) < 2**53 and x == int(x) for x in numbers]
    assert out.tolist() == [int(x) if fit else 0 for x, fit in zip(numbers, fits, strict=True)]
    assert unfit == fits.count(False)


@given(rows=columns(st.integers(-(2**61), 2**61), st.integers(-(2**61), 2**61)))
def test_durations(rows: list[tuple[Any, ...]]) -> None:
    start, start_valid, end_valid, end = arrays(rows, "int64", "uint8", "uint8", "int64")
    out, valid = np.empty(len(rows), np.int64), np.empty(len(rows), np.uint8)
    kernels.durations(start, start_valid, end, end_valid, out, valid)
    assert out.tolist() == [row[3] - row[0] for row in rows]
    assert valid.tolist() == [row[1] and row[2] for row in rows]
    kernels.wrap_durations(out, DAY_US)
    assert out.tolist() == [(row[3] - row[0]) % DAY_US for row in rows]


@given(rows=columns(NUMBERS), low=NUMBERS, high=NUMBERS)
def test_between(rows: list[tuple[Any, ...]], low: float, high: float) -> None:
    out = np.empty(len(rows), np.uint8)
    kernels.between(*arrays(rows, "float64", "uint8", "uint8"), low, high, out)
    assert out.tolist() == [int(valid and mask and low <= x <= high) for x, valid, mask in rows]


@given(rows=columns(ANY_WHOLE), size=st.integers(1, 266))
def test_slots_of_ids(rows: list[tuple[Any, ...]], size: int) -> None:
    out = np.empty(len(rows), np.int32)
    spilled = kernels.slots_of_ids(*arrays(rows, "int64", "uint8"), size, out)
    assert out.tolist() == [(x + 1 if 0 <= x < size else size + 1) if valid else 0 for x, valid, _ in rows]
    assert spilled == sum(valid and not 0 <= x < size for x, valid, _ in rows)


@given(rows=columns(ANY_WHOLE), first=st.integers(0, 2**50), step=st.integers(1, 2**37), size=st.integers(1, 9000))
@example(rows=[(99, 1, 1), (100, 1, 1), (109, 1, 1), (110, 1, 1), (129, 1, 1), (130, 1, 1)], first=100, step=10, size=3)
def test_slots_of_steps(rows: list[tuple[Any, ...]], first: int, step: int, size: int) -> None:
    out = np.empty(len(rows), np.int32)
    spilled = kernels.slots_of_steps(*arrays(rows, "int64", "uint8"), first, step, size, out)
    steps = [(x - first) // step for x, *_ in rows]
    assert out.tolist() == [
        (at + 1 if 0 <= at < size else size + 1) if row[1] else 0 for at, row in zip(steps, rows, strict=True)
    ]
    assert spilled == sum(row[1] and not 0 <= at < size for at, row in zip(steps, rows, strict=True))


@given(rows=columns(NUMBERS), width=st.sampled_from([0.1, 0.25, 0.5, 1.0, 10.0]), size=st.integers(1, 4096))
def test_slots_of_bins(rows: list[tuple[Any, ...]], width: float, size: int) -> None:
    out = np.empty(len(rows), np.int32)
    spilled = kernels.slots_of_bins(*arrays(rows, "float64", "uint8"), width, size, out)
    bins = [math.floor(x / width) for x, *_ in rows]
    assert out.tolist() == [
        (at + 1 if 0 <= at < size else size + 1) if row[1] else 0 for at, row in zip(bins, rows, strict=True)
    ]
    assert spilled == sum(row[1] and not 0 <= at < size for at, row in zip(bins, rows, strict=True))


def test_a_number_that_is_not_there_may_be_anything() -> None:
    """What stands where a value is null is chance: no loop may look at it."""
    chance = np.array([math.nan, math.inf, -math.inf, 1e308])
    nothing, everyone = np.zeros(4, np.uint8), np.ones(4, np.uint8)
    slots, sums, extremes = np.empty(4, np.int32), np.zeros(4, np.int64), np.array([math.inf, -math.inf])
    assert kernels.slots_of_bins(chance, nothing, 0.5, 10, slots) == 0
    assert slots.tolist() == [0] * 4
    assert kernels.number_stats(chance, nothing, everyone, sums, extremes) == 0
    assert (sums.tolist(), extremes.tolist()) == ([0] * 4, [math.inf, -math.inf])
    groups = np.zeros((12, 4), np.int64)
    assert kernels.sum_number_groups(slots, chance, nothing, everyone, groups) == 0
    assert groups[0].tolist() == [4, 0, 0, 0]
    places = np.empty(4, np.int64)
    assert kernels.candidates(chance, nothing, places, everyone, everyone, -math.inf, kernels.LAST, places) == 0


@given(rows=columns(ANY_WHOLE, st.integers(0, 4)))
def test_sums_of_whole_numbers_are_exact(rows: list[tuple[Any, ...]]) -> None:
    values, valid, mask, slots = arrays(rows, "int64", "uint8", "uint8", "int32")
    groups, sums = np.zeros((5, 4), np.int64), np.zeros(4, np.int64)
    extremes = np.array([GREATEST, LEAST], np.int64)
    assert kernels.sum_whole_groups(slots, values, valid, mask, groups) == 0
    assert kernels.whole_stats(values, valid, mask, sums, extremes) == 0
    for slot in range(5):
        mine = [row for row in rows if row[3] == slot and row[2]]
        trips, count, high, low = groups[slot]
        assert (trips, count) == (len(mine), sum(row[1] for row in mine))
        assert limbs(high, low) == sum(row[0] for row in mine if row[1])
    there = [row[0] for row in rows if row[1] and row[2]]
    assert (sums[1], limbs(sums[2], sums[3])) == (len(there), sum(there))
    assert extremes.tolist() == [min(there, default=GREATEST), max(there, default=LEAST)]


@given(rows=columns(NUMBERS, st.integers(0, 4)))
@example(
    rows=[(x, 1, 1, 1) for x in (2.0**23, -(2.0**23), JUST_BELOW_LARGE, -JUST_BELOW_LARGE, 2.0**-41, 3 * 2.0**-41)]
)
def test_sums_of_numbers_are_exact_to_the_fortieth_bit_and_large_ones_are_left(rows: list[tuple[Any, ...]]) -> None:
    values, valid, mask, slots = arrays(rows, "float64", "uint8", "uint8", "int32")
    groups, sums, extremes = np.zeros((5, 4), np.int64), np.zeros(4, np.int64), np.array([math.inf, -math.inf])
    large = kernels.sum_number_groups(slots, values, valid, mask, groups)
    assert large == kernels.number_stats(values, valid, mask, sums, extremes)
    there = [(row[0], row[3]) for row in rows if row[1] and row[2]]
    small = [(x, slot) for x, slot in there if abs(x) < 2**23]
    assert large == len(there) - len(small)
    for slot in range(5):
        _, count, high, low = groups[slot]
        mine = [Fraction(x) for x, at in small if at == slot]
        assert count == sum(at == slot for _, at in there)
        assert limbs(high, low) == sum(round(x * SCALE) for x in mine)
        assert abs(Fraction(limbs(high, low), SCALE) - sum(mine)) <= len(mine) * Fraction(1, 2**41)
    assert limbs(sums[2], sums[3]) == sum(round(Fraction(x) * SCALE) for x, _ in small)
    assert (sums[1], *extremes) == (
        len(there), min((x for x, _ in there), default=math.inf), max((x for x, _ in there), default=-math.inf)
    )  # fmt: skip


@given(rows=columns(ANY_WHOLE, st.integers(0, 4)))
def test_counting_by_group(rows: list[tuple[Any, ...]]) -> None:
    _, valid, mask, slots = arrays(rows, "int64", "uint8", "uint8", "int32")
    trips, values = np.zeros((5, 4), np.int64), np.zeros((5, 4), np.int64)
    kernels.count_groups(slots, mask, trips)
    kernels.count_valid_groups(slots, valid, mask, values)
    counted = Counter(row[3] for row in rows if row[2])
    assert trips[:, 0].tolist() == values[:, 0].tolist() == [counted[slot] for slot in range(5)]
    there = Counter(row[3] for row in rows if row[1] and row[2])
    assert values[:, 1].tolist() == [there[slot] for slot in range(5)]


@given(
    rows=columns(NUMBERS, st.integers(0, 3), st.sampled_from([1, 1, 0])),
    threshold=NUMBERS,
    latest=st.sampled_from([1, kernels.LAST]),
)
def test_candidates(rows: list[tuple[Any, ...]], threshold: float, latest: int) -> None:
    values, valid, mask, times, times_valid = arrays(rows, "float64", "uint8", "uint8", "int64", "uint8")
    out = np.empty(len(rows), np.int64)
    found = kernels.candidates(values, valid, times, times_valid, mask, threshold, latest, out)
    assert out[:found].tolist() == [
        at
        for at, (x, valid, mask, time, timed) in enumerate(rows)
        if valid and mask and (x > threshold or (x == threshold and (time if timed else kernels.LAST) <= latest))
    ]


GOOD = {"pickup": 100, "duration": 60, "distance": 2.5, "fare": 9.5, "zone": 48}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, Reason.KEPT),
        ({"duration": None, "pickup": 5, "fare": -1.0}, Reason.MISSING_TIME),
        ({"pickup": 49, "duration": 0}, Reason.MISDATED),
        ({"pickup": 50}, Reason.KEPT),
        ({"pickup": 149}, Reason.KEPT),
        ({"pickup": 150}, Reason.MISDATED),
        ({"duration": 0, "distance": None}, Reason.DURATION_NOT_POSITIVE),
        ({"duration": -1}, Reason.DURATION_NOT_POSITIVE),
        ({"duration": 1}, Reason.KEPT),
        ({"duration": DAY_US - 1}, Reason.KEPT),
        ({"duration": DAY_US, "fare": None}, Reason.DURATION_24H_OR_MORE),
        ({"distance": None, "fare": None}, Reason.DISTANCE_MISSING),
        ({"distance": -0.001, "fare": None}, Reason.DISTANCE_OUT_OF_RANGE),
        ({"distance": 0.0}, Reason.KEPT),
        ({"distance": -0.0}, Reason.KEPT),
        ({"distance": 200.0}, Reason.KEPT),
        ({"distance": math.nextafter(200.0, 201)}, Reason.DISTANCE_OUT_OF_RANGE),
        ({"fare": None, "zone": None}, Reason.FARE_MISSING),
        ({"fare": -5e-324, "zone": 0}, Reason.FARE_OUT_OF_RANGE),
        ({"fare": 2000.0}, Reason.KEPT),
        ({"fare": math.nextafter(2000.0, 2001)}, Reason.FARE_OUT_OF_RANGE),
        ({"zone": None}, Reason.ZONE_UNKNOWN),
        ({"zone": 0}, Reason.ZONE_UNKNOWN),
        ({"zone": 1}, Reason.KEPT),
        ({"zone": 265}, Reason.KEPT),
        ({"zone": 266}, Reason.ZONE_UNKNOWN),
    ],
)
def test_the_first_rule_that_a_trip_breaks_names_the_reason(changes: dict[str, Any], reason: Reason) -> None:
    trip = GOOD | changes

    def pair(name: str, dtype: str) -> tuple[Any, Any]:
        return np.array([trip[name] or 0], dtype), np.array([trip[name] is not None], np.uint8)

    reasons, keep, counts = np.empty(1, np.uint8), np.empty(1, np.uint8), np.zeros(len(Reason), np.int64)
    kernels.judge(
        pair("pickup", "int64")[0], *pair("duration", "int64"), *pair("distance", "float64"), *pair("fare", "float64"),
        *pair("zone", "int64"), (50, 150), (DAY_US, 200.0, 2000.0, 265), reasons, keep, counts,
    )  # fmt: skip
    assert reasons.tolist() == [reason]
    assert keep.tolist() == [reason is Reason.KEPT]
    assert counts.tolist() == [int(each is reason) for each in Reason]
