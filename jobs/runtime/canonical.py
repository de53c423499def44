"""Arrow columns of any type that TLC has used, as canonical int64 or float64 arrays with validity bytes.

A cast loses nothing, or the value becomes null and is counted: NaN and infinities as `non_finite`, anything else that
has no exact canonical form (a fraction of a passenger, a time past the year 9999) as `uncastable`. A column whose very
type has no such form for any value raises UnfitTypeError.
"""

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from jobs.runtime import kernels
from jobs.runtime.texts import is_text, parse
from jobs.trips.columns import Column, Kind

BATCH_ROWS = 65_536

# One array says "nothing is null" for every column that has no null, and stays in cache for doing so.
ALL_VALID = np.ones(BATCH_ROWS, np.uint8)

# The years 1 to 9999, what a calendar can print, in microseconds since 1970.
FIRST_TIME, LAST_TIME = -62_135_596_800_000_000, 253_402_300_799_999_999

_UTC = frozenset({None, "UTC", "Etc/UTC", "+00:00"})  # zones in which the instant is the wall clock

_PER_MICROSECOND = {"s": 1_000_000, "ms": 1_000, "us": 1}


_ALLOWED = {
    Kind.INTEGER: "a whole number; allowed: integers, floating-point numbers, decimals, booleans, text",
    Kind.NUMBER: "a number; allowed: integers, floating-point numbers, decimals, text",
    Kind.TIME: "a time; allowed: timestamps, dates, text",
    Kind.FLAG: "a flag; allowed: anything but lists, maps and structs",
}


class UnfitTypeError(ValueError):
    """Raised for an array of a type in which its column cannot be told; says which, as a predicate."""


class Scratch:
    """Arrays of one batch that are used again for the next, so that no page is ever fetched anew."""

    def __init__(self) -> None:
        self._arrays: dict[tuple[Any, str], Any] = {}

    def array(self, name: Any, dtype: str, rows: int) -> Any:
        """An uninitialised array of `rows` elements that belongs to `name`."""
        key = (name, dtype)
        if key not in self._arrays:
            self._arrays[key] = np.empty(BATCH_ROWS, dtype)
        return self._arrays[key][:rows]


@dataclass
class Loaded:
    """A canonical column of one batch: values (None for a flag), validity, and what was lost in the cast."""

    values: Any
    valid: Any
    nulls: int = 0  # everything that is not there, what was lost included
    non_finite: int = 0
    uncastable: int = 0


def absent(column: Column, rows: int, scratch: Scratch) -> Loaded:
    """The column of a file that does not have it: all null."""
    valid = scratch.array((column.name, "absent"), "uint8", rows)
    valid[:] = 0
    values = scratch.array((column.name, "absent"), _dtype(column.kind), rows)
    values[:] = 0
    return Loaded(values, valid, nulls=rows)


def load(column: Column, array: Any, scratch: Scratch) -> Loaded:
    """`array`, an Arrow array of at most BATCH_ROWS rows, as the canonical `column`. Raises UnfitTypeError."""
    if pa.types.is_null(array.type):
        return absent(column, len(array), scratch)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if column.kind is Kind.FLAG:
        if pa.types.is_nested(array.type):
            _refuse(column, array)
        return Loaded(None, _valid(column, array, scratch), nulls=array.null_count)
    parsed = None
    if is_text(array.type):
        parsed = parse(column, array)
        array = parsed.values
    loaded = _CASTS[column.kind](column, array, _valid(column, array, scratch), scratch)
    loaded.nulls = array.null_count + loaded.non_finite + loaded.uncastable
    if parsed is not None:
        loaded.uncastable += int(np.count_nonzero(parsed.uncastable | parsed.meaningless))
        loaded.non_finite += int(np.count_nonzero(parsed.non_finite))
    return loaded


# -------------------------------------------------------------------------------------------------------------- casts


def _whole(column: Column, array: Any, valid: Any, scratch: Scratch) -> Loaded:
    kind = array.type
    if pa.types.is_float16(kind) or pa.types.is_float32(kind):
        array = array.cast(pa.float64(), safe=False)
        kind = array.type
    if pa.types.is_boolean(kind):
        array = array.cast(pa.int8())
        kind = array.type
    if pa.types.is_float64(kind):
        return _whole_from_numbers(column, _view(array, "float64"), valid, scratch)
    if not pa.types.is_integer(kind):
        return _nothing(column, array, valid, scratch)
    if kind == pa.int64():
        return Loaded(_view(array, "int64"), valid)
    raw = _view(array, str(kind.to_pandas_dtype().__name__))
    values = scratch.array(column.name, "int64", len(array))
    np.copyto(values, raw, casting="unsafe")
    unfit = (raw > np.uint64(kernels.LAST)) if kind == pa.uint64() else None
    return _drop(Loaded(values, valid), unfit, column, scratch)


def _whole_from_numbers(column: Column, raw: Any, valid: Any, scratch: Scratch) -> Loaded:
    values = scratch.array(column.name, "int64", len(raw))
    unfit = kernels.whole_numbers(raw, values)
    loaded = Loaded(values, valid)
    if unfit:
        finite = np.isfinite(raw)
        loaded = _drop(loaded, ~finite, column, scratch, non_finite=True)
        loaded = _drop(loaded, finite & (values != raw), column, scratch)
    return loaded


