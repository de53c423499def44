"""Any split of the data and any order of merging gives byte-identical answers, and the same account of quality."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.runtime.answering import Asked
from jobs.runtime.tally import Tally, merged
from tests.unit.runtime.drawn import ARROW, COLUMNS_DRAWN, ROWS, Row
from tests.unit.runtime.units import Cut, Merge, planned, printed

HEADER = [
    "VendorID", "tpep_pickup_datetime", "tpep_dropoff_datetime", "passenger_count", "trip_distance", "RatecodeID",
    "store_and_fwd_flag", "PULocationID", "fare_amount", "tip_amount",
]  # fmt: skip
TIMES = ["2018-01-05 10:00:00", "2018-01-05 10:00:00", "2018-01-05 10:12:30", "2018-01-06 00:00:01"]
ODD_TIMES = [
    "",
    "2018-01-05 10:30:00.5",
    "01/05/2018 10:45:00 AM",
    "2018-02-30 10:00:00",
    "2018-01-05",
    "02/30/2018 01:00:00 PM",
    "x",
]
WHOLE_NUMBERS = ["1", "2", "2", "48", "265", "1"]
ODD_WHOLE_NUMBERS = [
    "",
    "1.0",
    "0x1F",
    "1.5",
    "300",
    "-1",
    "9007199254740993",
    "CMT",
    "99999999999999999999",
    " 2",
    "nan",
    "abc",
    "1e2",
    " ",
]
NUMBERS = ["2.5", "0.1", "8.5", "0", "200", "12.25"]
ODD_NUMBERS = [
    "",
    "-0.0",
    "nan",
    "inf",
    "-0.01",
    "8388608",
    "8388607.9999",
    "1e17",
    "-1e17",
    "1e300",
    "5e-324",
    " 3.5 ",
    "3.",
    "0x10",
    "abc",
]
FLAGS = ["N", "Y", ""]


TIME, ID, NUMBER = (TIMES, ODD_TIMES), (WHOLE_NUMBERS, ODD_WHOLE_NUMBERS), (NUMBERS, ODD_NUMBERS)
FIELDS = [ID, TIME, TIME, ID, NUMBER, ID, (FLAGS, FLAGS), ID, NUMBER, NUMBER]


@st.composite
def records(draw: st.DrawFn) -> str:
    """A plain line as often as one with a single odd field, or with several."""
    odd = draw(st.sampled_from([0, 0, 1, 1, 3]))
    places = draw(st.sets(st.integers(0, len(FIELDS) - 1), max_size=odd, min_size=odd))
    return ",".join(draw(st.sampled_from(kinds[at in places])) for at, kinds in enumerate(FIELDS))


RECORDS = records()
# What is no record of ten fields: nothing at all, too few and too many, commas only, text that is not UTF-8.
ODD_LINES = st.sampled_from(["", "", "1,2,3", "," * 9, "," * 12, "bad", "\udcff" + "," * 9])
QUOTED_LINES = st.sampled_from(
    [
        '"1",' + ",".join(TIMES[:2]) + ',1,2.5,1,"N\n",48,8.5,1',
        '1,,,1,2.5,1,"two\nlines, ""and"" more",48,8.5,1',
        '"",' * 9 + '""',
    ]
)
ENDS = st.sampled_from(["\n", "\n", "\n", "\r\n", "\r"])


@st.composite
def csv_texts(draw: st.DrawFn) -> bytes:
    """A file as hostile as they come: mixed line ends, nulls, words, hex, wrong field counts, a cut-off end."""
    lines = RECORDS | RECORDS | RECORDS | ODD_LINES
    ends = draw(st.sampled_from([st.just("\n"), st.just("\r\n"), ENDS]))
    body = [line + draw(ends) for line in draw(st.lists(lines, min_size=draw(st.sampled_from([0, 16])), max_size=25))]
    if draw(st.booleans()):  # in a long file sometimes too late for a look at its head to find it
        place = draw(st.sampled_from([0, 3 * len(body) // 4, len(body)]))
        body.insert(place, draw(QUOTED_LINES) + draw(ends))
    cut = draw(
        st.just("") | RECORDS | RECORDS.flatmap(lambda line: st.integers(1, len(line)).map(lambda at: line[:at]))
    )
    names = ",".join(HEADER)
    return (draw(st.sampled_from(["", "\ufeff", "\n"])) + names + draw(ends) + "".join(body) + cut).encode(
        "utf-8", "surrogateescape"
    )


@st.composite
def merges(draw: st.DrawFn) -> Merge:
    """Any order and any tree of merging."""
    random = draw(st.randoms(use_true_random=False))

    def merge(tallies: list[Tally], asked: Asked) -> list[Tally]:
        left = random.sample(tallies, len(tallies))
        while len(left) > 2:
            some = [left.pop(random.randrange(len(left))) for _ in range(random.randint(2, min(4, len(left))))]
            left.append(merged(some, asked.questions))
        return left

    return merge


CUTS = st.builds(
    Cut,
    unit_bytes=st.integers(20, 900),
    block_bytes=st.integers(1, 900),
    unit_rows=st.integers(1, 9),
    head_bytes=st.sampled_from([300, 300, 2**20]),
    merge=merges(),
)
KEEP = st.sampled_from(["plausible", "all"])


@contextmanager
def folder() -> Iterator[Path]:
    """A new folder for one example: pytest's own lasts for all of them."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@settings(max_examples=120)
