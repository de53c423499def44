"""The compiled loops: each goes once over a batch of at most 65,536 trips while it is in cache.

Conventions. `values` is int64 or float64; `valid` and `mask` are uint8, 1 where the value is there and where the trip
counts; `slots` is int32: 0 for null, 1..n for the known keys, n+1 for any other key ("spill"). All arrays are
contiguous and writable (numba compiles a second variant for read-only ones) and hold at least as many elements as the
first. Bounds are not checked in here: callers allocate.

Sums are two int64 limbs, so that order cannot matter: a whole number x adds x >> 32 and x & 0xffffffff; a number adds
rint(x * 2^40) in the same way where |x| < 2^23, and is left to the caller, who is told, where it is greater. With fewer
than 2^31 trips in a unit no limb can overflow.
"""

import contextlib
from typing import Any

import numba
import numpy as np
from numba.core.caching import FunctionCache
from numba.core.runtime import rtsys

SCALE = float(2**40)
LARGE = float(2**23)
LOW = 0xFFFFFFFF
LAST = 2**63 - 1


class _CodeCache(FunctionCache):
    """Numba's own cache, but for one thing: code that is there is loaded without loading all of the compiler first.

    That halves what the first call of a loop costs, which most short runs spend more time on than on their trips.
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        rtsys.initialize(target_context)
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)


def compiled(function: Any) -> Any:
    """Compile `function` on its first use, without the interpreter lock, and keep the machine code on disk."""
    dispatcher = numba.njit(nogil=True, boundscheck=False, error_model="numpy")(function)
    with contextlib.suppress(RuntimeError):  # nowhere to keep it: then it is compiled in every process
        dispatcher._cache = _CodeCache(function)
    return dispatcher


# ------------------------------------------------------------------------------------------------------ making arrays


@compiled
def unpack_bits(bitmap: Any, offset: int, out: Any) -> None:
    """Arrow's validity bitmap, from bit `offset` on, as bytes."""
    for i in range(len(out)):
        j = i + offset
        out[i] = (bitmap[j >> 3] >> (j & 7)) & 1


@compiled
def count_non_finite(values: Any) -> int:
    """How many of the numbers are NaN or infinite, null or not."""
    found = 0
    for i in range(len(values)):
        found += values[i] - values[i] != 0.0
    return found


@compiled
def count_outside(values: Any, low: int, high: int) -> int:
    """How many of the whole numbers lie outside [low, high], null or not."""
    found = 0
    for i in range(len(values)):
        found += (values[i] < low) | (values[i] > high)
    return found


@compiled
def whole_numbers(values: Any, out: Any) -> int:
    """Numbers as int64 where that loses nothing; returns how many do not fit, which are 0 in `out`."""
    unfit = 0
    for i in range(len(values)):
        x = values[i]
        fits = abs(x) < 9007199254740992.0
        whole = np.int64(x) if fits else np.int64(0)
        same = float(whole) == x
        unfit += not same
        out[i] = whole if same else 0
    return unfit


@compiled
def durations(start: Any, start_valid: Any, end: Any, end_valid: Any, out: Any, out_valid: Any) -> None:
    """Microseconds from one time to the other, as written."""
    for i in range(len(start)):
        out[i] = end[i] - start[i]
        out_valid[i] = start_valid[i] & end_valid[i]


@compiled
def wrap_durations(durations: Any, day: int) -> None:
    """Microseconds modulo a day, in place."""
    for i in range(len(durations)):
        durations[i] = durations[i] % day


@compiled
def judge(
    pickup: Any,
    duration: Any,
    duration_valid: Any,
    distance: Any,
    distance_valid: Any,
    fare: Any,
    fare_valid: Any,
    zone: Any,
    zone_valid: Any,
    window: tuple[int, int],
    limits: tuple[int, float, float, int],
    reasons: Any,
    keep: Any,
    counts: Any,
) -> None:
    """The first rule that each trip breaks (`Reason`, 0 for none), the trips kept, and the count of each reason.

    First whether any, without a branch; so few break one that the second look, at which, costs little.
    """
    since, until = window
    day, max_distance, max_fare, max_zone = limits
    kept = 0
    for i in range(len(pickup)):
        there = duration_valid[i] & distance_valid[i] & fare_valid[i] & zone_valid[i]
        timely = (pickup[i] >= since) & (pickup[i] < until) & (duration[i] > 0) & (duration[i] < day)
        driven = (distance[i] >= 0.0) & (distance[i] <= max_distance)
        paid = (fare[i] >= 0.0) & (fare[i] <= max_fare) & (zone[i] >= 1) & (zone[i] <= max_zone)
        good = (there != 0) & timely & driven & paid
        keep[i] = good
        kept += good
    counts[0] += kept
    for i in range(len(pickup)):
        reasons[i] = 0
        if keep[i]:
            continue
        reason = 9
        if not duration_valid[i]:
            reason = 1
        elif pickup[i] < since or pickup[i] >= until:
            reason = 2
        elif duration[i] <= 0:
            reason = 3
        elif duration[i] >= day:
            reason = 4
        elif not distance_valid[i]:
            reason = 5
        elif distance[i] < 0.0 or distance[i] > max_distance:
            reason = 6
        elif not fare_valid[i]:
            reason = 7
        elif fare[i] < 0.0 or fare[i] > max_fare:
            reason = 8
        reasons[i] = reason
        counts[reason] += 1


@compiled
def between(values: Any, valid: Any, mask: Any, low: float, high: float, out: Any) -> None:
    """The trips of `mask` whose value lies in [low, high]."""
    for i in range(len(values)):
        out[i] = mask[i] & valid[i] & (values[i] >= low) & (values[i] <= high)


