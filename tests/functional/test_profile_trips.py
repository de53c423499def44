"""`profile-trips` describes all the trips read, as DuckDB sees them."""

from collections.abc import Callable
from typing import Any

import duckdb
import pytest

from tests.oracle.sheet import DATA


@pytest.mark.parametrize("keep", ["plausible", "all"])
def test_the_profile_of_real_trips(keep: str, run_job: Callable[..., dict[str, Any]]) -> None:
    files = [DATA / f"yellow_tripdata_{month}.csv" for month in ("2018-01", "2019-07")]
    found = run_job("profile-trips", files, keep=keep)["answers"]
    (told,) = duckdb.sql(
        "select count(*), min(tpep_pickup_datetime)::varchar, max(tpep_pickup_datetime)::varchar, "
        "min(tpep_dropoff_datetime)::varchar, max(tpep_dropoff_datetime)::varchar, "
        "count(*) - count(congestion_surcharge), count(*) - count(passenger_count) "
        f"from read_csv({[str(file) for file in files]}, union_by_name = true)"
    ).fetchall()
    trips, *spans, no_surcharge, no_passengers = told
    assert found["trips"] == trips == 20_000
    first_and_last = [found[span][end] for span in ("pickup_span", "dropoff_span") for end in ("first", "last")]
    assert [time.replace("T", " ") for time in first_and_last] == spans
    assert (found["missing"]["congestion_surcharge"], found["missing"]["passenger_count"]) == (
        no_surcharge,
        no_passengers,
    )
    assert found["missing"].keys() == {column["name"] for column in found["columns"]}
    sizes = {column["name"]: (column["type"], column["bytes"]) for column in found["columns"]}
    assert sizes["fare_amount"] == ("float64", 8 * trips)
    assert sizes["tpep_pickup_datetime"] == ("timestamp", 8 * trips)
    assert sizes["store_and_fwd_flag"] == ("flag", trips)
