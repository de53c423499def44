"""The scanner of quotes agrees with Python's own reader of CSV, of which it knows nothing."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from jobs.runtime.quoting import count_fields, count_records, last_line_end, outside_quotes, split_records

TEXTS = st.text('a,\r\n"', max_size=30).map(str.encode)


def rows(text: bytes) -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(text.decode(), newline="")) if row]


@given(text=TEXTS)
def test_records_and_fields_are_those_of_the_csv_module(text: bytes) -> None:
    expected = rows(text)
    assert count_records(text) == len(expected)
    records = [record for record in split_records(text) if record.strip(b"\r\n")]
    assert b"".join(split_records(text)) == text
    if not outside_quotes(text)[1]:
        assert [count_fields(record) for record in records] == [len(row) for row in expected]


@given(text=TEXTS)
def test_a_cut_at_the_last_line_end_parts_records(text: bytes) -> None:
    at = last_line_end(text) + 1
    assert rows(text[:at]) + rows(text[at:]) == rows(text)


def test_a_quote_in_the_middle_of_a_field_is_a_character() -> None:
    assert split_records(b'1,5" pipe,2\n3,4,5\n') == [b'1,5" pipe,2\n', b"3,4,5\n"]
    assert not outside_quotes(b'1,5" pipe\n')[1]
    assert outside_quotes(b'1,"pipe\n')[1]
