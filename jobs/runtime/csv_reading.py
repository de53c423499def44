"""Reading a byte range of CSV, block by block: fast where the text is plain, patient where it is not.

A block is parsed with narrow types; if that fails, with wide ones; if that fails too, as text, of which each field
that means nothing sets its line aside with its reason. All three ways give the same values for the same text, so how
the file is cut cannot matter. Every record is either a trip or set aside; that is asserted block by block.
"""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc

from jobs.runtime import csv_bytes, texts
from jobs.runtime.canonical import BATCH_ROWS
from jobs.runtime.quoting import count_fields, count_records, outside_quotes, split_records
from jobs.runtime.storage import open_source
from jobs.runtime.tripfile import QuotedRange, RawBatch, Reading, SetAside, TripFile, Unit, Wanted
from jobs.trips import COLUMNS, Kind
from jobspec import UnreadableFile

_CLOCK = re.compile(rb"\d:\d\d:\d\d")  # a time without seconds, at the end of a file, is a time cut off
_LINE_FEED, _COMMA = 10, 44
_SCANNED = 2**16
_TEXT_KEPT = 300  # characters of a line that is set aside

_NARROW = {
    Kind.INTEGER: pa.int16(),
    Kind.NUMBER: pa.float64(),
    Kind.TIME: pa.timestamp("s"),
    Kind.FLAG: pa.binary(),
}
_WIDE = _NARROW | {Kind.INTEGER: pa.float64(), Kind.TIME: pa.timestamp("us")}
_TEXT = dict.fromkeys(Kind, pa.binary())
_WAYS = (_NARROW, _WIDE, _TEXT)
_KINDS = {column.name: column.kind for column in COLUMNS}


def batches(unit: Unit, wanted: Wanted, reading: Reading) -> Iterator[RawBatch]:
    """The trips of the records that begin in the unit's range.

    Raises QuotedRange where the range holds a quote and is not the whole file; UnreadableFile, InputChanged.
    """
    file = unit.file
    with open_source(file.input) as source:
        reading.start, end = csv_bytes.bounds(source, unit)
        reading.end = reading.start
        reader = _Reader(file, wanted, reading)
        for text in csv_bytes.pieces(source, file, reading.start, end):
            yield from reader.block(text)
        source.check_unchanged()


