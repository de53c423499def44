"""The rules of plausibility: which trips are kept, and the reason for which any other is set aside.

Rules are tried in the order of `Reason`; the first that fails names the reason. Nothing is ever repaired.
"""

import re
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from types import MappingProxyType

# Bounds of the rules. Distances are miles, fares dollars, durations microseconds, times microseconds since 1970.
MAX_DISTANCE = 200.0
MAX_FARE = 2000.0
MAX_ZONE = 265
DAY_US = 86_400_000_000


class Reason(IntEnum):
    """Why a trip was set aside; 0 means that it was kept. The order is the order in which the rules are tried."""

    KEPT = 0
    MISSING_TIME = 1
    MISDATED = 2
    DURATION_NOT_POSITIVE = 3
    DURATION_24H_OR_MORE = 4
    DISTANCE_MISSING = 5
    DISTANCE_OUT_OF_RANGE = 6
    FARE_MISSING = 7
    FARE_OUT_OF_RANGE = 8
    ZONE_UNKNOWN = 9


REASONS = MappingProxyType(
    {
        Reason.MISSING_TIME: "the pick-up or the drop-off time is missing",
        Reason.MISDATED: "picked up outside the month in the file's name, a day's grace either side; in a file "
        "without a month in its name, outside 2009-01-01 to 2100-01-01",
        Reason.DURATION_NOT_POSITIVE: "the drop-off is not after the pick-up",
        Reason.DURATION_24H_OR_MORE: "it took 24 hours or more",
        Reason.DISTANCE_MISSING: "the distance is missing",
        Reason.DISTANCE_OUT_OF_RANGE: "the distance is below 0 or above 200 miles",
        Reason.FARE_MISSING: "the fare is missing",
        Reason.FARE_OUT_OF_RANGE: "the fare is below 0 or above 2,000 dollars",
        Reason.ZONE_UNKNOWN: "the pick-up zone is missing or not one of 1 to 265",
    }
)

_MONTH = re.compile(r"(?<!\d)(\d{4})-(0[1-9]|1[0-2])(?!\d)")


def _microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def month_of(uri: str) -> tuple[int, int] | None:
    """The (year, month) in a file's base name, as in `yellow_tripdata_2018-01.csv`; None if it names none, or two."""
    months = {(int(year), int(month)) for year, month in _MONTH.findall(base_name(uri))}
    return months.pop() if len(months) == 1 and min(months)[0] > 0 else None


def base_name(uri: str) -> str:
    """The last part of a path or address, without what a web address may have behind it."""
    path = uri.split("?", 1)[0].split("#", 1)[0] if uri.startswith(("http://", "https://")) else uri
    return path.rsplit("/", 1)[-1]


def month_window(uri: str) -> tuple[int, int]:
    """When trips of this file may have been picked up: [from, to) in microseconds since 1970, as written."""
    month = month_of(uri)
    if month is None or month[0] >= 9999:
        return _microseconds(datetime(2009, 1, 1, tzinfo=UTC)), _microseconds(datetime(2100, 1, 1, tzinfo=UTC))
    first = datetime(month[0], month[1], 1, tzinfo=UTC)
    following = (first + timedelta(days=31)).replace(day=1)
    return _microseconds(first) - DAY_US, _microseconds(following) + DAY_US
