"""When a schedule fires: `cron(...)`, `rate(...)` and `at(...)` as EventBridge Scheduler takes them, judged beforehand.

Source: "Schedule types in EventBridge Scheduler", its user guide, read on 2026-11-25. What passes here is what the
service accepts; a pattern that never comes true (30 February) passes both.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

ALLOWED = (
    "cron(minutes hours day-of-month month day-of-week year), one of the two days a ?, such as cron(0 6 1 * ? *); "
    "rate(5 minutes), rate(1 hour) or rate(7 days); at(2027-01-31T06:00:00)"
)

_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_RATE = re.compile(r"rate\([1-9]\d{0,5} (?:minute|hour|day)s?\)")
_AT = re.compile(r"at\((?P<time>\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)")
_CRON = re.compile(r"cron\((?P<fields>[^()]*)\)")


class _Field(NamedTuple):
    name: str
    least: int
    most: int
    names: Mapping[str, int] = {}
    extra: str = ""  # forms that only this field knows


_FIELDS = (
    _Field("minutes", 0, 59),
    _Field("hours", 0, 23),
    _Field("day-of-month", 1, 31, extra=r"L|LW|[1-9]W|[12]\dW|3[01]W"),
    _Field("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    _Field("day-of-week", 1, 7, {name: number for number, name in enumerate(_DAYS, 1)}, r"L|[1-7]L|[1-7]#[1-5]"),
    _Field("year", 1970, 2199),
)


def fault(when: str, now: datetime | None = None) -> str | None:
    """What is wrong with an expression, if anything; a time before `now` (in the schedule's own zone) is wrong too."""
    if _RATE.fullmatch(when):
        return None
    if found := _AT.fullmatch(when):
        try:
            due = datetime.fromisoformat(found["time"])
        except ValueError as error:
            return str(error)
        return "that time has passed" if now and due <= now else None
    if found := _CRON.fullmatch(when):
        return "; ".join(_cron_faults(found["fields"].split())) or None
    return "not an expression that a schedule can have"


def _cron_faults(fields: list[str]) -> Iterator[str]:
    if len(fields) != len(_FIELDS):
        yield f"cron has {len(_FIELDS)} fields, this one {len(fields)}"
        return
    if (fields[2] == "?") == (fields[4] == "?"):
        yield "just one of day-of-month and day-of-week is a ?"
    for field, text in zip(_FIELDS, fields, strict=True):
        if text == "?" and field.name.startswith("day-"):
            continue
        if not all(_item_fits(field, item) for item in text.upper().split(",")):
            yield f"{field.name} cannot be {text}"


def _item_fits(field: _Field, item: str) -> bool:
    if item == "*" or (field.extra and re.fullmatch(field.extra, item)):
        return True
    span, slash, step = item.partition("/")
    if slash and not (step.isdecimal() and 1 <= int(step) <= field.most):
        return False
    if span == "*":
        return bool(slash)
    ends = [_number(field, end) for end in span.split("-")]
    return len(ends) <= 2 and all(end is not None and field.least <= end <= field.most for end in ends)


def _number(field: _Field, text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() else field.names.get(text)