class _Reader:
    """Parses the blocks of one range, and keeps count of every line."""

    def __init__(self, file: TripFile, wanted: Wanted, reading: Reading) -> None:
        self._file = file
        self._reading = reading
        places = file.columns()
        self._read = [name for name in places if name in wanted.values]
        self._counted = [name for name in places if name in wanted.counted and name not in wanted.values]
        # pyarrow chooses columns by name, and a header may repeat one: each gets the name of its place.
        self._names = [f"#{at}" for at in range(len(file.names))]
        self._places = {name: f"#{at}" for name, at in places.items()}
        self._way = 0

    def block(self, text: bytes) -> Iterator[RawBatch]:
        """The trips of some whole lines."""
        self._reading.end += len(text)
        quoted = b'"' in text
        if quoted and not self._file.whole:
            raise QuotedRange(self._file.uri)
        if not quoted and b"\r" in text and text.count(b"\r\n") == text.count(b"\r"):
            text = text.replace(b"\r\n", b"\n")
        unclosed = quoted and outside_quotes(text)[1]
        if not unclosed and text[-1:] in (b"\n", b"\r"):
            yield from self._lines(text, quoted)
            return
        at = csv_bytes.end_of_lines(text, self._file.whole) + 1
        if not quoted:  # lines may end in a lone carriage return, where no file is ever cut
            at = max(at, text.rfind(b"\r") + 1)
        last = text[at:].rstrip(b"\r\n")
        if unclosed and len(last.splitlines()) > 1:
            lines = len(last.splitlines())
            raise UnreadableFile(self._file.uri, f"a quote is opened {lines:,} lines before its end and never closed")
        if at:
            yield from self._lines(text[:at], quoted)
        yield from self._unterminated(last)

    def _lines(self, text: bytes, quoted: bool) -> Iterator[RawBatch]:
        feeds, empty = _scan(text)
        returns = b"\r" in text
        awkward = quoted or empty or returns
        lines = len(text.splitlines()) if returns else feeds
        records = count_records(text) if awkward else lines
        before = self._reading.lines
        self._reading.lines += lines
        self._reading.records += records
        if not records:
            return
        # Where nothing is empty nothing is null, so columns of which only the nulls count need not be read.
        names = self._read + (self._counted if awkward else [])
        table = self._parse(text, names, quoted)
        if table is None:
            table = self._parse_patiently(text, names, quoted, before)
        elif table.num_rows != records:
            raise UnreadableFile(self._file.uri, f"{records:,} lines hold {table.num_rows:,} records")
        self._reading.rows += table.num_rows
        yield from self._cut(table, names)

    def _cut(self, table: Any, names: list[str]) -> Iterator[RawBatch]:
        if not table.num_rows:
            yield RawBatch(0, {})  # a turn for whoever counts what was set aside
        for batch in table.combine_chunks().to_batches(BATCH_ROWS):
            yield RawBatch(batch.num_rows, {name: batch.column(self._places[name]) for name in names})

    def _parse(self, text: bytes, names: list[str], quoted: bool) -> Any:
        """The block as a table by the narrowest types that fit it; None where only patience helps."""
        # Arrow reads 0x1F as a whole number and as nothing else: such text goes the patient way.
        hexadecimal = (b"x" in text and b"0x" in text) or (b"X" in text and b"0X" in text)
        first = len(_WAYS) - 1 if hexadecimal else self._way
        for way in range(first, len(_WAYS) - 1):
            try:
                table = self._read_csv(text, names, _WAYS[way], quoted)
            except pa.ArrowInvalid:
                continue
            ids = [self._places[name] for name in names if name in self._read and _KINDS[name] is Kind.INTEGER]
            if _WAYS[way] is _WIDE and _beyond_doubles(table, ids):
                return None
            self._way = way
            return table
        return None

    def _read_csv(self, text: bytes, names: list[str], types: Any, quoted: bool) -> Any:
        column_types = {self._places[name]: types[_KINDS[name] if name in self._read else Kind.FLAG] for name in names}
        # Without a column to read pyarrow would read them all: one is enough to count the rows.
        column_types = column_types or {self._names[0]: pa.binary()}
        return pc.read_csv(
            pa.BufferReader(pa.py_buffer(text)),
            pc.ReadOptions(column_names=self._names, use_threads=False, block_size=len(text) + 64),
            pc.ParseOptions(newlines_in_values=quoted),
            pc.ConvertOptions(
                include_columns=list(column_types),
                column_types=column_types,
                null_values=[""],
                strings_can_be_null=True,
                check_utf8=False,
            ),
        )

    def _parse_patiently(self, text: bytes, names: list[str], quoted: bool, lines_before: int) -> Any:
        """The block as text; lines of a wrong number of fields and fields that mean nothing set their lines aside."""
        good: list[tuple[int, bytes, bytes]] = []
        for line, record in _records(text):
            even = self._even(record)
            if even is None:
                self._set_aside(lines_before + line, "field_count", record)
            else:
                good.append((line, record, even))
        table = self._as_text(b"".join(even for *_, even in good), names, quoted)
        if table.num_rows != len(good):
            raise UnreadableFile(self._file.uri, f"{len(good):,} lines hold {table.num_rows:,} records")
        meaning = self._meaningful(table, names)
        for at in np.flatnonzero(~meaning[0]).tolist():
            self._set_aside(lines_before + good[at][0], "bad_value", good[at][1], meaning[1][at])
        return table.filter(pa.array(meaning[0]))

    def _even(self, record: bytes) -> bytes | None:
        """The record with as many fields as the file's first one, of which the nameless last may lack; else None."""
        lacking = len(self._names) - count_fields(record)
        if not lacking:
            return record
        if 0 < lacking <= self._file.surplus:
            return record.rstrip(b"\r\n") + b"," * lacking + b"\n"
        return None

    def _as_text(self, text: bytes, names: list[str], quoted: bool) -> Any:
        if not text:
            return pa.table({self._places[name]: pa.array([], pa.binary()) for name in names})
        try:
            return self._read_csv(text, names, _TEXT, quoted)
        except pa.ArrowInvalid as error:
            raise UnreadableFile(self._file.uri, str(error).splitlines()[0]) from error

    def _meaningful(self, table: Any, names: list[str]) -> tuple[Any, dict[int, str]]:
        """Which rows mean something in every column that is read, and what is wrong with the others."""
        meaning = np.ones(table.num_rows, bool)
        details: dict[int, str] = {}
        for name in names:
            if name in self._read and _KINDS[name] is not Kind.FLAG:
                column = next(column for column in COLUMNS if column.name == name)
                for at in texts.meaningless(column, table.column(self._places[name]).combine_chunks()):
                    meaning[at] = False
                    details.setdefault(at, self._file.names[int(self._places[name][1:])])
        return meaning, details

    def _set_aside(self, line: int, reason: str, record: bytes, detail: str = "") -> None:
        text = record.decode("utf-8", "replace").rstrip("\r\n")[:_TEXT_KEPT]
        self._reading.set_aside.append(SetAside(self._reading.start, line, reason, text, detail))

    def _unterminated(self, record: bytes) -> Iterator[RawBatch]:
        """The last line of a file that lacks its line end: a trip if every field is there and means something."""
        self._reading.records += 1
        whole = self._whole(record)
        if whole is None:
            self._set_aside(self._reading.lines + 1, "truncated_line", record)
            return
        self._reading.unterminated += 1
        self._reading.rows += 1
        names = self._read + self._counted
        yield from self._cut(self._as_text(whole, names, b'"' in whole), names)

    def _whole(self, record: bytes) -> bytes | None:
        """The last record with its line end, or None where it shows that it was cut off.

        Looks at every column that a trip can have, read or not. `3.` is a number to Arrow, and a cut-off one here.
        """
        quoted = b'"' in record
        even = None if outside_quotes(record)[1] else self._even(record + b"\n")
        last = _KINDS.get(next((name for name, at in self._places.items() if at == self._names[-1]), ""))
        cut_number = last in (Kind.NUMBER, Kind.INTEGER) and record.endswith((b".", b"-", b"+"))
        field = record.rpartition(b",")[2].strip()
        cut_time = last is Kind.TIME and field and not _CLOCK.search(field)
        if even is None or cut_number or cut_time:
            return None
        every = [name for name in self._places if _KINDS[name] is not Kind.FLAG]
        whole_file = _Reader(self._file, Wanted(frozenset(every)), Reading())
        meaning, _ = whole_file._meaningful(whole_file._as_text(even, every, quoted), every)
        return even if meaning.all() else None


