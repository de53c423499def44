"""What contenders know of the files beforehand: the columns, which of them the suite reads, and each file's month.

Standard library only: every contender imports this, and a small job should not pay for what it does not use.
"""

import re
from datetime import datetime, timedelta
from pathlib import Path

PICKUP, DROPOFF = "tpep_pickup_datetime", "tpep_dropoff_datetime"
# Those that the suite computes with; of the others it only counts what is missing.
USED = ("VendorID", PICKUP, DROPOFF, "passenger_count", "trip_distance", "PULocationID", "fare_amount")
COUNTED = (
    "RatecodeID", "store_and_fwd_flag", "DOLocationID", "payment_type", "extra", "mta_tax", "tip_amount",
    "tolls_amount", "improvement_surcharge", "total_amount",
)  # fmt: skip
# As they stand in a CSV.
IN_ORDER = (
    "VendorID", PICKUP, DROPOFF, "passenger_count", "trip_distance", "RatecodeID", "store_and_fwd_flag",
    "PULocationID", "DOLocationID", "payment_type", "fare_amount", "extra", "mta_tax", "tip_amount", "tolls_amount",
    "improvement_surcharge", "total_amount",
)  # fmt: skip


def window(file: str) -> tuple[datetime, datetime]:
    """When trips of this file may have been picked up: its month, a day's grace either side, the end not included."""
    found = re.search(r"(\d{4})-(\d{2})", Path(file).name)
    assert found is not None, f"{file} names no month"
    year, month = int(found[1]), int(found[2])
    day = timedelta(days=1)
    return datetime(year, month, 1) - day, datetime(year + month // 12, month % 12 + 1, 1) + day  # noqa: DTZ001


def missing_by_footer(files: list[str]) -> dict[str, int]:
    """How many values each column of Parquet files lacks, as their footers say."""
    import pyarrow.parquet as pq

    missing = dict.fromkeys(IN_ORDER, 0)
    for file in files:
        footer = pq.read_metadata(file)
        for group in range(footer.num_row_groups):
            for at in range(footer.num_columns):
                column = footer.row_group(group).column(at)
                missing[column.path_in_schema] += column.statistics.null_count
    return missing
