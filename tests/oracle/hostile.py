"""Hostile CSV files, made of real trips: each builder writes its files into a folder and says which they are."""

import csv
import gzip
from collections.abc import Callable
from pathlib import Path

from tests.oracle.sheet import DATA, Sheet

Builder = Callable[[Path], list[Path]]
MONTH = "yellow_tripdata_2018-01"

# Column: texts, put into one row after the other of a file that is otherwise real.
VALUES: dict[str, dict[str, list[str]]] = {
    "fractional passengers": {"passenger_count": ["1.5", "0.5", "2.25"]},
    "fractional ids": {"VendorID": ["1.5"], "PULocationID": ["230.5", "0.1"]},
    "whole numbers with a point": {
        "passenger_count": ["1.0", "2.0", "0.0"],
        "VendorID": ["1.0"],
        "PULocationID": ["48.00"],
    },
    "whole numbers with an exponent": {"passenger_count": ["1e0", "2E0"], "PULocationID": ["2.3e2"]},
    "huge passengers": {"passenger_count": ["127", "128", "255", "256", "32768", "4294967296", "1000000000000"]},
    "negative passengers": {"passenger_count": ["-1", "-128", "-129"]},
    "vendors beside and beyond doubles": {"VendorID": ["9007199254740993", "-9223372036854775808", "1.0", "0", "-1"]},
    "whole numbers beyond 64 bits": {"passenger_count": ["9223372036854775808", "1e300", "99999999999999999999999"]},
    "zones out of range": {"PULocationID": ["0", "-1", "266", "300", "1000000000000", "265", "264", "1"]},
    "absurd fares": {"fare_amount": ["429490.25", "1e300", "-1e300", "2000", "2000.01", "0", "-0.01", "-0.0"]},
    "absurd distances": {
        "trip_distance": ["1e300", "-1e300", "200", "200.01", "0", "-0.01", "8388608", "8388607.9999"]
    },
    "huge sums that cancel": {"trip_distance": ["1e17", "1", "-1e17", "0.001"], "fare_amount": ["-1e15", "1e15"]},
    "no numbers": {
        "trip_distance": ["nan", "NaN", "inf", "-inf", "Infinity"],
        "fare_amount": ["inf", "nan"],
        "passenger_count": ["nan", "inf"],
        "PULocationID": ["nan"],
        "VendorID": ["inf"],
    },
    "a plus before": {"fare_amount": ["+8.5"], "passenger_count": ["+2"]},
    "spaces around numbers": {"fare_amount": [" 8.5 ", "8.5 "], "passenger_count": [" 2", "3 "]},
    "numbers without a digit before or behind the point": {"trip_distance": [".5", "-.5", "3."]},
    "pick-ups outside the month": {
        "tpep_pickup_datetime": [
            "2017-12-30 23:59:59",
            "2017-12-31 00:00:00",
            "2018-02-01 23:59:59",
            "2018-02-02 00:00:00",
            "1970-01-01 00:00:00",
            "1969-12-31 23:59:59",
            "2098-12-31 10:00:00",
            "0001-01-01 00:00:00",
            "9999-12-31 23:59:59",
        ]
    },
    "drop-offs far away": {
        "tpep_dropoff_datetime": [
            "0001-01-01 00:00:00",
            "9999-12-31 23:59:59",
            "2001-01-01 00:00:00",
            "2008-12-31 00:00:00",
        ]
    },
    "durations about nothing and a day": {
        "tpep_pickup_datetime": ["2018-01-05 00:00:00"] * 6,
        "tpep_dropoff_datetime": [
            "2018-01-05 00:00:00",
            "2018-01-05 00:00:01",
            "2018-01-04 23:59:59",
            "2018-01-05 23:59:59",
            "2018-01-06 00:00:00",
            "2018-01-06 00:00:01",
        ],
    },
    "moments with a T": {"tpep_pickup_datetime": ["2018-01-05T15:31:57"]},
    "fractional seconds": {
        "tpep_pickup_datetime": ["2018-01-05 15:31:57.5", "2018-01-05 15:31:57.000", "2018-01-05 15:31:57.250000"],
        "trip_distance": ["190", "190", "190"],
    },
    "nulls": {
        "VendorID": ["", "", "1"],
        "tpep_pickup_datetime": ["", "2018-01-05 15:31:57", ""],
        "tpep_dropoff_datetime": ["2018-01-05 15:31:57", "", ""],
        "passenger_count": ["", "1", "", ""],
        "trip_distance": ["1", "1", "1", "", ""],
        "fare_amount": ["1", "1", "1", "1", "1", "", ""],
        "PULocationID": ["1", "1", "1", "1", "1", "1", "1", "", ""],
    },
}

