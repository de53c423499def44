"""A unit of trips, batch by batch: read, made canonical and judged."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jobs.questions import Seen
from jobs.runtime import canonical, csv_reading, parquet_files
from jobs.runtime.batch import Batch
from jobs.runtime.canonical import Loaded, Scratch, UnfitTypeError
from jobs.runtime.tripfile import RawBatch, Reading, SetAside, TripFile, Unit, Wanted
from jobs.trips import COLUMNS, DROPOFF, PICKUP, Column, Reason, month_window
from jobspec import UnreadableFile

# The columns that the rules of plausibility look at: whoever wants trips judged must want these.
RULED = frozenset({PICKUP, DROPOFF, "trip_distance", "fare_amount", "PULocationID"})


@dataclass(frozen=True)
class Judged:
    """A batch of trips with the `Reason` of each; `raw` is the batch as it stands in the file."""

    batch: Batch
    raw: RawBatch
    reasons: Any  # uint8 by trip
    keep: Any  # uint8 by trip: 1 where the reason is KEPT
    kept: int


class Loader:
    """Yields the judged batches of a unit, each valid until the next; counts what it comes across."""

    def __init__(
        self, unit: Unit, wanted: Wanted, on_set_aside: Callable[[list[SetAside]], None] | None = None
    ) -> None:
        self.reading = Reading()
        self._on_set_aside = on_set_aside
        self.reasons = np.zeros(len(Reason), np.int64)
        self.non_finite: Counter[str] = Counter()
        self.uncastable: Counter[str] = Counter()
        self._unit, self._wanted = unit, wanted
        self._columns = [column for column in COLUMNS if column.name in wanted.values]
        self._nulls: Counter[str] = Counter()
        self._scratch = Scratch()

    def __iter__(self) -> Iterator[Judged]:
        file = self._unit.file
        window = month_window(file.uri)
        reader = parquet_files if file.format == "parquet" else csv_reading
        for raw in reader.batches(self._unit, self._wanted, self.reading):
            self._take_set_aside()
            if not raw.rows:
                continue
            batch = self._load(raw)
            kept_before = int(self.reasons[Reason.KEPT])
            reasons, keep = batch.judge(window, self.reasons)
            yield Judged(batch, raw, reasons, keep, int(self.reasons[Reason.KEPT]) - kept_before)
        self._take_set_aside()

    def _take_set_aside(self) -> None:
        """Pass lines on while there are few: a file may hold millions that are no trips."""
        lines = self.reading.take_set_aside()
        if lines and self._on_set_aside:
            self._on_set_aside(lines)

    def _load(self, raw: RawBatch) -> Batch:
        columns = {}
        for column in self._columns:
            if column.name in raw.arrays:
                loaded = self._canonical(column, raw.arrays[column.name])
                self._nulls[column.name] += loaded.nulls
                self.non_finite[column.name] += loaded.non_finite
                self.uncastable[column.name] += loaded.uncastable
            else:
                loaded = canonical.absent(column, raw.rows, self._scratch)
            columns[column.name] = (loaded.values, loaded.valid)
        for name in raw.arrays.keys() - columns.keys():
            self._nulls[name] += raw.arrays[name].null_count
        return Batch(columns, raw.rows, self._scratch)

    def _canonical(self, column: Column, array: Any) -> Loaded:
        try:
            return canonical.load(column, array, self._scratch)
        except UnfitTypeError as error:
            file = self._unit.file
            raise UnreadableFile(file.uri, f"its column {file.names[file.columns()[column.name]]!r} {error}") from error

    def seen(self) -> Seen:
        """What the unit's trips looked like before any rule; to be asked at the end."""
        present = frozenset(self._unit.file.columns())
        rows = self.reading.rows
        absent = {column.name: rows for column in COLUMNS if column.name not in present}
        return Seen(rows, present, absent | self._nulls | self.reading.known_nulls)


def whole_unit(file: TripFile) -> Unit:
    """The file as one unit, in which quotes may enclose line ends."""
    return Unit(replace(file, whole=True), file.body, file.input.bytes, file.trips)
