"""Numbers as people read them."""

from datetime import date, datetime

import pytest

from jobs.reports import column, number, quantity


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (7, "7"),
        (1_234_567, "1,234,567"),
        (1_230.4, "1,230"),
        (1_000_000.0, "1,000,000"),
        (12.3456, "12.35"),
        (5.5, "5.5"),
        (0.01234, "0.01234"),
        (-3, "\N{MINUS SIGN}3"),
        (429_490.25, "429,490"),
        (1e-7, "1.000e\N{MINUS SIGN}7"),
        (1e300, "1.000e300"),
        (10**400, "1.000e400"),
        (None, "\N{EN DASH}"),
        (float("nan"), "\N{EN DASH}"),
        (float("-inf"), "\N{EN DASH}"),
        (True, "yes"),
        ("JFK", "JFK"),
        (date(2018, 1, 2), "2018-01-02"),
        (datetime(2018, 1, 2, 3, 4, 5), "2018-01-02 03:04:05"),  # noqa: DTZ001 - trips are in naive wall-clock time
    ],
)
def test_number(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (839.2, "seconds", "13 min 59 s"),
        (0.1234, "seconds", "0.12 s"),
        (59.99, "seconds", "1 min"),
        (3599.7, "seconds", "60 min"),
        (86_391, "seconds", "24 h"),
        (90_000, "seconds", "1 d 1 h"),
        (-61, "seconds", "\N{MINUS SIGN}1 min 1 s"),
        (0, "bytes", "0 B"),
        (999, "bytes", "999 B"),
        (1_250_000, "bytes", "1.2 MB"),
        (999_999, "bytes", "1.0 MB"),
        (52, "USD", "$52.00"),
        (-2.5, "USD", "\N{MINUS SIGN}$2.50"),
        (99.73, "%", "99.7 %"),
        (0.0021, "%", "0.002 %"),
        (0.00001, "%", "< 0.001 %"),
        (0, "%", "0.0 %"),
        (14.2, "miles", "14.2 miles"),
        (None, "USD", "\N{EN DASH}"),
        ("JFK", "miles", "JFK"),
        (5, "", "5"),
    ],
)
def test_quantity(value, unit, text):
    assert quantity(value, unit) == text


def test_the_numbers_of_a_column_line_up():
    assert column([52.0, 52.5, None, 1_003]) == ["52.00", "52.50", "\N{EN DASH}", "1,003.00"]
    assert column([1, 2.0, None]) == ["1", "2", "\N{EN DASH}"]
    assert column([0.0123, 0.5e-1]) == ["0.0123", "0.0500"]
