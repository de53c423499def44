"""What a run writes beside its answers: tables, plots and the report."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from jobs.runtime.outputs import RunFolder
from jobspec import Job, Result

SMALL_TABLE = 10_000  # rows up to which a table is written as CSV too


def write_tables(folder: RunFolder, answers: Mapping[str, Any]) -> None:
    """Every answer that has rows, as `tables/<name>.parquet`, and as `.csv` where it is small."""
    for name, rows in answers.items():
        if _are_rows(rows):
            text = _csv(rows)
            folder.write(f"tables/{name}.parquet", _parquet(text, rows), "application/vnd.apache.parquet")
            if len(rows) <= SMALL_TABLE:
                folder.write(f"tables/{name}.csv", text, "text/csv")


def _are_rows(answer: Any) -> bool:
    """Whether an answer is a list of rows that all have the same fields."""
    return (
        isinstance(answer, list)
        and bool(answer)
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


def _parquet(text: bytes, rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The CSV as Parquet: to make a table of rows pyarrow would first import pandas, 0.2 s of a short run."""
    import pyarrow as pa
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    types = {name: _type(name, [row[name] for row in rows]) for name in rows[0]}
    options = pc.ConvertOptions(column_types=types, null_values=[""], strings_can_be_null=True)
    sink = io.BytesIO()
    pq.write_table(pc.read_csv(pa.BufferReader(text), convert_options=options), sink)
    return sink.getvalue()


def _type(name: str, values: Sequence[Any]) -> Any:
    """The Arrow type of a column of an answer."""
    import pyarrow as pa

    found = {type(value) for value in values if value is not None}
    if found == {str} and name.endswith("_date"):
        return pa.date32()
    if found == {str} and name.endswith("_at"):
        return pa.timestamp("us")
    if found <= {int} and all(value is None or -(2**63) <= value < 2**63 for value in values):
        return pa.int64()
    return pa.float64() if found <= {int, float} else pa.bool_() if found == {bool} else pa.string()


def _csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    sink = io.StringIO()
    writer = csv.DictWriter(sink, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return sink.getvalue().encode()
