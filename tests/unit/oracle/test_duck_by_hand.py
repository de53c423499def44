"""The oracle against trips few enough to be worked out on paper."""

from pathlib import Path
from typing import Any

import pytest

from tests.oracle.compare import Near
from tests.oracle.duck import answers, month_of

HEADER = (
    "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,store_and_fwd_flag,"
    "PULocationID,fare_amount"
)
TRIPS = [
    "1,2018-01-01 10:00:00,2018-01-01 10:10:00,1,2.0,N,1,10.0",  # 600 s
    "2,2018-01-01 11:00:00,2018-01-01 11:05:00,,4.0,N,4,10.0",  # 300 s
    ",2018-01-02 23:55:00,2018-01-03 00:05:00,1,0,Y,300,5.0",  # 600 s, zone unknown
    "1,2018-01-02 10:00:00,2018-01-02 09:59:59,2,1.0,N,1,7.0",  # -1 s
    "1,2018-01-02 10:00:00,2018-01-03 10:00:00,2,,N,1,",  # a day
    "2,,2018-01-03 10:00:00,1.5,nan,N,1,-3.0",  # nothing to go by
    "2,2019-01-01 10:00:00,2019-01-01 10:01:00,1,300.0,N,265,3000.0",  # another year
]


@pytest.fixture
def january(tmp_path: Path) -> Path:
    path = tmp_path / "yellow_tripdata_2018-01.csv"
    path.write_text("\n".join([HEADER, *TRIPS]) + "\n")
    return path


def plain(value: Any) -> Any:
    """Near numbers as the numbers they stand for."""
    if isinstance(value, Near):
        return value.value
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list) else value


def test_plausible_trips(january: Path) -> None:
    found = plain(answers([january]))
    told = found["answers"]
    assert told["trips"] == 2
    assert told["duration_seconds"] == {"min": 300, "max": 600, "mean": 450}
    assert told["distance_miles"] == {"max": 4, "total": 6, "mean": 3}
    assert told["vendors"] == [
        {"vendor_id": 1, "trips": 1, "distance_miles": 2},
        {"vendor_id": 2, "trips": 1, "distance_miles": 4},
    ]
    assert told["distance_by_passengers"] == [
        {"passenger_count": 1, "trips": 1, "mean_distance_miles": 2},
        {"passenger_count": None, "trips": 1, "mean_distance_miles": 4},
    ]
    assert told["trips_by_pickup_date"] == [{"pickup_date": "2018-01-01", "trips": 2, "mean_passengers": 1}]
    newark = {"pickup_location_id": 1, "zone": "Newark Airport", "borough": "EWR"}
    alphabet_city = {"pickup_location_id": 4, "zone": "Alphabet City", "borough": "Manhattan"}
    assert sorted(told["zones_by_mean_fare"], key=lambda row: row["pickup_location_id"]) == [
        {**newark, "trips": 1, "mean_fare": 10},
        {**alphabet_city, "trips": 1, "mean_fare": 10},
    ]
    first = {**newark, "fare_amount": 10, "pickup_at": "2018-01-01T10:00:00", "distance_miles": 2}
    second = {**alphabet_city, "fare_amount": 10, "pickup_at": "2018-01-01T11:00:00", "distance_miles": 4}
    assert told["top_fares"] == [first, second], "a tie goes to the earlier pick-up"
    assert told["longest_trips"] == [{**second, "duration_seconds": 300}, {**first, "duration_seconds": 600}]


def test_all_trips_and_what_is_wrong_with_them(january: Path) -> None:
    found = plain(answers([january], keep="all", top=2))
    told, quality = found["answers"], found["quality"]
    assert told["trips"] == 7
    assert told["duration_seconds"] == {"min": -1, "max": 86_400, "mean": (600 + 300 + 600 - 1 + 86_400 + 60) / 6}
    assert told["distance_miles"] == {"max": 300, "total": 307, "mean": 307 / 5}
    assert [row["fare_amount"] for row in told["top_fares"]] == [3000, 10]
    assert told["vendors"][-1] == {"vendor_id": None, "trips": 1, "distance_miles": 0}
    assert told["distance_by_passengers"][1:] == [
        {"passenger_count": 2, "trips": 2, "mean_distance_miles": 1},
        {"passenger_count": None, "trips": 2, "mean_distance_miles": 4},
    ]
    assert told["trips_by_pickup_date"][-1] == {"pickup_date": None, "trips": 1, "mean_passengers": None}
    assert {"pickup_location_id": 300, "zone": None, "borough": None, "trips": 1, "mean_fare": 5} in told[
        "zones_by_mean_fare"
    ]
    assert quality["reasons"] == {
        "zone_unknown": 1,
        "duration_not_positive": 1,
        "duration_24h_or_more": 1,
        "missing_time": 1,
        "misdated": 1,
    }
    assert quality["non_finite"] == {"trip_distance": 1}
    assert quality["uncastable"] == {"passenger_count": 1}
    assert told["missing"] == {
        "VendorID": 1,
        "tpep_pickup_datetime": 1,
        "tpep_dropoff_datetime": 0,
        "passenger_count": 2,
        "trip_distance": 2,
        "store_and_fwd_flag": 0,
        "PULocationID": 0,
        "fare_amount": 1,
    }
    assert told["columns"]["store_and_fwd_flag"] == 7
    assert told["columns"]["fare_amount"] == 56


def test_a_column_of_one_file_is_missing_from_the_other(january: Path, tmp_path: Path) -> None:
    other = tmp_path / "yellow_tripdata_2018-02.csv"
    other.write_text("vendor_id,pickup_datetime,Airport_fee\n1,2018-02-01 00:00:00,1.25\n")
    missing = answers([january, other], keep="all")["answers"]["missing"]
    assert missing["airport_fee"] == 7
    assert missing["fare_amount"] == 2
    assert missing["VendorID"] == 1
    assert "tip_amount" not in missing


@pytest.mark.parametrize(
    ("ending", "set_aside", "unterminated"),
    [
        ("\n", {}, 0),
        ("", {}, 1),
        ("\n1,2018", {"truncated_line": 1}, 0),
        ("\n1,2018-01-01 10:00:00,2018-01-01 10:10:00,1,2.0,N,1,3.", {"truncated_line": 1}, 0),
        ("\n1,2018-01-01 10:00:00,2018-01-01 10:10:00,1,2.0,N,1,3", {}, 1),
        ("\n1,2018-01-01 10:00:00,2018-01-01 10:10:00,1,2.0,N,1,", {}, 1),
        ("\n1,2018\n", {"field_count": 1}, 0),
        ("\n1,2018-01-01 10:00:00,2018-01-01 10:10:00,0x1F,2.0,N,1,\n", {"bad_value": 1}, 0),
    ],
)
def test_lines_that_are_no_trips(january: Path, ending: str, set_aside: dict[str, int], unterminated: int) -> None:
    january.write_text(january.read_text().rstrip("\n") + ending)
    quality = answers([january])["quality"]
    assert quality["lines_set_aside"] == set_aside
    assert quality["unterminated"] == unterminated


@pytest.mark.parametrize(
    ("name", "first", "end"),
    [
        ("yellow_tripdata_2018-01.csv", "2017-12-31", "2018-02-02"),
        ("yellow_tripdata_2018-12.csv.gz", "2018-11-30", "2019-01-02"),
        ("green_tripdata_2020-02.parquet", "2020-01-31", "2020-03-02"),
        ("trips.csv", "2009-01-01", "2100-01-01"),
    ],
)
def test_the_days_of_a_file(name: str, first: str, end: str) -> None:
    assert [day.isoformat() for day in month_of(name)] == [first, end]
