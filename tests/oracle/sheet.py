"""Real trips as a sheet of text, to be bent into hostile files."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import pyarrow as pa

from tests.oracle.columns import COLUMNS, LOWER_CASE, Kind

DATA = Path(__file__).parents[2] / "examples" / "data"
ROWS = 60
ARROW_TYPES: dict[Kind, pa.DataType] = {
    "whole": pa.int64(),
    "number": pa.float64(),
    "time": pa.timestamp("us"),
    "flag": pa.string(),
}


@dataclass(frozen=True)
class Sheet:
    """A header and rows of text under it; every method that changes something answers with a new sheet."""

    header: list[str]
    rows: list[list[str]]

    @classmethod
    def real(cls, month: str = "2018-01", rows: int = ROWS, skip: int = 0) -> Self:
        """Yellow trips of a shipped month, as they were published."""
        with (DATA / f"yellow_tripdata_{month}.csv").open(newline="") as file:
            header, *records = csv.reader(file)
        return cls(header, records[skip : skip + rows])

    def put(self, values: Mapping[str, Sequence[str]], start: int = 3) -> Self:
        """The values of each column stand one a row, from row `start` (counted from 0) on."""
        rows = [list(row) for row in self.rows]
        for column, texts in values.items():
            at = self.header.index(column)
            for row, text in zip(rows[start:], texts, strict=False):
                row[at] = text
        return replace(self, rows=rows)

    def fill(self, column: str, text: str) -> Self:
        """The same text in every row of a column."""
        return self.put({column: [text] * len(self.rows)}, start=0)

    def add(self, column: str, texts: Sequence[str], at: int | None = None) -> Self:
        """One more column, last or before position `at`; `texts` repeat as often as there are rows."""
        where = len(self.header) if at is None else at
        rows = [[*row[:where], texts[i % len(texts)], *row[where:]] for i, row in enumerate(self.rows)]
        return replace(self, header=[*self.header[:where], column, *self.header[where:]], rows=rows)

    def drop(self, *columns: str) -> Self:
        return self.only(*[name for name in self.header if name not in columns])

    def only(self, *columns: str) -> Self:
        """These columns in this order."""
        places = [self.header.index(name) for name in columns]
        return replace(self, header=list(columns), rows=[[row[at] for at in places] for row in self.rows])

    def last(self, column: str) -> Self:
        """The same columns with one of them moved to the end of the line."""
        return self.only(*[name for name in self.header if name != column], column)

    def lower_case(self) -> Self:
        return replace(self, header=[LOWER_CASE.get(name, name) for name in self.header])

    def green(self) -> Self:
        """The same trips under the names that green trips go by."""
        return replace(self, header=[name.replace("tpep_", "lpep_") for name in self.header])

    def text(self, end: str = "\n", quoting: int = csv.QUOTE_MINIMAL) -> str:
        """The sheet as CSV, every line ended."""
        out = io.StringIO()
        csv.writer(out, lineterminator=end, quoting=quoting).writerows([self.header, *self.rows])  # type: ignore[arg-type]
        return out.getvalue()

    def csv(self, path: Path) -> Path:
        path.write_text(self.text(), newline="")
        return path

    def table(self) -> pa.Table:
        """The sheet as Arrow's canonical types; an empty field is null, a column we do not know stays text."""
        kinds = COLUMNS["yellow"] | COLUMNS["green"]
        columns = {}
        for at, name in enumerate(self.header):
            texts = pa.array([row[at] or None for row in self.rows], pa.string())
            columns[name] = texts.cast(ARROW_TYPES[kinds[name]]) if name in kinds else texts
        return pa.table(columns)
