"""Trips in Parquet: units are runs of adjacent row groups, footers are parsed once a file and process."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.runtime.canonical import BATCH_ROWS
from jobs.runtime.parquet_statistics import null_counts
from jobs.runtime.storage import Source, open_source
from jobs.runtime.tripfile import RawBatch, Reading, TripFile, Unit, Wanted
from jobspec import InputFile, UnreadableFile

MAGIC = b"PAR1"
UNIT_ROWS = 1_000_000  # about: whole row groups, at least one
FOOTERS_KEPT = 1024
FOOTER_BYTES = 2**16  # about what a footer takes: read at once, and more where it is longer
_REFUSALS = (pa.ArrowException, OSError, UnicodeDecodeError)  # what Arrow raises for a file that is no good
_TAIL = 8  # bytes behind the footer: its length and PAR1
BUFFER_BYTES = 2**18  # of each column that is read from a local file: else Arrow holds all of a row group's at once


def inspect(source: Source, pinned: InputFile) -> TripFile:
    """Plan a Parquet file from its footer."""
    footer = _footer(source, pinned).metadata
    rows = tuple(footer.row_group(at).num_rows for at in range(footer.num_row_groups))
    try:
        names = tuple(footer.schema.to_arrow_schema().names)
    except _REFUSALS as error:
        raise UnreadableFile(pinned.uri, _said(error)) from error
    return TripFile(
        pinned,
        "parquet",
        names=names,
        trips=footer.num_rows,
        whole=not source.ranged,
        groups=rows,
    )


def units(file: TripFile, unit_rows: int = UNIT_ROWS) -> Iterator[Unit]:
    """The file in units of about `unit_rows` rows; a file without rows has none."""
    start, rows = 0, 0
    for at, group_rows in enumerate(file.groups):
        # Close the run before this group if that is nearer to the size aimed at.
        if rows and not file.whole and rows + group_rows / 2 > unit_rows:
            yield Unit(file, start, at, rows)
            start, rows = at, 0
        rows += group_rows
    if rows:
        yield Unit(file, start, len(file.groups), rows)


def batches(unit: Unit, wanted: Wanted, reading: Reading) -> Iterator[RawBatch]:
    """The unit's trips. Asserts that as many come as the footer promises. Raises UnreadableFile, InputChanged."""
    with open_source(unit.file.input) as source:
        footer = _footer(source, unit.file.input)
        groups = list(range(unit.start, unit.end))
        places = unit.file.columns()
        read = _to_read(unit, footer, places, wanted, reading)
        try:
            parquet = _open(source, footer.metadata)
            names = [unit.file.names[places[name]] for name in read]
            if not names:
                yield from _only_rows(footer.metadata, groups, reading)
                return
            for batch in parquet.iter_batches(BATCH_ROWS, row_groups=groups, columns=names, use_threads=False):
                reading.rows += batch.num_rows
                yield RawBatch(batch.num_rows, {name: batch.column(at) for at, name in _order(batch, read, names)})
        except pa.ArrowMemoryError:
            raise  # it is this machine that is at its end, not the file
        except _REFUSALS as error:
            raise UnreadableFile(unit.file.uri, _said(error)) from error
        source.check_unchanged()
    promised = sum(footer.metadata.row_group(group).num_rows for group in groups)
    if reading.rows != promised:
        raise UnreadableFile(unit.file.uri, f"its footer promises {promised:,} rows, and {reading.rows:,} can be read")


def _order(batch: Any, read: list[str], names: list[str]) -> list[tuple[int, str]]:
    """Where each canonical column stands in the batch: Arrow yields them in the file's order, not as asked."""
    return [(batch.schema.get_field_index(file_name), name) for name, file_name in zip(read, names, strict=True)]


def _only_rows(footer: Any, groups: list[int], reading: Reading) -> Iterator[RawBatch]:
    for group in groups:
        left = footer.row_group(group).num_rows
        while left:
            rows = min(left, BATCH_ROWS)
            left -= rows
            reading.rows += rows
            yield RawBatch(rows, {})


def _to_read(unit: Unit, footer: "_Footer", places: dict[str, int], wanted: Wanted, reading: Reading) -> list[str]:
    """The columns that must be read; nulls of the merely counted ones are taken from the footer where it has them."""
    read = [name for name in places if name in wanted.values]
    counted = [name for name in places if name in wanted.counted and name not in wanted.values]
    if not counted:
        return read
    told = footer.nulls[unit.start : unit.end]
    for name in counted:
        nulls = [group.get(unit.file.names[places[name]]) for group in told]
        known = [count for count in nulls if count is not None]
        if len(known) < unit.end - unit.start:
            read.append(name)
        else:
            reading.known_nulls[name] = sum(known)
    return read


@dataclass(frozen=True)
class _Footer:
    """A footer as Arrow has parsed it and as it stands in the file."""

    metadata: Any
    raw: bytes

    @cached_property
    def nulls(self) -> tuple[dict[str, int], ...]:
        """For each row group what it says of nulls."""
        return null_counts(self.raw, self.metadata.num_row_groups)


_footers: dict[tuple[str, str], _Footer] = {}


def _footer(source: Source, pinned: InputFile) -> _Footer:
    """The parsed footer; kept, because a file of many row groups is read in many units."""
    key = (pinned.uri, pinned.etag)
    footer = _footers.get(key)
    if footer is None:
        try:
            raw = _footer_bytes(source)
            footer = _Footer(pq.ParquetFile(pa.BufferReader(raw)).metadata, raw[:-_TAIL])
        except _REFUSALS as error:
            raise UnreadableFile(pinned.uri, _said(error)) from error
        if len(_footers) >= FOOTERS_KEPT:
            _footers.clear()
        _footers[key] = footer
    return footer


def _footer_bytes(source: Source) -> bytes:
    """The end of the file from where its footer begins; any end, where the file does not end like Parquet."""
    size = source.size
    tail = source.read(max(0, size - FOOTER_BYTES), size)
    if not tail.endswith(MAGIC):
        return tail
    needed = int.from_bytes(tail[-_TAIL:-4], "little") + _TAIL
    if needed > size:
        raise UnreadableFile(source.uri, f"it ends with a footer of {needed:,} bytes, and has {size:,} in all")
    if needed > len(tail):
        tail = source.read(size - needed, size - len(tail)) + tail
    return tail[-needed:]


def _open(source: Source, footer: Any) -> Any:
    file = source.file()
    local = isinstance(file, str)
    return pq.ParquetFile(file, metadata=footer, pre_buffer=not local, buffer_size=BUFFER_BYTES if local else 0)


def _said(error: BaseException) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "its footer holds a name that is no UTF-8"
    return (str(error).strip() or type(error).__name__).splitlines()[0]
