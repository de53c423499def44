"""Trips as a lazy Dask DataFrame, for the jobs that want one instead of asking questions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from jobs.runtime.answering import Asked
from jobs.runtime.loading import RULED, Loader, whole_unit
from jobs.runtime.plan import Plan, units_of
from jobs.runtime.tables import canonical_table, trips_schema
from jobs.runtime.tally import Tally
from jobs.runtime.tripfile import TripFile, Unit, Wanted
from jobs.trips import COLUMNS, Taxi, canonical
from jobspec import UnreadableFile


@dataclass(frozen=True)
class Piece:
    """A unit as the counting pass found it: a partition of the frame holds just the trips that were counted."""

    unit: Unit
    trips: int
    lines_aside: int


def lazy_frame(plan: Plan, tally: Tally, asked: Asked) -> Any:
    """The kept trips: canonical columns that any input has, nullable Arrow-backed types, a partition a unit.

    `tally` is that of a pass over the same plan and every column: it knows which files were skipped, which cannot be
    cut, and which lines are no trips.
    """
    import dask.dataframe as dd

    files = [file for file in plan.files if file.uri not in tally.skipped]
    found = {name for file in files for name in file.columns()}
    columns = tuple(column.name for column in COLUMNS if column.name in found)
    pieces = [piece for file in files for piece in _pieces(file, tally)]
    empty = _frame(trips_schema(columns, plan.taxi).empty_table())
    if not pieces:
        return dd.from_pandas(empty, npartitions=1)
    # Dask passes on in `columns` those that the job makes use of, and no others are read.
    names = list(empty.columns)
    return dd.from_map(read_frame, pieces, columns=names, taxi=plan.taxi, keeps_all=asked.keeps_all, meta=empty)


def _pieces(file: TripFile, tally: Tally) -> Iterator[Piece]:
    units = [whole_unit(file)] if file.uri in tally.quoted else list(units_of(file))
    if file.format == "parquet":
        yield from (Piece(unit, unit.trips, 0) for unit in units)
        return
    # The ranges that were read are those of the units, in the same order.
    ranges = sorted(tally.ranges.get(file.uri, ()), key=lambda r: (r.start, r.end))
    yield from (Piece(unit, r.trips, r.set_aside) for unit, r in zip(units, ranges, strict=True))


def read_frame(piece: Piece, columns: Sequence[str], taxi: Taxi, keeps_all: bool) -> Any:
    """The kept trips of one unit as a pandas frame of those columns, called as TLC calls them.

    Which lines are trips does not depend on the columns asked for: where the counting pass, which reads all of them,
    has set lines aside, all are read again. Raises UnreadableFile where other trips come than were counted.
    """
    unit = piece.unit
    names = [column.name for column in map(canonical, columns) if column is not None]
    read = (column.name for column in COLUMNS) if piece.lines_aside else names
    loader = Loader(unit, Wanted(RULED.union(read)))
    tables = [trips_schema(names, taxi).empty_table()]
    for judged in loader:
        table = canonical_table(judged.batch, judged.raw, names, taxi)
        tables.append(table if keeps_all else table.filter(pa.array(judged.keep == 1)))
    if loader.reading.rows != piece.trips:
        raise UnreadableFile(unit.file.uri, f"{piece.trips:,} trips were counted, and {loader.reading.rows:,} read")
    return _frame(pa.concat_tables(tables))[list(columns)]


def _frame(table: Any) -> Any:
    return table.to_pandas(types_mapper=pd.ArrowDtype)
