"""What a run writes beside its answers: tables, plots and the report."""

import csv
import io
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from jobs.runtime.outputs import RunFolder
from jobspec import Job, Result

Row = Mapping[str, Any]
SMALL_TABLE = 10_000  # rows up to which a table is written as CSV too


def write_tables(folder: RunFolder, answers: Mapping[str, Any]) -> None:
    """Every answer that has rows, as `tables/<name>.parquet`, and as `.csv` where it is small."""
    for name, rows in answers.items():
        if _are_rows(rows):
            folder.write(f"tables/{name}.parquet", _parquet(rows), "application/vnd.apache.parquet")
            if len(rows) <= SMALL_TABLE:
                folder.write(f"tables/{name}.csv", _csv(rows), "text/csv")


def _are_rows(answer: Any) -> bool:
    """Whether an answer is a list of rows that all have the same fields."""
    return (
        isinstance(answer, list)
        and answer != []
        and answer[0] != {}
        and all(isinstance(row, dict) and row.keys() == answer[0].keys() for row in answer)
    )


def write_report(folder: RunFolder, result: Result, job: Job) -> None:
    """`plots/*.png` and the self-contained `report.html`."""
    from jobs.reports import Report
    from jobs.runtime import page, plots

    report = job.report(result.answers) if job.report else Report(title=job.description)
    images = {plot.name: plots.draw(plot) for plot in report.plots}
    for name, image in images.items():
        folder.write(f"plots/{name}.png", image, "image/png")
    document = page.render(result.model_dump() | {"outputs": [o.model_dump() for o in folder.outputs]}, report, images)
    folder.write("report.html", document.encode(), "text/html")


def _parquet(rows: Sequence[Row]) -> bytes:
    """The rows as Parquet, by way of JSON: of Python's values pyarrow makes a table only after it has imported pandas,
    0.2 s of a short run.
    """
    import pyarrow as pa
    import pyarrow.json as pj
    import pyarrow.parquet as pq

    columns = {name: _column(name, [row[name] for row in rows]) for name in rows[0]}
    cells = zip(*(values for _, values in columns.values()), strict=True)
    text = "\n".join(json.dumps(dict(zip(columns, row, strict=True))) for row in cells).encode()
    table = pj.read_json(
        pa.BufferReader(text),
        pj.ReadOptions(use_threads=False, block_size=len(text) + 64),
        pj.ParseOptions(explicit_schema=pa.schema([(name, kind) for name, (kind, _) in columns.items()])),
    )
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def _column(name: str, values: Sequence[Any]) -> tuple[Any, Sequence[Any]]:
    """The Arrow type of a column of an answer, and its values as JSON has them for that type.

    A text is a date or a time where the column's name says so and every value is one.
    """
    import pyarrow as pa

    found = {type(value) for value in values if value is not None}
    if found == {str}:
        named = (
            ("_date", pa.date32(), _day),
            ("_date", pa.timestamp("us"), _moment),
            ("_at", pa.timestamp("us"), _moment),
        )
        for ending, kind, read in named:
            if name.endswith(ending) and (parsed := _parsed(values, read)) is not None:
                return kind, parsed
        return pa.string(), values
    if found <= {int} and all(value is None or -(2**63) <= value < 2**63 for value in values):
        return pa.int64(), values
    if found <= {int, float} and all(value is None or abs(value) <= sys.float_info.max for value in values):
        return pa.float64(), values
    if found == {bool}:
        return pa.bool_(), values
    return pa.string(), [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]


def _parsed(values: Sequence[Any], read: Callable[[str], Any]) -> list[Any] | None:
    """Every value as `read` has it; None where it refuses one."""
    try:
        return [None if value is None else read(value) for value in values]
    except ValueError:
        return None


def _day(text: str) -> int:
    """The days since 1970 of an ISO date. Raises ValueError."""
    day = date.fromisoformat(text)
    if day.isoformat() != text:
        raise ValueError(text)
    return day.toordinal() - date(1970, 1, 1).toordinal()


def _moment(text: str) -> str:
    """An ISO time without a zone, as it is. Raises ValueError."""
    if datetime.fromisoformat(text).replace(tzinfo=None).isoformat() != text:
        raise ValueError(text)
    return text


def _csv(rows: Sequence[Row]) -> bytes:
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(rows[0])
    writer.writerows([_cell(row[name]) for name in rows[0]] for row in rows)
    return sink.getvalue().encode()


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, (dict, list)) else value
