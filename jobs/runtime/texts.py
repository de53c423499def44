"""Columns of text as canonical values: CSV read patiently, and Parquet that holds numbers and times as text."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

import numpy as np
import pyarrow as pa

from jobs.questions.printing import EPOCH
from jobs.trips.columns import CODES, Column, Kind

_AMERICAN_TIME = "%m/%d/%Y %I:%M:%S %p"


@dataclass(frozen=True)
class Parsed:
    """Text as Arrow values, null where there are none, and a bool per row for each way of having none but emptiness."""

    values: Any
    meaningless: Any
    uncastable: Any
    non_finite: Any


class _Lack(Enum):
    """Why a text that is not empty gives no value."""

    MEANINGLESS = 1
    UNCASTABLE = 2
    NON_FINITE = 3


def is_text(kind: Any) -> bool:
    """Decimals count as text: Arrow's own cast of them to numbers is off in the last place."""
    return any(
        test(kind)
        for test in (
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_binary,
            pa.types.is_large_binary,
            pa.types.is_string_view,
            pa.types.is_binary_view,
            pa.types.is_fixed_size_binary,
            pa.types.is_decimal,
        )
    )


def parse(column: Column, array: Any) -> Parsed:
    """Text as values of the column. Each distinct text is looked at once; an empty one is null, as in a CSV."""
    decimal = pa.types.is_decimal(array.type)
    if decimal:
        array = array.cast(pa.string())
    encoded = array.cast(pa.large_binary()).dictionary_encode()
    texts = [_plain(column, text) for text in encoded.dictionary.to_pylist()]
    found = _whole_decimals(texts) if decimal and column.kind is Kind.INTEGER else _PARSERS[column.kind](texts)
    values = pa.array([None if isinstance(v, _Lack) else v for v in found], _ARROW[column.kind]).take(encoded.indices)
    # A null row has no index; it gets that of a last, unremarkable text.
    rows = encoded.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)
    lacks = (np.array([*(v is lack for v in found), False])[rows] for lack in _Lack)
    return Parsed(values, *lacks)


def _plain(column: Column, text: bytes) -> str:
    """The text without spaces around it; a word that TLC once used for a number, as the number."""
    plain = text.decode("utf-8", "replace").strip(" \t")
    if not plain and text:
        return "\ufffd"  # spaces are not nothing, and no value either
    return str(CODES.get(column.name, {}).get(plain.lower(), plain))


def _as_numbers(texts: Sequence[str]) -> list[Any]:
    return _or_meaningless(texts, _cast_texts(texts, pa.float64()))


def _as_times(texts: Sequence[str]) -> list[Any]:
    return _or_meaningless(texts, _cast_texts(texts, pa.timestamp("us")))


def _as_whole_numbers(texts: Sequence[str]) -> list[Any]:
    """Digits exactly as far as 64 bits go; other numbers where they are whole and a double holds them exactly."""
    numbers = _as_numbers(texts)
    for at, (text, number) in enumerate(zip(texts, numbers, strict=True)):
        if isinstance(number, float):
            numbers[at] = _as_whole(text, number)
    return numbers


def _as_whole(text: str, number: float) -> int | _Lack:
    if not math.isfinite(number):
        return _Lack.NON_FINITE
    digits = text.removeprefix("-")
    whole = int(text) if digits.isascii() and digits.isdigit() and len(digits) < 30 else None
    if whole is None and number.is_integer() and abs(number) < 2.0**53:
        whole = int(number)
    return whole if whole is not None and -(2**63) <= whole < 2**63 else _Lack.UNCASTABLE


def _whole_decimals(texts: Sequence[str]) -> list[Any]:
    """Decimals as whole numbers: they are exact, and a double would round some of them to whole ones."""
    exact = (Decimal(text) for text in texts)
    return [
        int(value) if value == value.to_integral_value() and -(2**63) <= value < 2**63 else _Lack.UNCASTABLE
        for value in exact
    ]


def _or_meaningless(texts: Sequence[str], values: Sequence[Any]) -> list[Any]:
    """What has no value and is not empty means nothing."""
    return [_Lack.MEANINGLESS if v is None and text else v for text, v in zip(texts, values, strict=True)]


def _cast_texts(texts: Sequence[str], target: Any) -> list[Any]:
    """Each text as a value of the Arrow type `target` (times as integers), None where it is not one.

    Halves what does not cast as a whole, so that a few bad texts among many cost little.
    """
    if not texts:
        return []
    try:
        cast = pa.array(texts, pa.string()).cast(target)
        return list((cast.cast(pa.int64()) if pa.types.is_timestamp(target) else cast).to_pylist())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        pass
    if len(texts) > 1:
        half = len(texts) // 2
        return _cast_texts(texts[:half], target) + _cast_texts(texts[half:], target)
    if pa.types.is_timestamp(target):
        return [_american_time(texts[0])]
    return [None]


def _american_time(text: str) -> int | None:
    """Microseconds since 1970, or None. Not by Arrow, which makes the 2nd of March of a 30th of February."""
    try:
        moment = datetime.strptime(text, _AMERICAN_TIME).replace(tzinfo=UTC) if text.isascii() else None
    except ValueError:
        return None
    return None if moment is None else (moment - EPOCH) // timedelta(microseconds=1)


_PARSERS = {Kind.INTEGER: _as_whole_numbers, Kind.NUMBER: _as_numbers, Kind.TIME: _as_times}
_ARROW = {Kind.INTEGER: pa.int64(), Kind.NUMBER: pa.float64(), Kind.TIME: pa.timestamp("us")}


def meaningless(column: Column, texts: Any) -> list[int]:
    """The rows of an Arrow array of text that mean no value of `column`; an empty text means null."""
    return [int(row) for row in np.flatnonzero(parse(column, texts).meaningless)]