@given(text=csv_texts(), cut=CUTS, keep=KEEP, data=st.data())
def test_a_csv_however_it_is_cut(text: bytes, cut: Cut, keep: str, data: st.DataObject) -> None:
    with folder() as here:
        path = here / "yellow_tripdata_2018-01.csv"
        path.write_bytes(text)
        whole = printed([path], keep=keep)
        assert printed([path], cut, keep) == whole
        # Once more with a border just behind a line, just before it, or between its carriage return and its feed.
        body = planned([path])[0].files[0].body
        ends = [at - body + 1 for at in range(body, len(text)) if text[at] == 10] or [1]
        border = data.draw(st.sampled_from(ends)) + data.draw(st.sampled_from([0, 0, -1, 1]))
        assert printed([path], replace(cut, unit_bytes=max(1, border)), keep) == whole
        lines = text.decode("utf-8", "replace").replace("\ufeff", "").splitlines()
        for example in json.loads(whole)["quality"]["set_aside_examples"]:
            assert lines[example["line"] - 1].startswith(example["text"].splitlines()[0]), example


@settings(max_examples=40)
@given(rows=st.lists(ROWS, max_size=30), group=st.integers(1, 9), cut=CUTS, keep=KEEP)
def test_parquet_however_it_is_cut(rows: list[Row], group: int, cut: Cut, keep: str) -> None:
    with folder() as here:
        (here / "a").mkdir()
        one = parquet(here / "a" / "yellow_tripdata_2018-01.parquet", rows, row_group_size=100)
        whole = printed([one], keep=keep)
        many = parquet(here / "a" / "yellow_tripdata_2018-01.parquet", rows, row_group_size=group)
        assert printed([many], cut, keep) == whole


@settings(max_examples=40)
@given(
    rows=st.lists(ROWS, min_size=1, max_size=30),
    borders=st.lists(st.integers(0, 30), max_size=4),
    cut=CUTS,
    data=st.data(),
)
def test_as_many_files_of_either_format(rows: list[Row], borders: list[int], cut: Cut, data: st.DataObject) -> None:
    keep = data.draw(KEEP)
    with folder() as here:
        whole = printed([csv(here / "yellow_tripdata_2018-01.csv", rows)], keep=keep)
        places = [0, *sorted(min(border, len(rows)) for border in borders), len(rows)]
        paths = []
        for at, (start, end) in enumerate(pairwise(places)):
            write = data.draw(st.sampled_from([csv, parquet]))
            paths.append(write(here / f"part_{at}_yellow_2018-01", rows[start:end]))
        assert printed(paths, cut, keep) == whole


def parquet(path: Path, rows: Sequence[Row], **options: Any) -> Path:
    columns = {
        column.name: pa.array([row[column.name] for row in rows], ARROW[column.kind]) for column in COLUMNS_DRAWN
    }
    pq.write_table(pa.table(columns), path, **options)
    return path


def csv(path: Path, rows: Sequence[Row]) -> Path:
    lines = [",".join(column.name for column in COLUMNS_DRAWN)]
    lines += [",".join(written(row[column.name], column.kind) for column in COLUMNS_DRAWN) for row in rows]
    path.write_text("\n".join(lines) + "\n")
    return path


def written(value: Any, kind: str) -> str:
    if value is None:
        return ""
    if kind == "timestamp":
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value)
        return moment.replace(tzinfo=None).isoformat(sep=" ")
    return repr(value)