def _number(column: Column, array: Any, valid: Any, scratch: Scratch) -> Loaded:
    kind = array.type
    if pa.types.is_float16(kind):
        array = array.cast(pa.float64(), safe=False)
        kind = array.type
    inexact = None
    if pa.types.is_float64(kind):
        values = _view(array, "float64")
    elif pa.types.is_float32(kind) or (pa.types.is_integer(kind)):
        raw = _view(array, str(kind.to_pandas_dtype().__name__))
        values = scratch.array(column.name, "float64", len(array))
        np.copyto(values, raw, casting="unsafe")
        if kind.bit_width == 64:
            with np.errstate(invalid="ignore"):  # what casting back makes of 2^63 and more does not matter
                inexact = (np.abs(values) >= 2.0**63) | (values.astype("int64").astype(raw.dtype) != raw)
    else:
        return _nothing(column, array, valid, scratch)
    loaded = _drop(Loaded(values, valid), inexact, column, scratch)
    if kernels.count_non_finite(values):
        loaded = _drop(loaded, ~np.isfinite(values), column, scratch, non_finite=True)
    return loaded


def _time(column: Column, array: Any, valid: Any, scratch: Scratch) -> Loaded:
    kind = array.type
    if pa.types.is_date(kind):
        array = array.cast(pa.timestamp("s" if pa.types.is_date32(kind) else "ms"))
        kind = array.type
    if not pa.types.is_timestamp(kind):
        return _nothing(column, array, valid, scratch)
    raw = _view(array, "int64")
    if kind.unit == "ns":
        values = scratch.array(column.name, "int64", len(array))
        np.floor_divide(raw, 1000, out=values)
        exact = _drop(Loaded(values, valid), values * 1000 != raw, column, scratch)
        return _on_the_wall(exact, kind.tz, column, scratch)
    factor = _PER_MICROSECOND[kind.unit]
    values = raw
    if factor > 1:
        values = scratch.array(column.name, "int64", len(array))
        np.multiply(raw, factor, out=values)
    low, high = -(-FIRST_TIME // factor), LAST_TIME // factor
    within = _drop(Loaded(values, valid), _outside(raw, low, high), column, scratch)
    return _on_the_wall(within, kind.tz, column, scratch)


def _on_the_wall(loaded: Loaded, zone: str | None, column: Column, scratch: Scratch) -> Loaded:
    """Instants (a timestamp with a zone counts from 1970 in UTC) as what a clock on the wall in that zone shows."""
    if zone in _UTC:
        return loaded
    import pyarrow.compute as pc  # takes a while, and few files need it

    instants = pa.array(loaded.values, mask=loaded.valid == 0).view(pa.timestamp("us", zone))
    try:
        shown = pc.local_timestamp(instants).view(pa.int64()).fill_null(0)
    except pa.ArrowInvalid as error:
        raise UnfitTypeError(f"is in a time zone that is not known here: {str(error).splitlines()[0]}") from error
    values = scratch.array((column.name, "wall"), "int64", len(shown))
    np.copyto(values, shown.to_numpy())
    lost = loaded.uncastable
    loaded = _drop(Loaded(values, loaded.valid), _outside(values, FIRST_TIME, LAST_TIME), column, scratch)
    loaded.uncastable += lost
    return loaded


def _outside(values: Any, low: int, high: int) -> Any:
    """Which values lie outside [low, high]; None where none does."""
    return (values < low) | (values > high) if kernels.count_outside(values, low, high) else None


def _nothing(column: Column, array: Any, _valid: Any, scratch: Scratch) -> Loaded:
    """A type that can hold no value of this column: only its nulls can be had."""
    _refuse(column, array)
    return absent(column, len(array), scratch)


def _refuse(column: Column, array: Any) -> None:
    """Raise UnfitTypeError if anything is there."""
    if array.null_count < len(array):
        raise UnfitTypeError(f"is of the type {array.type}, of which no value is {_ALLOWED[column.kind]}")


_CASTS = {Kind.INTEGER: _whole, Kind.NUMBER: _number, Kind.TIME: _time}


def _drop(loaded: Loaded, unfit: Any, column: Column, scratch: Scratch, *, non_finite: bool = False) -> Loaded:
    """Make the valid rows among `unfit` null, and count them."""
    if unfit is None:
        return loaded
    lost = int(np.count_nonzero(loaded.valid & unfit))
    if lost:
        valid = scratch.array((column.name, "lossy"), "uint8", len(unfit))
        np.copyto(valid, loaded.valid & ~unfit)
        values = scratch.array((column.name, "lossy"), str(loaded.values.dtype), len(unfit))
        np.copyto(values, loaded.values)
        values[unfit] = 0  # no kernel should meet a NaN, not even where it does not count
        loaded.values, loaded.valid = values, valid
        if non_finite:
            loaded.non_finite += lost
        else:
            loaded.uncastable += lost
    return loaded


# ------------------------------------------------------------------------------------------------------------ buffers


def _dtype(kind: Kind) -> str:
    return "float64" if kind is Kind.NUMBER else "int64"


def _view(array: Any, dtype: str) -> Any:
    """The values of an Arrow array as they lie in memory, nulls as whatever stands there.

    Marked writable, although nobody writes: numba compiles a second variant of every loop for read-only arrays.
    """
    width = np.dtype(dtype).itemsize
    if not len(array):
        return np.empty(0, dtype)
    buffer = array.buffers()[1]
    memory: Any = (ctypes.c_char * (len(array) * width)).from_address(buffer.address + array.offset * width)
    view = np.frombuffer(memory, dtype)
    memory._arrow = buffer  # the view keeps the memory, and the memory its owner
    return view


def _valid(column: Column, array: Any, scratch: Scratch) -> Any:
    rows = len(array)
    if not array.null_count:
        return ALL_VALID[:rows]
    out = scratch.array((column.name, "valid"), "uint8", rows)
    bitmap = np.frombuffer(array.buffers()[0], np.uint8)
    kernels.unpack_bits(bitmap, array.offset, out)
    return out
