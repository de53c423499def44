"""Writing trips in canonical form: one Parquet file a unit and month, and what was set aside beside its reason."""

import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jobs.questions import Export, Part
from jobs.questions.export import UNKNOWN_MONTH
from jobs.runtime.batch import Batch
from jobs.runtime.loading import Judged
from jobs.runtime.outputs import RunFolder
from jobs.runtime.tables import canonical_table, texts_of, trips_schema
from jobs.runtime.tally import Ranges
from jobs.runtime.tripfile import RawBatch, SetAside, TripFile, Unit
from jobs.trips import PICKUP, Reason, Taxi, printed_name
from jobs.trips.columns import LEVELS
from jobspec import Cancelled, Output, redacted

QUARANTINE = "quarantine.parquet"
PARQUET = "application/vnd.apache.parquet"
_GROUP_ROWS = 262_144
_SET_ASIDE = "set-aside"  # the parts of the quarantine, until they are put together
# Lines that are no trips know their number within their range; the file's own numbers come when all ranges are known.
_WHY = pa.schema(
    [("reason", pa.string()), ("file", pa.string()), ("line", pa.int64()), ("range", pa.int64()), ("text", pa.string())]
)


@dataclass(frozen=True)
class ExportTo:
    """What to write and where: the same for every unit, so that every file has the same columns."""

    export: Export
    results: str
    run_id: str
    columns: tuple[str, ...]  # canonical columns that any input has
    taxi: Taxi

    def exporter(self, unit: Unit, keeps_all: bool) -> "Exporter":
        """What writes the trips of one unit."""
        return Exporter(self, unit, keeps_all)


class Exporter:
    """Writes the trips of one unit."""

    def __init__(self, to: ExportTo, unit: Unit, keeps_all: bool) -> None:
        self._to = to
        self._keeps_all = keeps_all
        self._folder = RunFolder(to.results, to.run_id)
        self._stem = _stem(unit.file)
        # The same unit written twice, by a worker that was lost and by the next, is the same file.
        self._name = f"{self._stem}-{unit.start:012d}.parquet"
        self._months: dict[str, _Part] = {}
        self._aside = _Part()

    def add(self, judged: Judged) -> None:
        """Write the trips of a batch."""
        batch, raw, reasons = judged.batch, judged.raw, judged.reasons
        table = canonical_table(batch, raw, self._to.columns, self._to.taxi)
        kept = np.ones(len(reasons), bool) if self._keeps_all else reasons == Reason.KEPT
        if not kept.all():
            names = pa.array([reason.name.lower() for reason in Reason])
            why = names.take(pa.array(reasons[~kept]))
            self._aside.add(_with_why(table.filter(pa.array(~kept)), self._stem, why))
        for name, values in self._one_hot(batch, raw):
            table = table.append_column(name, pa.array(values.astype(np.uint8)))
        months = _months(*batch.values(PICKUP))
        for month in np.unique(months[kept]):
            label = UNKNOWN_MONTH if np.isnat(month) else str(month)
            chosen = kept & (np.isnat(months) if np.isnat(month) else months == month)
            part = self._months.setdefault(label, _Part())
            part.add(table if chosen.all() else table.filter(pa.array(chosen)))

    def _one_hot(self, batch: Batch, raw: RawBatch) -> Iterator[tuple[str, Any]]:
        for name in self._to.export.one_hot:
            printed = printed_name(name, self._to.taxi)
            levels = LEVELS[name]
            if isinstance(levels[0], str):
                flags = texts_of(raw.arrays.get(name), batch.rows)
                there = flags.is_valid().to_numpy(zero_copy_only=False)
                hits = [pc.equal(flags, level).fill_null(False).to_numpy(zero_copy_only=False) for level in levels]
            else:
                values, valid = batch.values(name)
                there = valid == 1
                hits = [there & (values == level) for level in levels]
            for level, hit in zip(levels, hits, strict=True):
                yield f"{printed}_{level}", hit
            yield f"{printed}_other", there & ~np.logical_or.reduce(hits)
            yield f"{printed}_missing", ~there

    def add_lines(self, lines: Sequence[SetAside]) -> None:
        """Write lines that are no trips."""
        self._aside.add(self._lines(lines))

    def finish(self) -> tuple[Part, ...]:
        """Write what is left; returns all parts of the unit."""
        parts = [self._write(part, f"trips/month={month}/{self._name}", month) for month, part in self._months.items()]
        if self._aside.rows:
            parts.append(self._write(self._aside, f"{_SET_ASIDE}/{self._name}", None))
        return tuple(sorted(parts))

    def _lines(self, lines: Sequence[SetAside]) -> Any:
        schema = trips_schema(self._to.columns, self._to.taxi)
        nothing = [pa.nulls(len(lines), field.type) for field in schema]
        why = [
            pa.array([line.reason for line in lines]),
            pa.array([self._stem] * len(lines)),
            pa.array([line.line for line in lines], pa.int64()),
            pa.array([line.range_start for line in lines], pa.int64()),
            pa.array([line.text for line in lines]),
        ]
        return pa.table([*nothing, *why], schema=pa.schema([*schema, *_WHY]))

    def _write(self, part: "_Part", path: str, month: str | None) -> Part:
        content = part.content()
        if self._folder.gave_up():
            raise Cancelled("the run has ended without this part")
        self._folder.put(path, content)
        return Part(path, month, part.rows, len(content), hashlib.sha256(content).hexdigest())


