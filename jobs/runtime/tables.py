"""Batches of trips as Arrow tables, under the names that TLC gives the columns."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from jobs.runtime.batch import Batch
from jobs.runtime.tripfile import RawBatch
from jobs.trips import COLUMNS, Kind, Taxi, printed_name

_ARROW = {Kind.INTEGER: pa.int64(), Kind.NUMBER: pa.float64(), Kind.TIME: pa.timestamp("us"), Kind.FLAG: pa.string()}


def trips_schema(columns: Sequence[str], taxi: Taxi) -> Any:
    """The canonical columns called `columns`, in their order, with their Arrow types."""
    chosen = [column for column in COLUMNS if column.name in columns]
    return pa.schema([(printed_name(column.name, taxi), _ARROW[column.kind]) for column in chosen])


def canonical_table(batch: Batch, raw: RawBatch, columns: Sequence[str], taxi: Taxi) -> Any:
    """The batch as a table of that schema, in memory of its own; `raw` is where flags keep their texts."""
    return pa.table(list(_arrays(batch, raw, columns)), schema=trips_schema(columns, taxi))


def _arrays(batch: Batch, raw: RawBatch, columns: Sequence[str]) -> Iterator[Any]:
    for column in COLUMNS:
        if column.name not in columns:
            continue
        if column.kind is Kind.FLAG:
            yield texts_of(raw.arrays.get(column.name), batch.rows)
        else:
            values, valid = batch.values(column.name)
            yield pa.array(np.array(values), mask=valid == 0).cast(_ARROW[column.kind])


def texts_of(array: Any, rows: int) -> Any:
    """A column of texts as such; bytes that are no UTF-8 are marked, and an absent column is all null."""
    if array is None:
        return pa.nulls(rows, pa.string())
    try:
        return array.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        texts = array.to_pylist()
        return pa.array([t.decode("utf-8", "replace") if isinstance(t, bytes) else t for t in texts], pa.string())
