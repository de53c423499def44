"""The tables beside the answers hold what the answers hold."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.runtime.outputs import RunFolder
from jobs.runtime.presenting import write_tables

DAY, MOMENT = "2018-01-05", "2018-01-05T10:00:00"


def written(folder: Path, rows: list[dict[str, Any]]) -> Any:
    write_tables(RunFolder(str(folder), "run"), {"rows": rows})
    return pq.read_table(next(folder.rglob("rows.parquet")))


@pytest.mark.parametrize(
    ("name", "values", "kind", "held"),
    [
        ("n", [1, None], pa.int64(), [1, None]),
        ("n", [1, 2.5, None], pa.float64(), [1.0, 2.5, None]),
        ("n", [0.1, 5e-324, 1.7e308, -0.0], pa.float64(), [0.1, 5e-324, 1.7e308, -0.0]),
        ("n", [2**63, 1], pa.float64(), [2.0**63, 1.0]),
        ("n", [10**400, 1], pa.string(), [str(10**400), "1"]),
        ("n", [None, None], pa.int64(), [None, None]),
        ("there", [True, None, False], pa.bool_(), [True, None, False]),
        ("words", ["", None, "two\nlines", "a,b", '"', "007", "1e5"], pa.string(), None),
        ("words", ["x" * 3_000_000, "é"], pa.string(), None),
        ("words", ["one", 2, True], pa.string(), ["one", "2", "true"]),
        ("words", [{"a": [1]}, ["b", None]], pa.string(), ['{"a": [1]}', '["b", null]']),
        ("pickup_date", [DAY, None], pa.date32(), [date(2018, 1, 5), None]),
        ("pickup_date", [f"{DAY}T00:00:00", None], pa.timestamp("us"), [datetime.fromisoformat(DAY), None]),
        ("pickup_date", [DAY, MOMENT], pa.string(), None),
        ("pickup_date", [DAY, ""], pa.string(), None),
        ("pickup_at", [MOMENT, f"{MOMENT}.250000"], pa.timestamp("us"), None),
        ("pickup_at", [f"{MOMENT}-05:00"], pa.string(), None),
        ("pickup_at", [f"{MOMENT}.123456789"], pa.string(), None),
        ("looks_at", ["Midtown", "Harlem"], pa.string(), None),
        ("born_date", ["20180105"], pa.string(), None),
    ],
)
def test_a_column(name: str, values: list[Any], kind: Any, held: list[Any] | None, tmp_path: Path) -> None:
    table = written(tmp_path, [{name: value} for value in values])
    assert table.schema.field(name).type == kind
    found = table[name].to_pylist()
    if kind == pa.timestamp("us") and held is None:
        assert [moment.isoformat() for moment in found] == values
    else:
        assert found == (values if held is None else held)


def test_columns_keep_their_order_and_their_names(tmp_path: Path) -> None:
    table = written(tmp_path, [{"b": 1, 'a "x"': 2, "": 3}, {"": 6, "b": 4, 'a "x"': 5}])
    assert table.to_pydict() == {"b": [1, 4], 'a "x"': [2, 5], "": [3, 6]}
    assert next(tmp_path.rglob("rows.csv")).read_text() == 'b,"a ""x""",\n1,2,3\n4,5,6\n'


@pytest.mark.parametrize("answer", [[], [{}], [1], [{"a": 1}, {"b": 2}], {"a": 1}])
def test_what_has_no_rows_of_the_same_fields_is_no_table(answer: Any, tmp_path: Path) -> None:
    folder = RunFolder(str(tmp_path), "run")
    write_tables(folder, {"it": answer})
    assert folder.outputs == []
