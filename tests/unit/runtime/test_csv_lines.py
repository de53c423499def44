"""Lines of CSV: which are trips, which are set aside and why, and that none is read twice or not at all."""

import gzip
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from jobs.runtime import csv_bytes, finishing
from jobs.runtime.answering import answer
from jobs.runtime.tripfile import Reading
from jobspec import UnreadableFile
from tests.unit.runtime.units import WHOLE, Cut, planned, printed, tally_of, told

HEADER = "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,PULocationID,fare_amount"
TRIP = "1,2018-01-05 10:00:00,2018-01-05 10:10:00,1,2.5,48,9.5"
SMALL = Cut(unit_bytes=70, block_bytes=50)


@pytest.fixture
def month(tmp_path: Path) -> Path:
    return tmp_path / "yellow_tripdata_2018-01.csv"


def read(path: Path, text: str | bytes, cut: Cut = WHOLE) -> dict[str, Any]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return told([path], cut)


def set_aside(quality: dict[str, Any]) -> list[tuple[int, str, str | None]]:
    return [(e["line"], e["reason"], e["column"]) for e in quality["set_aside_examples"]]


@pytest.mark.parametrize("cut", [WHOLE, SMALL], ids=["whole", "small"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_lines_that_are_set_aside_are_numbered_as_in_the_file(month: Path, end: str, cut: Cut) -> None:
    bad_fare = TRIP.replace("9.5", "abc")
    text = end.join(["", HEADER, TRIP, "1,2", "", bad_fare, TRIP, TRIP, TRIP + ",,", TRIP, "1,2018-01"])
    found = read(month, text, cut)
    assert set_aside(found["quality"]) == [
        (4, "field_count", None),
        (6, "bad_value", "fare_amount"),
        (9, "field_count", None),
        (11, "truncated_line", None),
    ]
    assert found["answers"]["trips"] == 4


def test_of_many_lines_set_aside_the_first_hundred_are_shown(month: Path) -> None:
    text = "\n".join([HEADER, *[TRIP.replace("9.5", "abc")] * 60, *["1,2"] * 120, TRIP.replace("48", "here"), TRIP, ""])
    found = read(month, text)
    assert [line for line, *_ in set_aside(found["quality"])] == [*range(2, 102)]
    assert found["quality"]["lines_set_aside"] == {"bad_value": 61, "field_count": 120}
    assert printed([month], Cut(unit_bytes=500, block_bytes=300)) == printed([month])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_a_last_line_without_its_end_is_a_trip_if_it_is_whole(month: Path, end: str) -> None:
    found = read(month, end.join([HEADER, TRIP, TRIP]))
    assert (found["answers"]["trips"], found["quality"]["unterminated"]) == (2, 1)
    assert found["quality"]["lines_set_aside"] == {}


@pytest.mark.parametrize("lost", range(1, len(TRIP)))
def test_a_last_line_that_was_cut_off_is_set_aside_wherever_that_shows(month: Path, lost: int) -> None:
    """A fare that lost its last digit is a fare; whatever else is lost shows."""
    cut_off = TRIP[:-lost]
    found = read(month, f"{HEADER}\n{TRIP}\n{cut_off}")
    shows = cut_off.count(",") < 6 or cut_off.endswith((",", "."))
    kept = cut_off.endswith(",") and cut_off.count(",") == 6  # an empty fare is null, not malformed
    shows = shows and not kept
    assert found["quality"]["truncated_line"] == int(shows)
    assert found["quality"]["unterminated"] == int(not shows)
    assert found["quality"]["trips"]["read"] == 2 - int(shows)


def test_a_line_is_no_longer_than_64_mib(month: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it is met in the midst of a range or at its border; a quote that is never closed makes one, too."""
    assert csv_bytes.MAX_LINE == 64 * 2**20
    monkeypatch.setattr(csv_bytes, "MAX_LINE", 400)
    blocks, ranges = Cut(block_bytes=50), Cut(unit_bytes=70, head_bytes=len(HEADER) + 1)
    longest = read(month, "\n".join([HEADER, TRIP, "x" * 400, TRIP, ""]), blocks)
    assert longest["quality"]["lines_set_aside"] == {"field_count": 1}
    longer = "\n".join([HEADER, TRIP, "x" * 5000, TRIP, ""])
    unclosed = "\n".join([HEADER, TRIP, f'"{TRIP}', *[TRIP] * 10, ""])
    for text, cut in ((longer, blocks), (longer, ranges), (unclosed, blocks)):
        with pytest.raises(UnreadableFile, match="a line is longer than 400 bytes"):
            read(month, text, cut)


@pytest.mark.parametrize("column", ["VendorID", "passenger_count", "PULocationID", "fare_amount"])
def test_hexadecimals_are_no_numbers(month: Path, column: str) -> None:
    """Not even in a file whose every other text is plain, where Arrow would take one for a whole number."""
    fields = TRIP.split(",")
    fields[HEADER.split(",").index(column)] = "0x1F"
    assert set_aside(read(month, "\n".join([HEADER, TRIP, ",".join(fields), ""]))["quality"]) == [
        (3, "bad_value", column)
    ]


@pytest.mark.parametrize("blank", ["", "\r\n"], ids=["", "an empty line under the header"])
@pytest.mark.parametrize("cut", [WHOLE, SMALL], ids=["whole", "small"])
def test_nameless_empty_fields_at_the_end_are_passed_over(month: Path, blank: str, cut: Cut) -> None:
    """As in the green files of 2014: two commas more than the header has, and an empty line under it."""
    found = read(month, f"{HEADER}\r\n{blank}" + f"{TRIP},,\r\n" * 5 + f"{TRIP}\r\n{TRIP},\r\n{TRIP},,,\r\n", cut)
    assert found["answers"]["trips"] == 7
    assert found["quality"]["lines_set_aside"] == {"field_count": 1}


def test_words_that_stood_for_numbers_and_american_times(month: Path) -> None:
    american = "1,01/05/2018 10:00:00 AM,01/05/2018 10:10:00 AM"
    header = HEADER + ",payment_type"
    lines = [
        f"CMT,{TRIP[2:]},Credit",
        f"VTS,{TRIP[2:]},CASH",
        f"{TRIP},1",
        f"DDS,{TRIP[2:]},1",
        f"{american},1,2.5,48,9.5,2",
        TRIP.replace("2018-01-05 10:00:00", "02/30/2018 10:00:00 AM") + ",2",
    ]
    found = read(month, "\n".join([header, *lines, ""]))
    assert [(v["vendor_id"], v["trips"]) for v in found["answers"]["vendors"]] == [(1, 3), (2, 1)]
    assert found["answers"]["duration_seconds"] == {"min": 600, "max": 600, "mean": 600.0}
    assert set_aside(found["quality"]) == [(5, "bad_value", "VendorID"), (7, "bad_value", "tpep_pickup_datetime")]


@pytest.mark.parametrize("cut", [WHOLE, SMALL], ids=["whole", "small"])
def test_quotes_in_the_middle_send_the_whole_file_back(month: Path, cut: Cut) -> None:
    plain = [TRIP + ",note"] * 30_000  # a head without quotes: nothing warns of them
    plain[29_000] = TRIP + ',"said ""no"",\nand\r\nleft"'
    plain[29_500] = "1,2"
    cut = replace(cut, unit_bytes=cut.unit_bytes * 2000, block_bytes=cut.block_bytes * 2000)
    found = read(month, "\n".join([HEADER + ",note", *plain, ""]), cut)
    assert found["answers"]["trips"] == 29_999
    assert set_aside(found["quality"]) == [(29_504, "field_count", None)]
    assert planned([month])[0].files[0].whole is False


def test_no_border_inside_a_quoted_text_tears_it(month: Path) -> None:
    trips = [TRIP + ",note"] * 8
    trips[6] = TRIP + f',"a trip like\n{TRIP},this\none"'
    lines = "\n".join([*trips, ""])
    month.write_text(f"{HEADER},note\n{lines}")
    whole = printed([month])
    assert told([month])["answers"]["trips"] == 8
    for border in range(lines.index('"') - 2, lines.rindex('"') + 4, 2):
        assert printed([month], Cut(unit_bytes=border // 2, head_bytes=300)) == whole


class TestGzip:
    TEXT = f"{HEADER}\n{TRIP}\n{TRIP}\n{TRIP}\n".encode()

    @pytest.mark.parametrize(
        "cuts",
        [[], [0], [20], [len(HEADER) + 1], [len(HEADER) + 30, len(HEADER) + 80], [0, 0, 5]],
        ids=["one", "nothing first", "inside the header", "header alone", "inside lines", "nothing twice"],
    )
    def test_several_members_are_one_text(self, month: Path, cuts: list[int]) -> None:
        places = [0, *cuts, len(self.TEXT)]
        packed = b"".join(gzip.compress(self.TEXT[a:b]) for a, b in pairwise(places))
        assert read(month, packed, SMALL)["answers"]["trips"] == 3
        assert read(month, packed + b"\0" * 512)["answers"]["trips"] == 3, "padding"

    @pytest.mark.parametrize("lost", [1, 8, 9, 30])
    def test_one_that_ends_in_the_middle_is_no_file_of_trips(self, month: Path, lost: int) -> None:
        with pytest.raises(UnreadableFile, match="ends in the middle"):
            read(month, gzip.compress(self.TEXT)[:-lost])

    @pytest.mark.parametrize("tail", [b"garbage", gzip.compress(b"1")[:5]])
    def test_what_follows_must_be_gzip_too(self, month: Path, tail: bytes) -> None:
        with pytest.raises(UnreadableFile, match="gzip"):
            read(month, gzip.compress(self.TEXT) + tail)

    def test_a_wrong_checksum_is_found(self, month: Path) -> None:
        packed = bytearray(gzip.compress(self.TEXT))
        packed[-8] ^= 1
        with pytest.raises(UnreadableFile, match="gzip"):
            read(month, bytes(packed))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x" * 200_000 + "\n1\n", "not CSV"),
        ("a\0b,c\n1,2\n", "NUL"),
        ("name,age\nJo,3\n", "none of its columns"),
        ("VendorID,vendor_id\n1,1\n", "two of its columns"),
        (b"\xff\xfe,\n1,2\n", "UTF-8"),
    ],
    ids=["an endless field", "NUL", "another table", "a column twice", "another encoding"],
)
def test_what_is_no_file_of_trips_is_said_to_be_none(month: Path, text: str | bytes, why: str) -> None:
    with pytest.raises(UnreadableFile, match=why):
        read(month, text)


class TestTiling:
    """Ranges that do not tile their file would be the silent kind of wrong."""

    def tally(self, month: Path, change: Any) -> None:
        month.write_text("\n".join([HEADER, *[TRIP] * 9, ""]))
        plan, asked = planned([month])
        tally = tally_of(plan, asked, SMALL)
        finishing.check_whole(tally, plan)
        uri = plan.files[0].uri
        tally.ranges[uri] = tuple(change(sorted(tally.ranges[uri], key=lambda r: r.start)))
        finishing.check_whole(tally, plan)

    def test_in_any_order(self, month: Path) -> None:
        self.tally(month, lambda ranges: ranges[::-1])

    @pytest.mark.parametrize(
        "change",
        [
            lambda ranges: ranges[1:],
            lambda ranges: ranges[:-1],
            lambda ranges: [*ranges[:2], *ranges[3:]],
            lambda ranges: [*ranges, ranges[2]],
            lambda ranges: [replace(ranges[0], end=ranges[0].end - 1), *ranges[1:]],
            lambda ranges: [],
        ],
        ids=["the first lost", "the last lost", "one lost", "one twice", "a byte short", "none"],
    )
    def test_a_gap_or_an_overlap_is_found(self, month: Path, change: Any) -> None:
        with pytest.raises(UnreadableFile, match="read"):
            self.tally(month, change)

    def test_a_record_that_is_neither_a_trip_nor_set_aside_is_found(self, month: Path) -> None:
        class Forgetful(list[Any]):
            def append(self, item: Any) -> None:
                """Loses what is set aside."""

        month.write_text(f"{HEADER}\n{TRIP}\n1,2\n")
        plan, asked = planned([month])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("jobs.runtime.loading.Reading", lambda: Reading(set_aside=Forgetful()))
            with pytest.raises(UnreadableFile, match="2 lines gave 1 trips and 0 set aside"):
                answer(*WHOLE.units(plan.files[0]), asked)


class TestQuotesThatAreNeverClosed:
    def test_one_that_swallows_lines_fails_the_file(self, month: Path) -> None:
        lines = [HEADER + ",note", *[TRIP + ","] * 3, TRIP + ',"never closed', *[TRIP + ","] * 50, ""]
        with pytest.raises(UnreadableFile, match="a quote is opened 51 lines before its end and never closed"):
            read(month, "\n".join(lines))

    def test_one_in_the_last_line_sets_that_line_aside(self, month: Path) -> None:
        found = read(month, "\n".join([HEADER + ",note", TRIP + ",", TRIP + ',"cut o']))
        assert found["quality"]["lines_set_aside"] == {"truncated_line": 1}
        assert found["answers"]["trips"] == 1

    def test_one_in_the_middle_of_a_field_is_a_character(self, month: Path) -> None:
        found = read(month, "\n".join([HEADER + ",note", TRIP + ',5" pipe', TRIP + ",", ""]))
        assert found["answers"]["trips"] == 2
        assert found["quality"]["lines_set_aside"] == {}