def _scan(text: bytes) -> tuple[int, bool]:
    """How many line feeds there are, and whether a field or a line is empty: separators side by side, or one first."""
    bytes_ = np.frombuffer(text, np.uint8)
    lines, empty, before = 0, False, True
    for at in range(0, len(bytes_), _SCANNED):  # piece by piece, which stay in cache
        piece = bytes_[at : at + _SCANNED]
        feeds = piece == _LINE_FEED
        separators = feeds | (piece == _COMMA)
        lines += int(np.count_nonzero(feeds))
        empty = empty or bool(before and separators[0]) or bool(np.any(separators[1:] & separators[:-1]))
        before = separators[-1]
    return lines, empty


def _beyond_doubles(table: Any, columns: list[str]) -> bool:
    """Whether a whole number was read as a double that may not hold it exactly."""
    from pyarrow import compute

    found = (table.column(column) for column in columns)
    return any(pa.types.is_floating(c.type) and (compute.max(compute.abs(c)).as_py() or 0) >= 2.0**53 for c in found)


def _records(text: bytes) -> Iterator[tuple[int, bytes]]:
    """Every record that is not empty with the number of its first line, from 1."""
    number = 1
    for record in split_records(text):
        if record.strip(b"\r\n"):
            yield number, record
        number += len(record.splitlines())
