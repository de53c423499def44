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
        if isinstance(rows, list) and rows:
            folder.write(f"tables/{name}.parquet", _parquet(rows), "application/vnd.apache.parquet")
            if len(rows) <= SMALL_TABLE:
                folder.write(f"tables/{name}.csv", _csv(rows), "text/csv")


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


def _parquet(rows: Sequence[Mapping[str, Any]]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = []
    for name in rows[0]:
        column = pa.array([row[name] for row in rows])
        if pa.types.is_string(column.type) and name.endswith("_date"):
            column = column.cast(pa.date32())
        elif pa.types.is_string(column.type) and name.endswith("_at"):
            column = column.cast(pa.timestamp("us"))
        columns.append(column)
    sink = io.BytesIO()
    pq.write_table(pa.table(dict(zip(rows[0], columns, strict=True))), sink)
    return sink.getvalue()


def _csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    sink = io.StringIO()
    writer = csv.DictWriter(sink, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return sink.getvalue().encode()
