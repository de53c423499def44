"""The columns of a trip as the oracle knows them: names, kinds and the names other releases gave them."""

from typing import Literal

Kind = Literal["whole", "number", "time", "flag"]

BYTES: dict[Kind, int] = {"whole": 8, "number": 8, "time": 8, "flag": 1}

_START: dict[str, Kind] = {"VendorID": "whole"}
_BODY: dict[str, Kind] = {
    "passenger_count": "whole",
    "trip_distance": "number",
    "RatecodeID": "whole",
    "store_and_fwd_flag": "flag",
    "PULocationID": "whole",
    "DOLocationID": "whole",
    "payment_type": "whole",
    "fare_amount": "number",
    "extra": "number",
    "mta_tax": "number",
    "tip_amount": "number",
    "tolls_amount": "number",
    "improvement_surcharge": "number",
    "total_amount": "number",
    "congestion_surcharge": "number",
    "airport_fee": "number",
    "cbd_congestion_fee": "number",
}

COLUMNS: dict[str, dict[str, Kind]] = {
    "yellow": {**_START, "tpep_pickup_datetime": "time", "tpep_dropoff_datetime": "time", **_BODY},
    "green": {
        **_START,
        "lpep_pickup_datetime": "time",
        "lpep_dropoff_datetime": "time",
        **_BODY,
        "ehail_fee": "number",
        "trip_type": "whole",
    },
}

# The release with words for names; every other column keeps its name in it.
LOWER_CASE = {
    "VendorID": "vendor_id",
    "tpep_pickup_datetime": "pickup_datetime",
    "tpep_dropoff_datetime": "dropoff_datetime",
    "lpep_pickup_datetime": "pickup_datetime",
    "lpep_dropoff_datetime": "dropoff_datetime",
    "RatecodeID": "rate_code_id",
    "PULocationID": "pickup_location_id",
    "DOLocationID": "dropoff_location_id",
}


def canonical(header: list[str], taxi: str) -> dict[str, int]:
    """Where each column we know stands in `header`; the others are nobody's business."""
    names = {name.lower(): name for name in COLUMNS[taxi]}
    names |= {LOWER_CASE[name]: name for name in COLUMNS[taxi] if name in LOWER_CASE}
    found = {names.get(name.strip().strip("\ufeff").lower()): at for at, name in enumerate(header)}
    return {name: at for name, at in found.items() if name is not None}
