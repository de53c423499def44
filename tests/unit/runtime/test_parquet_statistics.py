"""Null counts out of a footer are those that Arrow finds, and a damaged footer only makes them unknown."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.runtime.parquet_statistics import null_counts
from tests.oracle.hostile_parquet import PARQUET_CASES
from tests.oracle.sheet import DATA

SHIPPED = sorted(DATA.glob("*.parquet"))


def footer(path: Path) -> bytes:
    raw = path.read_bytes()
    return raw[-8 - int.from_bytes(raw[-8:-4], "little") : -8]


def by_arrow(path: Path) -> list[dict[str, int]]:
    metadata = pq.read_metadata(path)
    counts = []
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        chunks = [group.column(at) for at in range(group.num_columns)]
        known = [c for c in chunks if c.statistics and c.statistics.has_null_count and c.path_in_schema.count(".") == 0]
        counts.append({chunk.path_in_schema: chunk.statistics.null_count for chunk in known})
    return counts


def test_the_shipped_files_have_counts_to_compare() -> None:
    assert [len(counts) for path in SHIPPED for counts in by_arrow(path)] == [19, 20]


@pytest.mark.parametrize("case", PARQUET_CASES)
def test_the_same_as_arrow(case: str, tmp_path: Path) -> None:
    for path in PARQUET_CASES[case](tmp_path):
        if path.suffix == ".parquet":
            expected = by_arrow(path)
            assert list(null_counts(footer(path), len(expected))) == expected


def test_a_column_inside_another_is_not_taken_for_one_with_a_dot(tmp_path: Path) -> None:
    table = pa.table({"a": [{"b": None}, {"b": 1}], "a.b": [1, 2]})
    pq.write_table(table, tmp_path / "dots.parquet")
    assert null_counts(footer(tmp_path / "dots.parquet"), 1) == ({"a.b": 0},)


EDITS = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=6)


@given(path=st.sampled_from(SHIPPED), edits=EDITS, length=st.integers(0, 20_000))
def test_damage_raises_nothing(path: Path, edits: list[tuple[int, int]], length: int) -> None:
    raw = bytearray(footer(path))
    for at, byte in edits:
        raw[at % len(raw)] = byte
    (counts,) = null_counts(bytes(raw[:length]), 1)
    assert all(0 <= nulls < 2**64 for nulls in counts.values())


@given(noise=st.binary(max_size=300), groups=st.integers(0, 3))
def test_noise_tells_nothing(noise: bytes, groups: int) -> None:
    assert len(null_counts(noise, groups)) == groups


@pytest.mark.parametrize("endless", [b"\x1c" * 100_000, b"\x16" + b"\xff" * 10**6, b"\x19\xf1" + b"\xff" * 8 + b"\x01"])
def test_neither_depth_nor_length_is_believed(endless: bytes) -> None:
    assert null_counts(endless, 2) == ({}, {})
