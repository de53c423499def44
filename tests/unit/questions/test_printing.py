"""How partials are told: as JSON numbers that a reader of a table would write down."""

import json
from typing import Any

import pytest

from jobs.questions import (
    DURATION,
    PUBLISHED_DURATION,
    Bins,
    By,
    Columns,
    Count,
    Day,
    Mean,
    Missing,
    Quantiles,
    Question,
    Seen,
    Span,
    Stats,
    Sum,
    Top,
    Trips,
)
from jobs.trips import DROPOFF, PICKUP, Taxi, zones
from tests.unit.runtime.drawn import JANUARY_2018, Row
from tests.unit.runtime.filling import filled

SECOND = 10**6
NOTHING: Row = dict.fromkeys(
    ["VendorID", PICKUP, DROPOFF, "passenger_count", "trip_distance", "PULocationID", "fare_amount", "tip_amount"]
)


def told(question: Question, *rows: Row, taxi: Taxi = Taxi.YELLOW) -> Any:
    """The answer about these rows as it stands in result.json."""
    return json.loads(
        json.dumps(question.finish(filled(question, [[NOTHING | row for row in rows]]), taxi), allow_nan=False)
    )


def text(question: Question, *rows: Row) -> str:
    """The same as bytes: 1, 1.0 and -0.0 are different here."""
    return json.dumps(question.finish(filled(question, [[NOTHING | row for row in rows]]), Taxi.YELLOW))


def lasting(*microseconds: int) -> list[Row]:
    return [{PICKUP: JANUARY_2018, DROPOFF: JANUARY_2018 + each} for each in microseconds]


STATS = ("min", "max", "total", "mean")


@pytest.mark.parametrize(("key", "meant"), [("PULocation", "PULocationID"), ("pulocationid", "PULocationID")])
def test_a_wrong_key_is_met_with_a_suggestion(key: str, meant: str) -> None:
    with pytest.raises(ValueError, match=f"'{key}' is no canonical column; did you mean '{meant}'"):
        By(key, trips=Count())


@pytest.mark.parametrize("rows", [[], [{}], [{}, {"VendorID": 1}]], ids=["no trips", "null", "nulls"])
@pytest.mark.parametrize("value", ["trip_distance", "passenger_count", DURATION, PUBLISHED_DURATION], ids=str)
def test_statistics_of_nothing_are_null(value: Any, rows: list[Row]) -> None:
    assert told(Stats(value, STATS), *rows) == dict.fromkeys(STATS)


def test_groups_of_nothing_are_null_and_none_are_made_up() -> None:
    by = By(
        "VendorID", trips=Count(), miles=Sum("trip_distance"), mean=Mean("fare_amount"), riders=Count("passenger_count")
    )
    assert told(by) == []
    assert told(by, {"VendorID": 2}) == [{"vendor_id": 2, "trips": 1, "miles": None, "mean": None, "riders": 0}]


@pytest.mark.parametrize(
    "question", [Trips(), Span(PICKUP), Quantiles(DURATION, 10), Top(3, "fare_amount", ["fare_amount"])], ids=str
)
def test_other_answers_about_nothing(question: Question) -> None:
    nothing = {Trips: 0, Span: {"first": None, "last": None}, Top: []}
    quantiles = dict.fromkeys(["25%", "50%", "75%", "90%", "99%"])
    assert told(question) == nothing.get(type(question), quantiles)


def test_whole_keys_print_whole_and_null_is_a_group_of_its_own_and_last() -> None:
    rows = [{"VendorID": key} for key in (None, 10, 2, -1, None)]
    assert text(By("VendorID", trips=Count()), *rows) == json.dumps(
        [
            {"vendor_id": -1, "trips": 1},
            {"vendor_id": 2, "trips": 1},
            {"vendor_id": 10, "trips": 1},
            {"vendor_id": None, "trips": 2},
        ]
    )
    assert [row["vendor_id"] for row in told(By("VendorID", nulls=False, trips=Count()), *rows)] == [-1, 2, 10]


