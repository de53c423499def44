"""CSV files as records of text, before anybody asks what the text means."""

import csv
import gzip
import io
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class Records:
    """What a CSV file holds: its header, its whole rows as text, and the lines that are no rows at all."""

    header: list[str]
    rows: list[list[str]]
    lines: list[int]
    """The line of the file, counted from 1, at which each row begins."""
    unterminated: bool
    """Whether the last of `rows` ends with the file rather than with a line end."""
    set_aside: list[tuple[int, str]] = field(default_factory=list)
    """Line and reason of each line with too many or too few fields."""

    def table(self, columns: dict[str, int]) -> pa.Table:
        """`columns` (name: position) as text, an empty field being null, with `_line` and `_unterminated`."""
        last = len(self.rows) - 1
        text = {name: [row[at] or None for row in self.rows] for name, at in columns.items()}
        table = pa.table({name: pa.array(values, pa.string()) for name, values in text.items()})
        table = table.append_column("_line", pa.array(self.lines, pa.int64()))
        ends = [self.unterminated and at == last for at in range(len(self.rows))]
        return table.append_column("_unterminated", pa.array(ends, pa.bool_()))


def read_records(path: Path) -> Records:
    """The records of a CSV file, plain or gzip, whatever its line ends; blank lines are no records."""
    raw = path.read_bytes()
    if raw.startswith(GZIP_MAGIC):
        raw = gzip.decompress(raw)
    text = raw.decode("utf-8-sig", errors="replace")
    open_ended = bool(text) and not text.endswith("\n")
    reader = csv.reader(io.StringIO(text, newline=""))
    records: list[tuple[int, list[str]]] = []
    line = 1
    for fields in reader:
        if fields:
            records.append((line, fields))
        line = reader.line_num + 1
    if not records:
        return Records([], [], [], unterminated=False)
    header = records[0][1]
    rows, lines, set_aside = [], [], []
    last_is_row = False
    for at, fields in records[1:]:
        last_is_row = len(fields) == len(header)
        cut = open_ended and at == records[-1][0] and len(fields) < len(header)
        if last_is_row:
            rows.append(fields)
            lines.append(at)
        else:
            set_aside.append((at, "truncated_line" if cut else "field_count"))
    return Records(header, rows, lines, unterminated=open_ended and last_is_row, set_aside=set_aside)
