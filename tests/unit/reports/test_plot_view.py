"""What of a plot's data is shown: no line bridges a gap, and no stray value squeezes the rest."""

import math
from datetime import date, timedelta

from jobs.runtime.plots.view import NAN, bulk, finite, gaps, limit, lone


def days(*offsets: int) -> list[date]:
    return [date(2018, 1, 1) + timedelta(days=offset) for offset in offsets]


def test_nulls_and_what_cannot_be_drawn_are_gaps():
    assert [math.isnan(value) for value in finite([1, None, NAN, math.inf, -1e300, 0])] == [
        False,
        True,
        True,
        True,
        True,
        False,
    ]


def test_no_line_bridges_absent_days():
    places, heights = gaps(days(0, 1, 2, 9, 10), [1.0, 2.0, 3.0, 4.0, 5.0])
    assert [place.day for place in places] == [1, 2, 3, 3, 10, 11]
    assert [None if math.isnan(height) else height for height in heights] == [1, 2, 3, None, 4, 5]


def test_months_are_no_gaps_though_their_lengths_differ():
    months = [date(2018, month, 1) for month in range(1, 13)]
    assert gaps(months, [1.0] * 12) == (months, [1.0] * 12)


def test_numbers_are_joined_whatever_their_distance():
    assert gaps([0.5, 1.5, 99.0], [1.0, 2.0, 3.0]) == ([0.5, 1.5, 99.0], [1.0, 2.0, 3.0])


def test_a_value_alone_between_gaps_gets_a_dot():
    assert lone([1.0, NAN, 2.0, 3.0, NAN, 4.0]) == [0, 5]
    assert lone([7.0]) == [0]
    assert lone([]) == []


def test_far_off_places_of_no_weight_are_out_of_view():
    assert bulk([0, 3000, 3001, 3002, 9000], [1, 300_000, 310_000, 290_000, 2], share=0.001) == slice(1, 4)


def test_near_ends_stay_in_view_however_light():
    assert bulk([0, 1, 2, 3, 4], [1, 300_000, 310_000, 290_000, 2], share=0.001) == slice(0, 5)


def test_weighty_places_stay_in_view_however_far():
    assert bulk([0, 1, 2, 9000], [100, 100, 100, 100], share=0.001) == slice(0, 4)
    assert bulk([], [], share=0.001) == slice(0, 0)
    assert bulk([5], [NAN], share=0.001) == slice(0, 1)


def test_outliers_lie_beyond_the_limit():
    assert limit([429_490.25, 800, 700, 600], share=0.34) == 800
    assert limit([-1e6, 3, 2, 1, NAN], share=0.34) == 3


def test_uneven_values_are_no_outliers():
    assert limit([5_000, 900, 400, 300], share=0.34) == 900
    assert limit([4_000, 900, 400, 300], share=0.34) is None
    assert limit([9_000_000, 8_000_000, 1, 1], share=0.34) is None, "half of the values are no outliers"
    assert limit([], share=0.34) is None
    assert limit([5, 0, 0, 0], share=0.34) is None
