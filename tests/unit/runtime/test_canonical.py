"""Every Arrow type becomes canonical without loss, or what is lost is null and counted."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.runtime import canonical
from jobs.runtime.canonical import FIRST_TIME, LAST_TIME, Scratch, UnfitTypeError, load
from jobs.trips import COLUMNS, PICKUP, Column

COLUMN = {column.name: column for column in COLUMNS}
VENDOR, DISTANCE, TIME = COLUMN["VendorID"], COLUMN["trip_distance"], COLUMN[PICKUP]
FLAG = COLUMN["store_and_fwd_flag"]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNCASTABLE, NON_FINITE = "uncastable", "non_finite"

Meaning = Callable[[Any], Any]  # a value's canonical form, or why it has none


def whole(value: Any) -> Any:
    return int(value) if -(2**63) <= value < 2**63 else UNCASTABLE


def whole_of_float(value: float) -> Any:
    if not math.isfinite(value):
        return NON_FINITE
    return int(value) if value == int(value) and abs(value) < 2**53 else UNCASTABLE


def number_of_whole(value: int) -> Any:
    return float(value) if int(float(value)) == value and abs(value) < 2**63 else UNCASTABLE


def number(value: float) -> Any:
    return value if math.isfinite(value) else NON_FINITE


def moment(microseconds: int) -> Any:
    return microseconds if FIRST_TIME <= microseconds <= LAST_TIME else UNCASTABLE


def wall(zone: str) -> Meaning:
    """What a clock on the wall shows, by Python's own rules of the zone; beyond its calendar nothing."""

    def shown(microseconds: int) -> Any:
        if moment(microseconds) is UNCASTABLE:
            return UNCASTABLE
        try:
            there = (EPOCH + timedelta(microseconds=microseconds)).astimezone(ZoneInfo(zone))
        except OverflowError:
            return UNCASTABLE
        if there.year > 2037:  # Arrow knows no summer time from then on
            there -= there.dst() or timedelta()
        return (there.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)

    return shown


def whole_of_decimal(value: Decimal) -> Any:
    return whole(value) if value == value.to_integral_value() else UNCASTABLE


def integers(bits: int, signed: bool = True) -> st.SearchStrategy[int]:
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    borders = [
        x for x in (2**53 - 1, 2**53, 2**53 + 1, -(2**53) - 1, 2**63, 2**63 - 513, low, high) if low <= x <= high
    ]
    return st.integers(low, high) | st.integers(0, 9) | st.sampled_from(borders)