def test_a_measure_may_order_the_groups_and_ties_are_in_the_order_of_the_key() -> None:
    fares = [(3, 5.0), (1, 5.0), (2, 9.0), (None, 5.0), (4, None), (266, 1.0)]
    rows = [{"PULocationID": zone, "fare_amount": fare} for zone, fare in fares]
    down = told(By("PULocationID", order="-fare", fare=Mean("fare_amount")), *rows)
    assert [row["pickup_location_id"] for row in down] == [2, 1, 3, None, 266, 4]
    up = told(By("PULocationID", order="fare", fare=Mean("fare_amount")), *rows)
    assert [row["pickup_location_id"] for row in up] == [266, 1, 3, None, 2, 4]


def test_zones_have_names_and_unknown_ones_have_none() -> None:
    rows = told(By("PULocationID", trips=Count()), *({"PULocationID": zone} for zone in (1, 265, 266, 0, None)))
    assert [(row["pickup_location_id"], row["zone"], row["borough"]) for row in rows] == [
        (0, None, None),
        (1, "Newark Airport", "EWR"),
        (265, zones()[265].name, zones()[265].borough),
        (266, None, None),
        (None, None, None),
    ]


@pytest.mark.parametrize(
    ("microseconds", "printed"), [(90 * SECOND, "90"), (90_500_000, "90.5"), (-SECOND, "-1"), (0, "0"), (1, "1e-06")]
)
def test_durations_are_seconds_and_whole_where_they_are_whole(microseconds: int, printed: str) -> None:
    assert text(Stats(DURATION, ("min",)), *lasting(microseconds)) == f'{{"min": {printed}}}'


def test_a_mean_is_the_nearest_double_of_the_exact_one() -> None:
    assert told(Stats(DURATION, ("mean",)), *lasting(SECOND, SECOND, 2 * SECOND)) == {"mean": 4 / 3}
    assert text(Stats("passenger_count", STATS), {"passenger_count": 1}, {"passenger_count": 2}) == (
        '{"min": 1, "max": 2, "total": 3, "mean": 1.5}'
    )
    assert told(Stats("trip_distance", ("total",)), *({"trip_distance": x} for x in (1e17, 0.5, -1e17, 0.25))) == {
        "total": 0.75
    }


def test_published_durations_wrap_at_a_day() -> None:
    assert told(Stats(PUBLISHED_DURATION, ("min", "max")), *lasting(-SECOND, 90_000 * SECOND)) == {
        "min": 3600,
        "max": 86_399,
    }


def test_no_zero_is_negative() -> None:
    rows = [{"trip_distance": -0.0, "fare_amount": -0.0, PICKUP: JANUARY_2018}] * 2
    for question in (
        Stats("trip_distance", STATS),
        Top(1, "fare_amount", ["fare_amount", "trip_distance"]),
        By(Bins("trip_distance", 0.5), total=Sum("fare_amount"), mean=Mean("fare_amount")),
        Quantiles("trip_distance", 0.5),
    ):
        assert "-0" not in text(question, *rows), question


def test_days_are_dates_as_written_and_times_have_no_zone() -> None:
    rows = [{PICKUP: JANUARY_2018 + 86_399 * SECOND}, {PICKUP: JANUARY_2018 + 86_400 * SECOND}, {PICKUP: -1}, {}]
    by = told(By(Day(PICKUP), trips=Count()), *rows)
    assert [row["pickup_date"] for row in by] == ["1969-12-31", "2018-01-01", "2018-01-02", None]
    assert told(Span(PICKUP), *rows) == {"first": "1969-12-31T23:59:59.999999", "last": "2018-01-02T00:00:00"}


def test_bins_are_told_by_their_lower_edges() -> None:
    minutes = told(By(Bins(DURATION, 60), trips=Count()), *lasting(-1, 0, 59_999_999, 60 * SECOND), {})
    assert [(row["duration_seconds_from"], row["trips"]) for row in minutes] == [(-60, 1), (0, 2), (60, 1), (None, 1)]
    miles = told(
        By(Bins("trip_distance", 0.25), trips=Count()), *({"trip_distance": x} for x in (0.2, 0.25, -0.1, 1e6))
    )
    assert [row["distance_miles_from"] for row in miles] == [-0.25, 0.0, 0.25, 1e6]


