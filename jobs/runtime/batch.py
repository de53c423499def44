"""A batch of trips: canonical columns, and whatever is derived from them, each computed once."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jobs.questions.values import MICROSECONDS, Bins, Day, Elapsed, Key, Value, is_whole
from jobs.runtime import kernels
from jobs.runtime.canonical import ALL_VALID, Scratch
from jobs.trips.columns import PICKUP
from jobs.trips.rules import DAY_US, MAX_DISTANCE, MAX_FARE, MAX_ZONE

Pair = tuple[Any, Any]  # values, valid

# How many keys have a slot of their own; any other key is aggregated exactly all the same, only slower.
IDS = 266  # every zone, vendor, rate code and payment type that TLC has defined
FIRST_DAY, DAYS = 14_245, 9_861  # 2009-01-01 to 2035-12-31, in days since 1970
BINS = 4_096

_GREATEST = np.finfo(np.float64).max
_LIMITS = (DAY_US, MAX_DISTANCE, MAX_FARE, MAX_ZONE)


class Batch:
    """At most 65,536 trips as {column: (values, valid)}; derived values and slots are made when first asked for."""

    def __init__(self, columns: Mapping[str, Pair], rows: int, scratch: Scratch) -> None:
        self.rows = rows
        self.columns = columns
        self._scratch = scratch
        self._values: dict[Value, Pair] = {}
        self._slots: dict[Key, tuple[Any, int]] = {}

    @property
    def everyone(self) -> Any:
        """The mask of all trips of the batch."""
        return ALL_VALID[: self.rows]

    def values(self, value: Value) -> Pair:
        """Values and validity of a column or of a derived value (durations in microseconds)."""
        if isinstance(value, str):
            return self.columns[value]
        if value not in self._values:
            self._values[value] = self._elapsed(value)
        return self._values[value]

    def _elapsed(self, value: Elapsed) -> Pair:
        out = self._scratch.array(value, "int64", self.rows)
        valid = self._scratch.array(value, "uint8", self.rows)
        kernels.durations(*self.values(value.start), *self.values(value.end), out, valid)
        if value.wrapped:
            kernels.wrap_durations(out, DAY_US)
        return out, valid

    def slots(self, key: Key) -> tuple[Any, int]:
        """The slot of each trip under `key`, and how many trips spill (are not null and have no slot of their own)."""
        if key not in self._slots:
            out = self._scratch.array(key, "int32", self.rows)
            self._slots[key] = (out, self._fill_slots(key, out))
        return self._slots[key]

    def _fill_slots(self, key: Key, out: Any) -> int:
        match key:
            case Day(time):
                return int(kernels.slots_of_steps(*self.values(time), FIRST_DAY * DAY_US, DAY_US, slots_of(key), out))
            case Bins(value, width) if is_whole(value):
                return int(kernels.slots_of_steps(*self.values(value), 0, step_of(key), slots_of(key), out))
            case Bins(value, width):
                return int(kernels.slots_of_bins(*self.values(value), width, slots_of(key), out))
            case _:
                return int(kernels.slots_of_ids(*self.values(key), slots_of(key), out))

    def keys_at(self, key: Key, rows: Any) -> Any:
        """The keys themselves (int64; floating for bins beyond int64) of the trips at `rows`, none of them null."""
        value = key if isinstance(key, str) else key.time if isinstance(key, Day) else key.value
        values = self.values(value)[0][rows]
        if isinstance(key, str):
            return values
        if isinstance(key, Bins) and not is_whole(key.value):
            return np.floor(np.clip(values / key.width, -_GREATEST, _GREATEST))
        return values // step_of(key)

    def judge(self, window: tuple[int, int], counts: Any) -> Pair:
        """The `Reason` of each trip and the mask of those kept; `counts` (int64 per reason) is added to."""
        reasons = self._scratch.array("reason", "uint8", self.rows)
        keep = self._scratch.array("keep", "uint8", self.rows)
        columns = [*self.values(Elapsed())]
        for name in ("trip_distance", "fare_amount", "PULocationID"):
            columns += self.values(name)
        kernels.judge(self.values(PICKUP)[0], *columns, window, _LIMITS, reasons, keep, counts)
        return reasons, keep

    def among(self, value: Value, low: float, high: float, mask: Any) -> Any:
        """The trips of `mask` whose value, in its own unit, lies in [low, high]."""
        out = self._scratch.array(("among", value, low, high), "uint8", self.rows)
        values, valid = self.values(value)
        scale = MICROSECONDS if isinstance(value, Elapsed) else 1
        kernels.between(values, valid, mask, low * scale, high * scale, out)
        return out

    def take(self, rows: Any, scratch: Scratch) -> "Batch":
        """The trips at `rows` as a batch of their own."""
        columns = {
            name: (None if values is None else values[rows], valid[rows])
            for name, (values, valid) in self.columns.items()
        }
        return Batch(columns, len(rows), scratch)


def step_of(key: Day | Bins) -> int:
    """The width of a day or of a bin of whole values, in the integers that the values are."""
    if isinstance(key, Day):
        return DAY_US
    return round(key.width * (MICROSECONDS if isinstance(key.value, Elapsed) else 1))


def slots_of(key: Key) -> int:
    """How many keys have a slot of their own."""
    return IDS if isinstance(key, str) else DAYS if isinstance(key, Day) else BINS


def key_of_slot(key: Key, slot: int) -> int | None:
    """The key that a slot stands for: 0 is null."""
    if slot == 0:
        return None
    return slot - 1 + (FIRST_DAY if isinstance(key, Day) else 0)