# One text each, that no reader may take for a value of its column.
MALFORMED: dict[str, tuple[str, str]] = {
    "words for a fare": ("fare_amount", "abc"),
    "words for passengers": ("passenger_count", "two"),
    "hex passengers": ("passenger_count", "0x1F"),
    "a hex fare": ("fare_amount", "0x1F"),
    "a hex zone": ("PULocationID", "0xE6"),
    "an underscore in a fare": ("fare_amount", "1_000"),
    "an underscore in passengers": ("passenger_count", "1_0"),
    "wide digits": ("passenger_count", "\uff11"),
    "arabic digits": ("fare_amount", "\u0661"),
    "a comma in a fare": ("fare_amount", "1,5"),
    "two minuses": ("trip_distance", "--1"),
    "a lone minus": ("trip_distance", "-"),
    "half an exponent": ("trip_distance", "1e"),
    "two numbers": ("trip_distance", "1 2"),
    "a boolean": ("VendorID", "true"),
    "a dollar": ("fare_amount", "$8.5"),
    "the 30th of February": ("tpep_pickup_datetime", "2018-02-30 10:00:00"),
    "hour 25": ("tpep_dropoff_datetime", "2018-01-11 25:00:00"),
    "zero month": ("tpep_pickup_datetime", "0000-00-00 00:00:00"),
    "no date": ("tpep_pickup_datetime", "yesterday"),
}


def write(path: Path, text: str | bytes) -> list[Path]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return [path]


def _month(make: Callable[[Sheet], str | bytes], name: str = f"{MONTH}.csv") -> Builder:
    """A single hostile January, from sixty real trips of it."""
    return lambda folder: write(folder / name, make(Sheet.real()))


def _values(texts: dict[str, list[str]]) -> Builder:
    return _month(lambda sheet: sheet.put(texts).text())


def _malformed(column: str, text: str) -> Builder:
    return _month(lambda sheet: sheet.put({column: [text, sheet.rows[4][sheet.header.index(column)], text]}).text())


def _null_laden(sheet: Sheet) -> Sheet:
    """In turn every column of a row null, then all of them, then none."""
    width = len(sheet.header)
    for at, row in enumerate(sheet.rows):
        hole = at % (width + 2)
        sheet.rows[at] = [""] * width if hole == width else ["" if i == hole else text for i, text in enumerate(row)]
    return sheet


def _mixed_ends(sheet: Sheet) -> str:
    lines = sheet.text().splitlines()
    return "".join(line + ("\r\n" if at % 3 == 0 else "\n") for at, line in enumerate(lines))


def _blank_lines(sheet: Sheet) -> str:
    lines = sheet.text().splitlines()
    return "\n" + "".join(line + "\n" * (1 + at % 3) for at, line in enumerate(lines)) + "\n\n"


def _comments(sheet: Sheet) -> str:
    """An extra column whose quoted text holds line ends, quotes, commas, and what looks like a whole trip."""
    trip = ",".join(sheet.rows[7])
    texts = ["", "fine", 'said "no", left', "two\nlines", f"\n{trip},x\n", "carriage\r\nreturn", '"']
    return sheet.add("comment", texts, at=3).text()


def _uneven(sheet: Sheet) -> str:
    sheet.rows[5] = sheet.rows[5][:-1]
    sheet.rows[9] = [*sheet.rows[9], "surplus"]
    sheet.rows[20] = ["only one"]
    sheet.rows[21] = [*sheet.rows[21], ""]
    return sheet.text()


def _ties(sheet: Sheet) -> str:
    """Equal fares and distances, told apart by pick-up time, then zone, then what else is shown."""
    rows = [list(sheet.rows[0]) for _ in range(40)]
    tied = Sheet(sheet.header, rows).fill("fare_amount", "50").fill("trip_distance", "9.75")
    times = ["2018-01-11 18:24:44", "2018-01-11 18:24:43", "2018-01-11 18:24:44"]
    zones = ["230", "9", "48", "230", "230"]
    return tied.put(
        {"tpep_pickup_datetime": times * 9, "PULocationID": zones * 6, "trip_distance": ["9.5", "9.75"] * 8}
    ).text()


def _daylight_saving(sheet: Sheet) -> str:
    """The night that skips an hour and the one that has an hour twice, as the wall clock had them."""
    starts = ["2018-03-11 01:59:59", "2018-11-04 01:59:59", "2018-03-11 02:30:00", "2018-11-04 01:30:00"]
    ends = ["2018-03-11 03:00:01", "2018-11-04 01:00:01", "2018-03-11 02:31:00", "2018-11-04 01:30:00"]
    return sheet.put({"tpep_pickup_datetime": starts, "tpep_dropoff_datetime": ends}).text()


def cut(column: str, drop: int) -> Builder:
    """A month whose last line, ended by `column`, lost its end and `drop` bytes before it."""
    whole = ["-8.25", "12.36", "-3.75"]
    return _month(lambda sheet: sheet.put({"total_amount": whole}, start=57).last(column).text()[: -1 - drop])


