"""What counts as the same answers, and what the difference reads like."""

from typing import Any

import pytest

from tests.oracle.compare import Near, assert_same


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"max": 8}, {"max": 8.0}),
        ({"mean": 2.0000000001}, {"mean": Near(2.0, 2.0)}),
        ({"mean": 0.0}, {"mean": Near(1e-8, 1000.0)}),
        ({"rows": [{"id": 1, "zone": None}]}, {"rows": [{"id": 1, "zone": None}]}),
    ],
)
def test_the_same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert_same({"answers": found}, {"answers": expected})


@pytest.mark.parametrize(
    ("found", "expected", "said"),
    [
        ({"trips": 1.0}, {"trips": 1}, "answers.trips: found 1.0, expected 1"),
        ({"trips": True}, {"trips": 1}, "answers.trips: found True, expected 1"),
        ({}, {"trips": 1}, "answers.trips: not there"),
        ({"mean": 2.00000001}, {"mean": Near(2.0, 2.0)}, "answers.mean: found 2.00000001, expected 2.0 or nearly so"),
        ({"mean": None}, {"mean": Near(2.0, 2.0)}, "answers.mean: found None"),
        ({"mean": float("nan")}, {"mean": Near(2.0, 2.0)}, "answers.mean: found nan"),
        ({"rows": [{"id": 2}]}, {"rows": [{"id": None}]}, "answers.rows[0].id: found 2, expected None"),
        ({"rows": []}, {"rows": [{"id": 1}]}, "answers.rows: 0 rows found, 1 expected"),
        ({"row": {"id": 1, "x": 2}}, {"row": {"id": 1}}, "answers.row.x: found 2, not expected"),
    ],
)
def test_not_the_same(found: dict[str, Any], expected: dict[str, Any], said: str) -> None:
    with pytest.raises(AssertionError) as failure:
        assert_same({"answers": found}, {"answers": expected})
    assert said in str(failure.value)


def test_zones_may_change_places_only_where_their_means_do() -> None:
    near = [{"pickup_location_id": zone, "mean_fare": Near(5.0, 5.0)} for zone in (1, 2)]
    rows = [{"pickup_location_id": 2, "mean_fare": 5.0000000001}, {"pickup_location_id": 1, "mean_fare": 5.0}]
    assert_same({"answers": {"zones_by_mean_fare": rows}}, {"answers": {"zones_by_mean_fare": near}})
    with pytest.raises(AssertionError, match="stands before"):
        assert_same({"answers": {"zones_by_mean_fare": rows[::-1]}}, {"answers": {"zones_by_mean_fare": near}})


def test_counts_of_nothing_may_be_left_out() -> None:
    expected = {"quality": {"reasons": {"misdated": 1}, "unterminated": 0}}
    assert_same({"quality": {"reasons": {"misdated": 1, "fare_missing": 0}}}, expected)
    with pytest.raises(AssertionError, match="fare_missing: found 2"):
        assert_same({"quality": {"reasons": {"misdated": 1, "fare_missing": 2}}}, expected)
