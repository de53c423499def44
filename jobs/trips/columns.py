"""The canonical columns of a trip, and every other name under which TLC has published them.

Sources: TLC's trip record files and data dictionaries for yellow and green taxis, 2009 to 2025. Names are matched
without regard to case and surrounding spaces, so `Airport_fee` and `airport_fee` are one column.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from types import MappingProxyType


class Taxi(StrEnum):
    """The colour of a taxi: it decides how the two time columns are called."""

    YELLOW = "yellow"
    GREEN = "green"


class Kind(StrEnum):
    """What a column holds once it is canonical; the value is the type's printed name."""

    INTEGER = "int64"
    NUMBER = "float64"
    TIME = "timestamp"
    FLAG = "flag"

    @property
    def width(self) -> int:
        """Bytes of one canonical value: 1 for a flag, 8 for numbers and timestamps."""
        return 1 if self is Kind.FLAG else 8


@dataclass(frozen=True)
class Column:
    """One canonical column: its 2018 name, its kind, the other names it has had, and its field's name in answers."""

    name: str
    kind: Kind
    also: tuple[str, ...] = ()
    label: str = ""
    prefixed: bool = False  # printed with the colour's tpep_ or lpep_ before it


# Internal names of the two times; printed as tpep_... for yellow taxis and lpep_... for green ones.
PICKUP = "pickup_datetime"
DROPOFF = "dropoff_datetime"

COLUMNS: tuple[Column, ...] = (
    Column("VendorID", Kind.INTEGER, ("vendor_id", "vendor_name"), "vendor_id"),
    Column(
        PICKUP, Kind.TIME, ("tpep_pickup_datetime", "lpep_pickup_datetime", "trip_pickup_datetime"), "pickup_at", True
    ),
    Column(
        DROPOFF,
        Kind.TIME,
        ("tpep_dropoff_datetime", "lpep_dropoff_datetime", "trip_dropoff_datetime"),
        "dropoff_at",
        True,
    ),
    Column("passenger_count", Kind.INTEGER),
    Column("trip_distance", Kind.NUMBER, label="distance_miles"),
    Column("RatecodeID", Kind.INTEGER, ("rate_code_id", "rate_code", "ratecode_id"), "rate_code_id"),
    Column("store_and_fwd_flag", Kind.FLAG, ("store_and_forward",)),
    Column("PULocationID", Kind.INTEGER, ("pickup_location_id", "pu_location_id"), "pickup_location_id"),
    Column("DOLocationID", Kind.INTEGER, ("dropoff_location_id", "do_location_id"), "dropoff_location_id"),
    Column("payment_type", Kind.INTEGER),
    Column("fare_amount", Kind.NUMBER, ("fare_amt",)),
    Column("extra", Kind.NUMBER, ("surcharge",)),
    Column("mta_tax", Kind.NUMBER),
    Column("tip_amount", Kind.NUMBER, ("tip_amt",)),
    Column("tolls_amount", Kind.NUMBER, ("tolls_amt",)),
    Column("improvement_surcharge", Kind.NUMBER),
    Column("total_amount", Kind.NUMBER, ("total_amt",)),
    Column("congestion_surcharge", Kind.NUMBER),
    Column("airport_fee", Kind.NUMBER),
    Column("cbd_congestion_fee", Kind.NUMBER),
    Column("ehail_fee", Kind.NUMBER),
    Column("trip_type", Kind.INTEGER),
)

# Until 2014 some whole-number columns were words. TLC's dictionary of 2018 gives them these numbers.
CODES: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "VendorID": {"cmt": 1, "vts": 2},
        "payment_type": {
            "credit": 1, "cre": 1, "crd": 1,
            "cash": 2, "cas": 2, "csh": 2,
            "no charge": 3, "noc": 3, "no": 3,
            "dispute": 4, "dis": 4,
            "unknown": 5, "una": 5, "unk": 5,
        },
    }
)  # fmt: skip

# What one-hot columns there are for a column: the values that TLC's dictionary lists.
LEVELS: Mapping[str, tuple[int | str, ...]] = MappingProxyType(
    {
        "VendorID": (1, 2, 6, 7),
        "passenger_count": tuple(range(10)),
        "RatecodeID": (1, 2, 3, 4, 5, 6, 99),
        "store_and_fwd_flag": ("N", "Y"),
        "PULocationID": tuple(range(1, 266)),
        "DOLocationID": tuple(range(1, 266)),
        "payment_type": tuple(range(7)),
        "trip_type": (1, 2),
    }
)


@cache
def _by_name() -> dict[str, Column]:
    return {alias.lower(): column for column in COLUMNS for alias in (column.name, *column.also)}


def canonical(name: str) -> Column | None:
    """The canonical column that a file's column `name` holds, or None where no canonical column is meant."""
    return _by_name().get(name.strip().lower())


def kind_of(name: str) -> Kind:
    """The kind of the canonical column `name`. Raises ValueError where there is none, with the nearest name."""
    column = _by_name().get(name.lower())
    if column is None or column.name != name:
        nearest = column.name if column else next(iter(get_close_matches(name, [c.name for c in COLUMNS], 1)), None)
        raise ValueError(f"{name!r} is no canonical column" + (f"; did you mean {nearest!r}?" if nearest else ""))
    return column.kind


def label_of(name: str) -> str:
    """The field's name under which a value of this column stands in an answer."""
    column = _by_name()[name.lower()]
    return column.label or column.name


def printed_name(name: str, taxi: Taxi) -> str:
    """How a canonical column is called in answers: by TLC's 2018 name for that colour of taxi."""
    column = _by_name()[name.lower()]
    return f"{'lpep' if taxi is Taxi.GREEN else 'tpep'}_{column.name}" if column.prefixed else column.name