class _Part:
    """A Parquet file in the making, compressed in memory."""

    def __init__(self) -> None:
        self.rows = 0
        self._sink = io.BytesIO()
        self._writer: Any = None
        self._waiting: list[Any] = []
        self._waiting_rows = 0

    def add(self, table: Any) -> None:
        self.rows += table.num_rows
        self._waiting.append(table)
        self._waiting_rows += table.num_rows
        if self._waiting_rows >= _GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            table = pa.concat_tables(self._waiting)
            if self._writer is None:
                self._writer = pq.ParquetWriter(self._sink, table.schema, compression="zstd")
            self._writer.write_table(table)
            self._waiting, self._waiting_rows = [], 0

    def content(self) -> bytes:
        self._flush()
        self._writer.close()
        return self._sink.getvalue()


def finish_export(
    folder: RunFolder, to: ExportTo, parts: Sequence[Part], ranges: Ranges, files: Sequence[TripFile]
) -> None:
    """List the parts among the outputs, put the quarantine together, and remove what no part accounts for."""
    kept = [part for part in parts if part.month is not None]
    folder.keep_only("trips", frozenset(part.path for part in kept))
    for part in kept:
        folder.outputs.append(
            Output(name=f"trips {part.month}", path=part.path, bytes=part.bytes, sha256=part.sha256, media_type=PARQUET)
        )
    by_stem = {_stem(file): file for file in files}
    schema = pa.schema([*trips_schema(to.columns, to.taxi), *(field for field in _WHY if field.name != "range")])
    with folder.writing(QUARANTINE, PARQUET) as sink, pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for part in parts:
            if part.month is None:
                aside = pq.ParquetFile(pa.BufferReader(folder.read(part.path)))
                for rows in aside.iter_batches(_GROUP_ROWS):
                    writer.write_batch(_located(rows, ranges, by_stem).select(schema.names))
    folder.remove(_SET_ASIDE)


def _stem(file: TripFile) -> str:
    """What a file is called among the parts: its address may hold a credential."""
    return hashlib.sha256(file.uri.encode()).hexdigest()[:12]


def _located(rows: Any, ranges: Ranges, by_stem: dict[str, TripFile]) -> Any:
    """The rows with their files' addresses, and with lines numbered from the start of their files."""
    stem = rows["file"][0].as_py()  # the same in all: they are of one unit
    file = by_stem[stem]
    starts = rows["range"].dictionary_encode()
    before = [
        None if start is None else sum(r.lines for r in ranges[file.uri] if r.start < start) + file.header_lines
        for start in starts.dictionary.to_pylist()
    ]
    lines = pc.add(rows["line"], pa.array(before, pa.int64()).take(starts.indices))
    addresses = pa.repeat(redacted(file.uri), len(rows))
    for name, values in (("file", addresses), ("line", lines)):
        rows = rows.set_column(rows.schema.get_field_index(name), name, values)
    return rows


def _with_why(table: Any, stem: str, reasons: Any) -> Any:
    rows = table.num_rows
    columns = [reasons, pa.array([stem] * rows, pa.string()), pa.nulls(rows, pa.int64()), pa.nulls(rows, pa.int64())]
    for field, column in zip(_WHY, [*columns, pa.nulls(rows, pa.string())], strict=True):
        table = table.append_column(field, column)
    return table


def _months(pickup: Any, valid: Any) -> Any:
    months = np.array(pickup).astype("datetime64[us]").astype("datetime64[M]")
    months[valid == 0] = np.datetime64("NaT")
    return months