# -------------------------------------------------------------------------------------------------------------- slots


@compiled
def slots_of_ids(values: Any, valid: Any, size: int, out: Any) -> int:
    """Slots of the ids 0..size-1; returns how many spill."""
    spilled = 0
    for i in range(len(values)):
        known = (values[i] >= 0) & (values[i] < size)
        slot = values[i] + 1 if known else size + 1
        out[i] = slot if valid[i] else 0
        spilled += valid[i] & (not known)
    return spilled


@compiled
def slots_of_steps(values: Any, valid: Any, first: int, step: int, size: int, out: Any) -> int:
    """Slots of whole numbers by steps: slot 1 begins at `first`; returns how many spill.

    Divides by multiplying, which vectorises; the quotient is off by one at most, and the remainder tells.
    """
    spilled = 0
    end = first + step * size
    inverse = 1.0 / step
    for i in range(len(values)):
        known = (values[i] >= first) & (values[i] < end)
        past = values[i] - first if known else 0
        quotient = np.int64(float(past) * inverse)
        rest = past - quotient * step
        quotient += np.int64(rest >= step) - np.int64(rest < 0)
        slot = quotient + 1 if known else size + 1
        out[i] = slot if valid[i] else 0
        spilled += valid[i] & (not known)
    return spilled


@compiled
def slots_of_bins(values: Any, valid: Any, width: float, size: int, out: Any) -> int:
    """Slots of numbers by bins of `width`: slot 1 begins at 0; returns how many spill."""
    spilled = 0
    for i in range(len(values)):
        edge = np.floor(values[i] / width)
        known = (edge >= 0.0) & (edge < size)
        slot = np.int64(edge) + 1 if known else size + 1
        out[i] = slot if valid[i] else 0
        spilled += valid[i] & (not known)
    return spilled


# --------------------------------------------------------------------------------------------------------- aggregates


@compiled
def count_groups(slots: Any, mask: Any, groups: Any) -> None:
    """Trips of each slot, into groups[slot, 0]."""
    for i in range(len(slots)):
        groups[slots[i], 0] += mask[i]


@compiled
def count_valid_groups(slots: Any, valid: Any, mask: Any, groups: Any) -> None:
    """Trips of each slot, and those of them whose value is there, into groups[slot, 0:2]."""
    for i in range(len(slots)):
        groups[slots[i], 0] += mask[i]
        groups[slots[i], 1] += mask[i] & valid[i]


@compiled
def sum_whole_groups(slots: Any, values: Any, valid: Any, mask: Any, groups: Any) -> int:
    """Trips, values and the limbs of their sum, into groups[slot, 0:4]."""
    for i in range(len(slots)):
        if mask[i]:
            slot = slots[i]
            groups[slot, 0] += 1
            if valid[i]:
                groups[slot, 1] += 1
                groups[slot, 2] += values[i] >> 32
                groups[slot, 3] += values[i] & LOW
    return 0


@compiled
def sum_number_groups(slots: Any, values: Any, valid: Any, mask: Any, groups: Any) -> int:
    """The same of numbers; returns how many were too large and are counted but not summed."""
    large = 0
    for i in range(len(slots)):
        if mask[i]:
            slot = slots[i]
            groups[slot, 0] += 1
            if valid[i]:
                groups[slot, 1] += 1
                x = values[i]
                if abs(x) < LARGE:
                    fixed = np.int64(np.rint(x * SCALE))
                    groups[slot, 2] += fixed >> 32
                    groups[slot, 3] += fixed & LOW
                else:
                    large += 1
    return large


@compiled
def whole_stats(values: Any, valid: Any, mask: Any, sums: Any, extremes: Any) -> int:
    """Count and limbs of the sum into sums[1:4], least and greatest into extremes[0:2]."""
    count, high, low = 0, 0, 0
    least, greatest = extremes[0], extremes[1]
    for i in range(len(values)):
        if mask[i] & valid[i]:
            x = values[i]
            least = min(least, x)
            greatest = max(greatest, x)
            high += x >> 32
            low += x & LOW
            count += 1
    sums[1] += count
    sums[2] += high
    sums[3] += low
    extremes[0], extremes[1] = least, greatest
    return 0


@compiled
def number_stats(values: Any, valid: Any, mask: Any, sums: Any, extremes: Any) -> int:
    """The same of numbers; returns how many were too large and are counted but not summed."""
    count, large = 0, 0
    high: Any = 0
    low: Any = 0
    least, greatest = extremes[0], extremes[1]
    for i in range(len(values)):
        if mask[i] & valid[i]:
            x = values[i]
            least = min(least, x)
            greatest = max(greatest, x)
            if abs(x) < LARGE:
                fixed = np.int64(np.rint(x * SCALE))
                high += fixed >> 32
                low += fixed & LOW
            else:
                large += 1
            count += 1
    sums[1] += count
    sums[2] += high
    sums[3] += low
    extremes[0], extremes[1] = least, greatest
    return large


@compiled
def candidates(
    values: Any, valid: Any, times: Any, times_valid: Any, mask: Any, threshold: float, latest: int, out: Any
) -> int:
    """Where the trips are that may be among the greatest, ties at the threshold up to `latest`; returns how many.

    A missing time counts as the last; a trip without a value is not among the greatest.
    """
    found = 0
    for i in range(len(values)):
        if mask[i] & valid[i]:
            x = values[i]
            if x > threshold or (x == threshold and (times[i] if times_valid[i] else LAST) <= latest):
                out[found] = i
                found += 1
    return found
