"""Trips as Hypothesis draws them: plain rows of Python values, the hostile ones often, and batches made of them."""

import math
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from jobs.runtime import canonical
from jobs.runtime.batch import Batch
from jobs.runtime.canonical import FIRST_TIME, LAST_TIME, Scratch
from jobs.trips import COLUMNS, DROPOFF, PICKUP
from jobs.trips.columns import Kind

Row = dict[str, Any]  # canonical column: int, float or None; times are microseconds since 1970

COLUMNS_DRAWN = [
    column
    for column in COLUMNS
    if column.name
    in {"VendorID", PICKUP, DROPOFF, "passenger_count", "trip_distance", "PULocationID", "fare_amount", "tip_amount"}
]
ARROW = {Kind.INTEGER: pa.int64(), Kind.NUMBER: pa.float64(), Kind.TIME: pa.timestamp("us")}

JANUARY_2018 = 1_514_764_800_000_000
JUST_BELOW_LARGE = math.nextafter(2.0**23, 0)

# Few different values, so that keys and ties meet; then whatever sits on a border of the compiled loops.
WHOLE = st.sampled_from(
    [0, 1, 2, 2, 6, 48, 264, 265, 266, 267, 1000, -1, 2**31, 2**32 - 1, 2**53 + 1, 2**63 - 1, -(2**63)]
) | st.integers(0, 9)
NUMBERS = (
    st.sampled_from([0.0, -0.0, 0.5, 2.5, 2.5, 200.0, 200.01, -1.0, 2000.0, 5e-324, 2.0**-41, 3 * 2.0**-41, 1e300])
    | st.sampled_from([2.0**23, -(2.0**23), JUST_BELOW_LARGE, -JUST_BELOW_LARGE, -1e300, 1e17, -1e17, 0.1])
    | st.floats(-1e4, 1e4)
)
TIMES = st.integers(0, 3 * 86_400).map(lambda second: JANUARY_2018 + second * 1_000_000) | st.sampled_from(
    [JANUARY_2018, JANUARY_2018, JANUARY_2018 + 1, -1, 0, FIRST_TIME, LAST_TIME, JANUARY_2018 * 2]
)
VALUES = {Kind.INTEGER: WHOLE, Kind.NUMBER: NUMBERS, Kind.TIME: TIMES}

ROWS = st.fixed_dictionaries({c.name: st.none() | VALUES[c.kind] | VALUES[c.kind] for c in COLUMNS_DRAWN})
BATCHES = st.lists(st.lists(ROWS, max_size=8), max_size=3)


def arrow(rows: Sequence[Row]) -> dict[str, Any]:
    """The rows as canonical Arrow arrays, each a slice that does not begin where its memory does."""
    return {
        column.name: pa.array([None, *(row[column.name] for row in rows)], ARROW[column.kind])[1:]
        for column in COLUMNS_DRAWN
    }


def batch_of(rows: Sequence[Row], scratch: Scratch) -> Batch:
    """The rows as the readers would hand them on."""
    loaded = {c.name: canonical.load(c, arrow(rows)[c.name], scratch) for c in COLUMNS_DRAWN}
    return Batch({name: (column.values, column.valid) for name, column in loaded.items()}, len(rows), scratch)