FLOATS = st.floats() | st.sampled_from([1.0, 2.0, -0.0, 2.0**53, 2.0**53 - 1, 1.5, math.nan, math.inf, 5e-324, 1e300])
FLOATS_32 = st.floats(width=32) | st.sampled_from([1.0, 0.5, math.nan])
FLOATS_16 = st.floats(width=16)
DECIMALS = st.decimals(
    allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=2
) | st.sampled_from([Decimal("1.00"), Decimal("0.10"), Decimal("9007199254740993.00")])
SECONDS = (
    st.integers(-(2**62), 2**62)
    | st.integers(0, 2 * 10**9)
    | st.sampled_from([FIRST_TIME // 10**6, FIRST_TIME // 10**6 - 1, LAST_TIME // 10**6, LAST_TIME // 10**6 + 1])
)
MICROSECONDS = (
    st.integers(-(2**63), 2**63 - 1)
    | st.integers(0, 2 * 10**15)
    | st.sampled_from([FIRST_TIME, FIRST_TIME - 1, LAST_TIME, LAST_TIME + 1])
)
NANOSECONDS = (
    st.integers(-(2**63), 2**63 - 1) | st.integers(0, 10**12).map(lambda x: x * 1000) | st.sampled_from([-1, 999, 1000])
)
DAYS = st.integers(-(2**31), 2**31 - 1) | st.integers(0, 30_000)

TYPES: dict[str, tuple[Column, Any, st.SearchStrategy[Any], Meaning]] = {
    **{f"int{n} for a whole number": (VENDOR, getattr(pa, f"int{n}")(), integers(n), whole) for n in (8, 16, 32, 64)},
    **{
        f"uint{n} for a whole number": (VENDOR, getattr(pa, f"uint{n}")(), integers(n, False), whole)
        for n in (8, 16, 32, 64)
    },
    **{
        f"int{n} for a number": (DISTANCE, getattr(pa, f"int{n}")(), integers(n), number_of_whole)
        for n in (8, 16, 32, 64)
    },
    **{
        f"uint{n} for a number": (DISTANCE, getattr(pa, f"uint{n}")(), integers(n, False), number_of_whole)
        for n in (8, 16, 32, 64)
    },
    "float64 for a whole number": (VENDOR, pa.float64(), FLOATS, whole_of_float),
    "float32 for a whole number": (VENDOR, pa.float32(), FLOATS_32, whole_of_float),
    "float16 for a whole number": (VENDOR, pa.float16(), FLOATS_16, whole_of_float),
    "float64 for a number": (DISTANCE, pa.float64(), FLOATS, number),
    "float32 for a number": (DISTANCE, pa.float32(), FLOATS_32, number),
    "float16 for a number": (DISTANCE, pa.float16(), FLOATS_16, number),
    "decimal for a number": (DISTANCE, pa.decimal128(25, 2), DECIMALS, float),
    "decimal for a whole number": (VENDOR, pa.decimal128(25, 2), DECIMALS, whole_of_decimal),
    "decimal without a point for a whole number": (VENDOR, pa.decimal128(25, 0), integers(70).map(Decimal), whole),
    "bool for a whole number": (VENDOR, pa.bool_(), st.booleans(), int),
    "seconds": (TIME, pa.timestamp("s"), SECONDS, lambda x: moment(x * 10**6)),
    "milliseconds": (TIME, pa.timestamp("ms"), SECONDS, lambda x: moment(x * 10**3)),
    "microseconds": (TIME, pa.timestamp("us"), MICROSECONDS, moment),
    "microseconds in UTC": (TIME, pa.timestamp("us", "UTC"), MICROSECONDS, moment),
    "microseconds in a zone": (TIME, pa.timestamp("us", "America/New_York"), MICROSECONDS, wall("America/New_York")),
    "seconds east of UTC": (TIME, pa.timestamp("s", "Asia/Tokyo"), SECONDS, lambda x: wall("Asia/Tokyo")(x * 10**6)),
    "nanoseconds in a zone": (
        TIME,
        pa.timestamp("ns", "America/New_York"),
        NANOSECONDS,
        lambda x: wall("America/New_York")(x // 1000) if x % 1000 == 0 else UNCASTABLE,
    ),
    "nanoseconds": (TIME, pa.timestamp("ns"), NANOSECONDS, lambda x: x // 1000 if x % 1000 == 0 else UNCASTABLE),
    "days": (TIME, pa.date32(), DAYS, lambda x: moment(x * 86_400 * 10**6)),
    "days in milliseconds": (TIME, pa.date64(), DAYS.map(lambda x: x * 86_400_000), lambda x: moment(x * 1000)),
}


def canonical_values(column: Column, array: Any) -> tuple[list[Any], canonical.Loaded]:
    loaded = load(column, array, Scratch())
    assert loaded.valid.dtype == np.uint8
    values = loaded.values.tolist()
    return [x if there else None for x, there in zip(values, loaded.valid.tolist(), strict=True)], loaded


@pytest.mark.parametrize(("column", "kind", "values", "meaning"), TYPES.values(), ids=TYPES)
@settings(max_examples=30)
@given(data=st.data())
def test_types(
    column: Column, kind: Any, values: st.SearchStrategy[Any], meaning: Meaning, data: st.DataObject
) -> None:
    drawn = data.draw(st.lists(st.none() | values | values, max_size=30))
    before = data.draw(st.lists(st.none() | values, max_size=9))
    array = pa.array([*before, *drawn, None], kind)[len(before) : len(before) + len(drawn)]
    found, loaded = canonical_values(column, array)
    meant = [None if x is None else meaning(x) for x in drawn]
    assert found == [None if x in (UNCASTABLE, NON_FINITE) else x for x in meant]
    assert (loaded.uncastable, loaded.non_finite) == (meant.count(UNCASTABLE), meant.count(NON_FINITE))
    assert loaded.nulls == found.count(None)
    assert not loaded.non_finite or np.isfinite(loaded.values.astype(float)).all(), "no loop should meet a NaN"


TEXTS: dict[str, tuple[Column, dict[str, Any]]] = {
    "whole numbers": (
        VENDOR,
        {
            "1": 1,
            " 2 ": 2,
            "1.0": 1,
            "1e2": 100,
            "-7": -7,
            "007": 7,
            "": None,
            "CMT": 1,
            "vts": 2,
            " VTS": 2,
            "9007199254740993": 2**53 + 1,
            "-9223372036854775808": -(2**63),
            "9223372036854775807": 2**63 - 1,
            "9223372036854775808": UNCASTABLE,
            "1.5": UNCASTABLE,
            "1e300": UNCASTABLE,
            "9007199254740993.0": UNCASTABLE,
            "nan": NON_FINITE,
            "-inf": NON_FINITE,
            " ": UNCASTABLE,
            "0x1F": UNCASTABLE,
            "abc": UNCASTABLE,
            "DDS": UNCASTABLE,
            "1_0": UNCASTABLE,
            "\uff11": UNCASTABLE,
            "--1": UNCASTABLE,
            "+2": 2,
        },
    ),
    "ways to pay": (
        COLUMN["payment_type"],
        {
            "Credit": 1,
            "CREDIT": 1,
            "CRD": 1,
            "Cash": 2,
            "CSH": 2,
            "No Charge": 3,
            "NOC": 3,
            "Dispute": 4,
            "DIS": 4,
            "UNK": 5,
            "1": 1,
            "CMT": UNCASTABLE,
        },
    ),
    "numbers": (
        DISTANCE,
        {
            "1": 1.0,
            " 2.5": 2.5,
            ".5": 0.5,
            "3.": 3.0,
            "-0.0": 0.0,
            "1e300": 1e300,
            "": None,
            "nan": NON_FINITE,
            "inf": NON_FINITE,
            "1e400": NON_FINITE,
            "5e-324": 5e-324,
            "0.1": 0.1,
            "0x10": UNCASTABLE,
            "1,5": UNCASTABLE,
            "$1": UNCASTABLE,
            "-": UNCASTABLE,
            "1e": UNCASTABLE,
        },
    ),
    "times": (
        TIME,
        {
            "2018-01-05 10:00:00": 1_515_146_400_000_000,
            "2018-01-05T10:00:00": 1_515_146_400_000_000,
            "2018-01-05 10:00:00.25": 1_515_146_400_250_000,
            "2018-01-05": 1_515_110_400_000_000,
            "": None,
            "01/05/2018 10:00:00 AM": 1_515_146_400_000_000,
            "1/5/2018 10:00:00 pm": 1_515_189_600_000_000,
            "12/31/2017 12:00:01 AM": 1_514_678_401_000_000,
            "0001-01-01 00:00:00": FIRST_TIME,
            "2018-02-30 10:00:00": UNCASTABLE,
            "02/30/2018 10:00:00 AM": UNCASTABLE,
            "13/01/2018 10:00:00 AM": UNCASTABLE,
            "01/05/2018 13:00:00 PM": UNCASTABLE,
            "yesterday": UNCASTABLE,
            "2018-01-05 25:00:00": UNCASTABLE,
        },
    ),
}
TEXT_TYPES = [
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.binary(),
    pa.large_binary(),
    pa.binary_view(),
    pa.dictionary(pa.int32(), pa.string()),
]


@pytest.mark.parametrize("kind", TEXT_TYPES, ids=str)
@pytest.mark.parametrize(("column", "meanings"), TEXTS.values(), ids=TEXTS)
@settings(max_examples=6)
@given(data=st.data())
def test_texts(column: Column, meanings: dict[str, Any], kind: Any, data: st.DataObject) -> None:
    texts = [*data.draw(st.lists(st.sampled_from([None, *meanings]), max_size=20)), *meanings]
    cast = pa.array([None, *texts], pa.string())
    array = (cast.dictionary_encode() if pa.types.is_dictionary(kind) else cast.cast(kind))[1:]
    found, loaded = canonical_values(column, array)
    meant = [None if text is None else meanings[text] for text in texts]
    assert found == [None if x in (UNCASTABLE, NON_FINITE) else x for x in meant]
    assert (loaded.uncastable, loaded.non_finite, loaded.nulls) == (
        meant.count(UNCASTABLE), meant.count(NON_FINITE), found.count(None)
    )  # fmt: skip


@given(numbers=st.lists(st.floats(allow_nan=False) | st.integers(-(2**70), 2**70), max_size=20))
def test_texts_of_numbers_are_the_nearest_doubles(numbers: list[float]) -> None:
    found, _ = canonical_values(DISTANCE, pa.array([repr(x) for x in numbers], pa.string()))
    assert found == [float(x) if math.isfinite(x) else None for x in numbers]


@pytest.mark.parametrize("column", [VENDOR, DISTANCE, TIME, FLAG], ids=lambda c: c.name)
def test_a_column_of_nothing_is_null(column: Column) -> None:
    for loaded in (load(column, pa.nulls(3), Scratch()), canonical.absent(column, 3, Scratch())):
        assert (loaded.valid.tolist(), loaded.nulls, loaded.uncastable) == ([0, 0, 0], 3, 0)


def test_a_flag_is_there_or_not() -> None:
    loaded = load(FLAG, pa.array([None, "N", None, "Y"])[1:], Scratch())
    assert (loaded.values, loaded.valid.tolist(), loaded.nulls) == (None, [1, 0, 1], 1)


def test_text_of_a_fixed_size_is_text() -> None:
    found, loaded = canonical_values(DISTANCE, pa.array([b"9.50", None, b"10.5", b"abcd"], pa.binary(4)))
    assert (found, loaded.uncastable) == ([9.5, None, 10.5, None], 1)


@pytest.mark.parametrize(
    ("column", "array", "said"),
    [
        (DISTANCE, pa.array([True, None]), "the type bool, of which no value is a number"),
        (DISTANCE, pa.array([[1.0], None]), "the type list<.*>, of which no value is a number"),
        (VENDOR, pa.array([1], pa.timestamp("us")), r"the type timestamp\[us\], of which no value is a whole number"),
        (TIME, pa.array([1, None]), "the type int64, of which no value is a time; allowed: timestamps, dates, text"),
        (FLAG, pa.array([["N"]]), "the type list<.*>, of which no value is a flag"),
        (TIME, pa.array([1], pa.timestamp("us", "Nowhere/At_All")), "a time zone that is not known here: .*Nowhere/At"),
    ],
    ids=lambda given: getattr(given, "name", ""),
)
def test_a_type_that_can_hold_no_value_of_the_column_is_refused(column: Column, array: Any, said: str) -> None:
    with pytest.raises(UnfitTypeError, match=said):
        load(column, array, Scratch())


@pytest.mark.parametrize(("column", "kind"), [(DISTANCE, pa.bool_()), (TIME, pa.int64()), (FLAG, pa.list_(pa.int8()))])
def test_nulls_of_any_type_are_nulls(column: Column, kind: Any) -> None:
    loaded = load(column, pa.nulls(3, kind), Scratch())
    assert (loaded.valid.tolist(), loaded.nulls, loaded.uncastable) == ([0, 0, 0], 3, 0)
