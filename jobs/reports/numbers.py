"""How values are written for people: the one place that knows separators, decimals and units."""

import math
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TypeGuard

Value = str | int | float | date | None

NOTHING = "\N{EN DASH}"
"""What a null, a NaN or an infinity looks like."""

MINUS = "\N{MINUS SIGN}"
_BYTE_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_TIME_UNITS = ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))


def number(value: Value, decimals: int | None = None) -> str:
    """A value as text: `1,234,567`, `12.35`, `0.0123`, `2018-01-11 18:24:44`; a dash for nothing.

    Whole numbers print whole. Without `decimals`, other numbers keep four significant digits, and never lose digits
    before the point. From 1e15 on, and below 1e-4, numbers print as powers of ten.
    """
    match value:
        case None:
            return NOTHING
        case bool():
            return "yes" if value else "no"
        case str():
            return value
        case datetime():
            return value.isoformat(sep=" ", timespec="seconds")
        case date():
            return value.isoformat()
        case float() if not math.isfinite(value):
            return NOTHING
    size = abs(value)
    if size >= 1e15 or 0 < size < 1e-4:
        digits, exponent = f"{Decimal(value):.3e}".split("e")
        return _minus(f"{digits}e{int(exponent)}")
    if decimals is not None:
        return _minus(f"{value:,.{decimals}f}")
    if value == int(value):
        return _minus(f"{int(value):,}")
    text = f"{value:,.{max(0, 3 - math.floor(math.log10(size)))}f}"
    return _minus(text.rstrip("0").rstrip(".") if "." in text else text)


def quantity(value: Value, unit: str = "") -> str:
    """A value with its unit: `14.2 miles`, `$52.50` (USD), `14 min 2 s` (seconds), `1.2 GB` (bytes), `3.1 %` (%).

    USD, seconds, bytes and % (parts of a hundred) are written as people write them; any other unit follows the number.
    """
    if not unit or not _is_number(value):
        return number(value)
    size = abs(value)
    sign = MINUS if value < 0 else ""
    match unit:
        case "USD":
            return f"{sign}${number(size, 2)}"
        case "seconds":
            return sign + _duration(size)
        case "bytes":
            return sign + _bytes(size)
        case "%":
            return f"{sign}{_percent(size)} %"
    return f"{number(value)} {unit}"


def column(values: Sequence[Value]) -> list[str]:
    """The values of one table column; when any of its numbers has a fraction, all get equal decimals and line up."""
    fractions = [abs(value) for value in values if isinstance(value, float) and _is_number(value) and value % 1]
    if not fractions:
        return [number(value) for value in values]
    decimals = 2 if max(fractions) >= 0.1 else 4
    return [number(value, decimals) if _is_number(value) else number(value) for value in values]


def _is_number(value: Value) -> TypeGuard[int | float]:
    """Whether it is a finite number; a bool is none."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _minus(text: str) -> str:
    return text.replace("-", MINUS)


def _duration(seconds: float) -> str:
    """Two neighbouring units at most: `0.25 s`, `14 min 2 s`, `3 h 20 min`, `2 d 4 h`."""
    if seconds < 59.95:
        return f"{number(round(seconds, 2 if seconds < 10 else 1))} s"
    unit, name, part, part_name = next((units for units in _TIME_UNITS if seconds >= units[0]), _TIME_UNITS[-1])
    whole, rest = divmod(round(seconds / part), unit // part)
    return f"{number(whole)} {name} {rest} {part_name}" if rest else f"{number(whole)} {name}"


def _percent(size: float) -> str:
    if 0 < size < 0.001:
        return "< 0.001"
    return number(size, 3 if 0 < size < 0.095 else 1)


def _bytes(size: float) -> str:
    power = 0
    while size >= 999.5 and power < len(_BYTE_UNITS) - 1:
        size, power = size / 1000, power + 1
    return f"{number(size, 0 if power == 0 or size >= 99.95 else 1)} {_BYTE_UNITS[power]}"