def test_a_quantile_is_the_lower_edge_of_the_first_bin_that_holds_enough() -> None:
    """Of n values the q-quantile is the ceil(q*n)-th smallest, down to its bin; trips without a value do not count."""
    ten = [{"fare_amount": float(at)} for at in range(10)]
    quantiles = Quantiles("fare_amount", width=1.0, at=(0.0, 0.1, 0.11, 0.5, 0.9, 0.91, 1.0))
    assert told(quantiles, *ten, {}) == {
        "0%": 0.0,
        "10%": 0.0,
        "11%": 1.0,
        "50%": 4.0,
        "90%": 8.0,
        "91%": 9.0,
        "100%": 9.0,
    }
    assert told(Quantiles(DURATION, width=10, at=(0.5,)), *lasting(-5 * SECOND, 19 * SECOND, 25 * SECOND)) == {
        "50%": 10
    }


def test_ties_go_to_the_earlier_pick_up_then_the_lower_zone_then_what_is_shown_nulls_last() -> None:
    def row(fare: float, time: int | None, zone: int | None, miles: float | None) -> Row:
        return {"fare_amount": fare, PICKUP: time, "PULocationID": zone, "trip_distance": miles}

    early, late = JANUARY_2018, JANUARY_2018 + SECOND
    best_first = [
        row(9.0, None, None, None),
        row(5.0, early, 1, 2.0),
        row(5.0, early, 2, 1.0),
        row(5.0, early, 2, 3.0),
        row(5.0, early, 2, None),
        row(5.0, early, None, 0.0),
        row(5.0, late, 1, 0.0),
        row(5.0, None, 1, 0.0),
    ]
    shown = [PICKUP, "PULocationID", "trip_distance"]
    wanted = told(Top(8, "fare_amount", shown), *best_first)
    assert [(r["pickup_location_id"], r["distance_miles"]) for r in wanted] == [
        (None, None),
        (1, 2.0),
        (2, 1.0),
        (2, 3.0),
        (2, None),
        (None, 0.0),
        (1, 0.0),
        (1, 0.0),
    ]
    for k in range(1, 9):
        assert told(Top(k, "fare_amount", shown), *best_first[::-1]) == wanted[:k]


def test_a_trip_without_the_value_is_not_among_the_greatest() -> None:
    assert told(Top(5, "fare_amount", ["fare_amount"]), {"fare_amount": -1.0}, {}) == [{"fare_amount": -1.0}]


def test_columns_and_what_they_lack_are_told_by_the_names_of_2018() -> None:
    seen = Seen(3, frozenset({PICKUP, "VendorID", "store_and_fwd_flag"}), {"VendorID": 2, "fare_amount": 3})
    assert Missing().finish(seen, Taxi.GREEN) == {"VendorID": 2, "lpep_pickup_datetime": 0, "store_and_fwd_flag": 0}
    assert Columns().finish(seen, Taxi.YELLOW) == [
        {"name": "VendorID", "type": "int64", "bytes": 24},
        {"name": "tpep_pickup_datetime", "type": "timestamp", "bytes": 24},
        {"name": "store_and_fwd_flag", "type": "flag", "bytes": 3},
    ]


@pytest.mark.parametrize(
    "wrong", [lambda: By("fare_amount"), lambda: By("VendorID", order="-x"), lambda: Top(1, "VendorID", [])]
)
def test_questions_that_cannot_be_asked(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r".+"):
        wrong()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Bins("trip_distance", width=0), "above 0"),
        (lambda: Bins(DURATION, width=1e-7), "no whole number"),
        (lambda: Sum("store_and_fwd_flag"), "not a column of numbers"),
        (lambda: Mean("pickup_datetime"), "not a column of numbers"),
        (lambda: Top(3, by="fare_amount", show=["store_and_fwd_flag"]), "no value to show"),
        (lambda: By("fare_amount", trips=Count()), "not a column of whole numbers"),
        (lambda: By("VendorID", order="-miles", trips=Count()), "names none of the measures"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_when_it_is_made(make: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()


def test_quantiles_are_exact_and_keep_their_names_apart() -> None:
    hundred = dict.fromkeys(range(100), 1)
    asked = Quantiles("trip_distance", width=1, at=(0.55, 0.995, 0.999))
    assert asked.finish(hundred, Taxi.YELLOW) == {"55%": 54, "99.5%": 99, "99.9%": 99}
