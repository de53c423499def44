"""From exact integers to what stands in an answer."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

from jobs.questions.values import Value, is_whole, label_of, unit_of
from jobs.trips import Kind, zones
from jobs.trips.columns import kind_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def printed_sum(total: int, value: Value) -> int | float | None:
    """A sum in the value's own unit: whole values print as integers where they are whole."""
    amount = Fraction(total, unit_of(value))
    return amount.numerator if is_whole(value) and amount.denominator == 1 else _as_double(amount)


def printed_mean(total: int, count: int, value: Value) -> float | None:
    """The mean, correctly rounded; None of nothing."""
    return _as_double(Fraction(total, unit_of(value) * count)) if count else None


def _as_double(amount: Fraction) -> float | None:
    """The nearest double; None for what is beyond them all, because JSON knows no infinity."""
    try:
        return float(amount)
    except OverflowError:
        return None


def printed_value(raw: float | None, value: Value) -> int | float | None:
    """A single value in its own unit; a negative zero prints as zero."""
    if raw is None:
        return None
    return printed_sum(int(raw), value) if is_whole(value) else float(raw) + 0.0


def printed_day(days: int) -> str:
    """The ISO date of a day counted from 1970-01-01."""
    return (date(1970, 1, 1) + timedelta(days=days)).isoformat()


def printed_time(microseconds: int | None) -> str | None:
    """The ISO time of microseconds since 1970, as written: no time zone."""
    return (
        None
        if microseconds is None
        else (EPOCH + timedelta(microseconds=microseconds)).replace(tzinfo=None).isoformat()
    )


def zone_fields(column: str, zone_id: int | None) -> dict[str, str | None]:
    """The zone's name and borough beside a pick-up zone's id; null where TLC knows no such zone."""
    if column != "PULocationID":
        return {}
    zone = zones().get(zone_id) if zone_id is not None else None
    return {"zone": zone.name if zone else None, "borough": zone.borough if zone else None}


def shown(value: Value, raw: Any) -> list[tuple[str, Any]]:
    """The fields under which a value stands in an answer: its own, and a zone's name and borough beside its id."""
    label = label_of(value)
    if isinstance(value, str) and kind_of(value) is Kind.TIME:
        return [(label, printed_time(raw))]
    zone = zone_fields(value, raw) if isinstance(value, str) else {}
    return [(label, printed_value(raw, value)), *zone.items()]


def nulls_last(item: Any) -> tuple[bool, Any]:
    """What to sort by so that nulls come last."""
    return (item is None, 0 if item is None else item)
