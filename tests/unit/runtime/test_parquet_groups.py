"""Row groups: every one in exactly one unit, and a footer that lies is found out."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.runtime import finishing, parquet_files
from jobs.runtime.tripfile import TripFile
from jobspec import InputFile, UnreadableFile
from tests.unit.runtime.units import Cut, planned, tally_of, told


@given(groups=st.lists(st.integers(0, 50), max_size=30), unit_rows=st.integers(1, 120), whole=st.booleans())
def test_units_are_runs_of_adjacent_groups_of_about_the_size_asked_for(
    groups: list[int], unit_rows: int, whole: bool
) -> None:
    file = TripFile(
        InputFile(uri="x", bytes=1, etag=""), "parquet", trips=sum(groups), groups=tuple(groups), whole=whole
    )
    units = list(parquet_files.units(file, unit_rows))
    assert sum(unit.trips for unit in units) == sum(groups)
    assert [unit.trips for unit in units] == [sum(groups[unit.start : unit.end]) for unit in units]
    places = [unit.start for unit in units] + [units[-1].end] if units else [0]
    assert places == sorted(set(places)), "units overlap, or are empty"
    assert [unit.end for unit in units[:-1]] == [unit.start for unit in units[1:]]
    assert all(unit.trips <= 2 * unit_rows or unit.end - unit.start == 1 or 0 in groups for unit in units) or whole
    assert len(units) <= 1 or not whole


def distances(path: Path, rows: int, **options: Any) -> Path:
    table = pa.table({"trip_distance": pa.array([0.5] * rows, pa.float64())})
    pq.write_table(table, path, compression="none", use_dictionary=False, **options)
    return path


def test_a_footer_that_promises_more_than_there_is_is_found(tmp_path: Path) -> None:
    few, many = (
        distances(tmp_path / "few.parquet", 5).read_bytes(),
        distances(tmp_path / "many.parquet", 9).read_bytes(),
    )
    body = few[: -8 - int.from_bytes(few[-8:-4], "little")]
    footer = many[-8 - int.from_bytes(many[-8:-4], "little") :]
    lying = tmp_path / "lying.parquet"
    lying.write_bytes(body + footer)
    with pytest.raises(UnreadableFile, match=r"lying\.parquet"):
        told([lying])


@pytest.mark.parametrize("promised", [8, 10])
def test_rows_that_do_not_add_up_to_the_whole_are_found(tmp_path: Path, promised: int) -> None:
    plan, asked = planned([distances(tmp_path / "a.parquet", 9, row_group_size=2)])
    tally = tally_of(plan, asked, Cut(unit_rows=4))
    finishing.check_whole(tally, plan)
    lying = replace(plan, files=(replace(plan.files[0], trips=promised),))
    with pytest.raises(UnreadableFile, match=f"{promised} rows in its footer, 9 read"):
        finishing.check_whole(tally, lying)


def test_a_unit_that_is_not_read_is_found(tmp_path: Path) -> None:
    plan, asked = planned([distances(tmp_path / "a.parquet", 9, row_group_size=2)])

    class Lossy(Cut):
        def units(self, file: TripFile) -> list[Any]:
            return super().units(file)[1:]

    with pytest.raises(UnreadableFile, match="9 rows in its footer"):
        finishing.check_whole(tally_of(plan, asked, Lossy(unit_rows=2)), plan)


def test_a_file_without_rows_has_columns_all_the_same(tmp_path: Path) -> None:
    answers = told([distances(tmp_path / "empty.parquet", 0)])["answers"]
    assert answers["columns"] == [{"name": "trip_distance", "type": "float64", "bytes": 0}]
    assert answers["missing"] == {"trip_distance": 0}


class Forgotten(dict[Any, Any]):
    """What another thread, which needs room for other files, has emptied again at once."""

    def __setitem__(self, key: Any, value: Any) -> None:
        pass


def test_a_footer_that_another_thread_lets_go_of_is_still_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_files, "_footers", Forgotten())
    assert told([distances(tmp_path / "a.parquet", 9, row_group_size=2)])["answers"]["trips"] == 0