def _gzip(folder: Path) -> list[Path]:
    """Two members in one archive, as a log shipper leaves them."""
    text = Sheet.real().text().encode()
    half = len(text) // 2
    return write(folder / f"{MONTH}.csv.gz", gzip.compress(text[:half]) + gzip.compress(text[half:]))


def _shipped(*names: str) -> Builder:
    return lambda folder: [DATA / name for name in names]


def _among(make: Callable[[Sheet], str | bytes]) -> Builder:
    """A hostile February between a January and a March that are well."""

    def build(folder: Path) -> list[Path]:
        months = [Sheet.real(f"2018-0{at}").csv(folder / f"yellow_tripdata_2018-0{at}.csv") for at in (1, 3)]
        return [*write(folder / "yellow_tripdata_2018-02.csv", make(Sheet.real("2018-02"))), *months]

    return build


CUTS: dict[str, Builder] = {
    **{f"total cut by {drop}": cut("total_amount", drop) for drop in (0, 1, 2, 3, 4, 5, 6, 7, 11, 19, 27, 43, 60)},
    **{f"drop-off cut by {drop}": cut("tpep_dropoff_datetime", drop) for drop in (0, 1, 2, 3, 6, 9, 10, 18, 19, 20)},
}
CSV_CASES: dict[str, Builder] = {
    "three shipped months of 2018": _shipped(*(f"yellow_tripdata_2018-0{at}.csv" for at in (1, 2, 3))),
    "lower-case names": _month(lambda sheet: sheet.lower_case().text()),
    "lower-case names beside TLC's": _among(lambda sheet: sheet.lower_case().text()),
    "a surcharge in one month only": _among(lambda sheet: sheet.add("congestion_surcharge", ["2.5", "", "0"]).text()),
    "Airport_fee": _among(lambda sheet: sheet.add("Airport_fee", ["1.25", ""]).text()),
    "a month without fares": _among(lambda sheet: sheet.drop("fare_amount").text()),
    "a month without vendors and passengers": _among(lambda sheet: sheet.drop("VendorID", "passenger_count").text()),
    "columns in another order": _among(lambda sheet: sheet.only(*reversed(sheet.header)).text()),
    "an empty file among others": _among(lambda sheet: ""),
    "only blank lines among others": _among(lambda sheet: "\n\n\n"),
    "a header without trips among others": _among(lambda sheet: Sheet([*sheet.header, "airport_fee"], []).text()),
    "nothing but an empty file": _month(lambda sheet: ""),
    "nothing but a header": _month(lambda sheet: Sheet(sheet.header, []).text()),
    "one trip": _month(lambda sheet: Sheet(sheet.header, sheet.rows[:1]).text()),
    "one trip without a line end": _month(lambda sheet: Sheet(sheet.header, sheet.rows[:1]).text().rstrip("\n")),
    "null-laden month": _month(lambda sheet: _null_laden(sheet).text()),
    "nothing but nulls": _month(lambda sheet: Sheet(sheet.header, [[""] * len(sheet.header)] * 9).text()),
    "carriage returns": _month(lambda sheet: sheet.text(end="\r\n")),
    "mixed line ends": _month(_mixed_ends),
    "mixed line ends, cut": _month(lambda sheet: _mixed_ends(sheet)[:-30]),
    "blank lines": _month(_blank_lines),
    "byte order mark": _month(lambda sheet: b"\xef\xbb\xbf" + sheet.text().encode()),
    "spaces in the header": _month(lambda sheet: Sheet([f" {name} " for name in sheet.header], sheet.rows).text()),
    "byte order mark, spaces, carriage returns": _month(
        lambda sheet: "\ufeff" + Sheet([f" {name}" for name in sheet.header], sheet.rows).text(end="\r\n")
    ),
    "quoted fields": _month(lambda sheet: sheet.text(quoting=csv.QUOTE_ALL)),
    "quoted nulls": _month(lambda sheet: _null_laden(sheet).text(quoting=csv.QUOTE_ALL)),
    "quoted line ends": _month(_comments),
    "too many and too few fields": _month(_uneven),
    "ties": _month(_ties),
    "daylight saving": _month(_daylight_saving, "trips.csv"),
    "no month in the name": _month(
        lambda sheet: sheet.put(
            {"tpep_pickup_datetime": ["2008-12-31 23:59:59", "2009-01-01 00:00:00", "2100-01-01 00:00:00"]}
        ).text(),
        "trips.csv",
    ),
    "December": _month(
        lambda sheet: sheet.put({"tpep_pickup_datetime": ["2018-01-01 23:59:59", "2018-01-02 00:00:00"]}).text(),
        "yellow_tripdata_2017-12.csv",
    ),
    "gzip": _gzip,
    "gzip among others": lambda folder: [*_gzip(folder), *_among(lambda sheet: sheet.text())(folder)[:1]],
    **{name: _values(texts) for name, texts in VALUES.items()},
    **{name: _malformed(column, text) for name, (column, text) in MALFORMED.items()},
    **CUTS,
}
