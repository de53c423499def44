"""A made-up run of explore-trips: its answers, the report composed from them, and its result."""

import math
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from jobs.reports import Bars, Fact, Lines, Report, Section, Steps, Table

ZONES = [
    (132, "JFK Airport", "Queens"),
    (265, None, None),
    (1, "Newark Airport", "EWR"),
    (10, "Baisley Park", "Queens"),
    (216, "South Ozone Park", "Queens"),
    (138, "LaGuardia Airport", "Queens"),
    (103, "Governor's Island/Ellis Island/Liberty Island", "Manhattan"),
    (186, "Penn Station/Madison Sq West", "Manhattan"),
    (230, "Times Sq/Theatre District", "Manhattan"),
    (161, "Midtown Center", "Manhattan"),
]
FIRST_DAY = date(2018, 1, 1)
MILES = range(40)


def answers() -> dict[str, Any]:
    """Answers in the shapes that the job gives, plus the two histograms that its plots need."""
    days = [FIRST_DAY + timedelta(days=at) for at in range(90) if at not in (40, 41, 60)]
    by_date = [
        {
            "pickup_date": day.isoformat(),
            "trips": round(285_000 + 38_000 * math.sin(day.toordinal() * 2 * math.pi / 7) - 90_000 * (day.day == 4)),
            "mean_passengers": 1.6 + 0.07 * math.sin((day.toordinal() + 3) * 2 * math.pi / 7),
        }
        for day in days
    ]
    stray = [{"pickup_date": "2009-01-01", "trips": 12, "mean_passengers": 1.25}]
    unknown = [{"pickup_date": None, "trips": 3, "mean_passengers": None}]
    return {
        "trips": 26_312_870,
        "duration_seconds": {"min": 1, "max": 86_391, "mean": 839.2481},
        "distance_miles": {"max": 189.3, "total": 75_912_331.77, "mean": 2.885},
        "trips_by_pickup_date": stray + by_date + unknown,
        "top_fares": [
            {"fare_amount": fare, "zone": zone, "borough": borough, "distance_miles": 7.25 + at}
            for at, (fare, (_, zone, borough)) in enumerate(
                zip([1_986.0, 995.5, 950, 900, 887.5, 840, 800, 777.7, 750, 700.01], ZONES, strict=True)
            )
        ],
        "mean_fare_by_mile": [None if mile == 33 else 4.5 + 2.45 * mile + (mile > 25) * mile % 7 for mile in MILES],
        "trips_by_mile": [round(9_000_000 * math.exp(-mile / 3)) for mile in MILES],
        "duration_minutes": [round(1_400_000 * (at + 1) * math.exp(-at / 4)) + (at < 24 * 20) for at in range(24 * 30)],
        "vendors": [
            {"vendor_id": 1, "trips": 11_402_118, "distance_miles": 31_870_411.2},
            {"vendor_id": 2, "trips": 14_910_750, "distance_miles": 44_041_920.57},
            {"vendor_id": None, "trips": 2, "distance_miles": None},
        ],
    }


def report(answers: Mapping[str, Any]) -> Report:
    """What the job would compose."""
    days = answers["trips_by_pickup_date"]
    fares = answers["top_fares"]
    return Report(
        title="New York taxi trips, explored",
        summary=(
            Fact("Trips", answers["trips"], note="kept as plausible"),
            Fact("Mean duration", answers["duration_seconds"]["mean"], "seconds", note="drop-off minus pick-up"),
            Fact("Longest trip", answers["distance_miles"]["max"], "miles"),
            Fact("Total distance", answers["distance_miles"]["total"], "miles"),
            Fact("Mean distance", answers["distance_miles"]["mean"], "miles"),
            Fact("Highest fare", fares[0]["fare_amount"], "USD", note=fares[0]["zone"]),
        ),
        sections=(
            Section(
                "Through the days",
                "Days without any trip are gaps. Trips belong to the day of their pick-up.",
                plots=(
                    Lines(
                        "trips-by-date",
                        "Trips and passengers by date",
                        x=[day["pickup_date"] for day in days],
                        series={"trips": [day["trips"] for day in days]},
                        y_label="Trips a day",
                        lower_series={"mean passengers": [day["mean_passengers"] for day in days]},
                        lower_label="Passengers a trip, mean",
                    ),
                    Steps(
                        "durations",
                        "How long trips take",
                        edges=[2 * at for at in range(24 * 30 + 1)],
                        counts=answers["duration_minutes"],
                        x_label="Minutes",
                        y_label="Trips",
                    ),
                ),
            ),
            Section(
                "Fares",
                plots=(
                    Bars(
                        "top-fares",
                        "Top fares by pick-up zone",
                        labels=[fare["zone"] or "unknown zone" for fare in fares],
                        values=[fare["fare_amount"] for fare in fares],
                        x_label="Fare (USD)",
                        horizontal=True,
                    ),
                    Lines(
                        "fares-by-distance",
                        "Fares by distance",
                        x=[mile + 0.5 for mile in MILES],
                        series={"mean fare": answers["mean_fare_by_mile"]},
                        x_label="Miles",
                        y_label="Mean fare (USD), by mile",
                    ),
                    Bars(
                        "fares-of-longest-trips",
                        "Fares of the ten longest trips",
                        labels=[f"{fare['distance_miles']:.1f} mi" for fare in fares],
                        values=[fare["fare_amount"] for fare in reversed(fares)],
                        y_label="Fare (USD)",
                    ),
                ),
                tables=(
                    Table(
                        "Top fares",
                        ["Fare (USD)", "Zone", "Borough", "Miles"],
                        [
                            [fare["fare_amount"], fare["zone"], fare["borough"], fare["distance_miles"]]
                            for fare in fares
                        ],
                        note="Ties: the earlier pick-up first.",
                    ),
                ),
            ),
            Section(
                "Vendors",
                tables=(
                    Table(
                        "Trips and distance by vendor",
                        ["Vendor", "Trips", "Miles"],
                        [[row["vendor_id"], row["trips"], row["distance_miles"]] for row in answers["vendors"]],
                    ),
                ),
            ),
        ),
    )


def result() -> dict[str, Any]:
    """The result as `jobspec.Result.model_dump()` gives it."""
    found = answers()
    return {
        "run_id": "explore-trips-0f3a9c21b7d4e6588a10-1",
        "job": "explore-trips",
        "spec": {
            "job": "explore-trips",
            "params": {"trips": ["examples/data/yellow_tripdata_2018-*.csv"], "keep": "plausible", "top": 10},
            "cluster": {"workers": "auto"},
            "limits": {"timeout_minutes": 60, "max_cost_usd": 5.0},
            "labels": {"team": "pricing"},
            "force": False,
        },
        "state": "SUCCEEDED",
        "answers": found,
        "outputs": [
            {
                "name": "trips_by_pickup_date",
                "path": "tables/trips_by_pickup_date.parquet",
                "bytes": 4_211,
                "sha256": "9f" * 32,
                "media_type": "application/vnd.apache.parquet",
            },
            {
                "name": "trips-by-date",
                "path": "plots/trips-by-date.png",
                "bytes": 81_004,
                "sha256": "0c" * 32,
                "media_type": "image/png",
            },
        ],
        "inputs": [
            {
                "uri": f"examples/data/yellow_tripdata_2018-{month:02}.csv",
                "bytes": 712_000_000 + month,
                "etag": f"e{month}",
                "rows": 8_759_874 + month,
            }
            for month in (1, 2, 3)
        ],
        "quality": {
            "taxi": "yellow",
            "trips": {"read": 26_384_919, "kept": 26_312_870, "set_aside": 72_049},
            "reasons": {
                "missing_time": 0,
                "misdated": 512,
                "duration_not_positive": 26_301,
                "duration_24h_or_more": 78,
                "distance_missing": 0,
                "distance_out_of_range": 11,
                "fare_missing": 4,
                "fare_out_of_range": 15_143,
                "zone_unknown": 30_000,
            },
            "effect": {
                "trips": {"all": 26_384_919, "kept": 26_312_870},
                "duration_seconds.mean": {"all": 801.22, "kept": 839.2481},
                "duration_seconds.max": {"all": 1_986_101, "kept": 86_391},
                "distance_miles.max": {"all": 189_483.84, "kept": 189.3},
                "fare_amount.max": {"all": 429_490.25, "kept": 1_986.0},
            },
            "non_finite": {"trip_distance": 3},
            "uncastable": {"passenger_count": 1},
            "lines_set_aside": {"field_count": 2, "bad_value": 1, "truncated_line": 1},
            "truncated_line": 1,
            "unterminated": 1,
            "set_aside_examples": [
                {
                    "file": "examples/data/yellow_tripdata_2018-02.csv",
                    "line": 120_331,
                    "reason": "bad_value",
                    "column": "trip_distance",
                    "text": "2,2018-02-03 10:11:12,2018-02-03 10:20:02,1,1.9x,1,N,164,75,2,52",
                }
            ],
            "skipped_files": [{"uri": "examples/data/broken.parquet", "reason": "not a Parquet file: no magic bytes"}],
            "unrecognised_columns": {"mystery": ["examples/data/yellow_tripdata_2018-03.csv"]},
            "empty_files": ["examples/data/empty.csv"],
        },
        "timings": {"plan": 0.112, "read_and_compute": 41.87, "write": 0.31, "plots": 0.93, "total": 43.3},
        "environment": {
            "started_at": "2026-11-23T15:44:02Z",
            "finished_at": "2026-11-23T15:44:45Z",
            "workers": 2,
            "threads_per_worker": 2,
            "python": "3.11.7",
            "dask": "2026.8.0",
            "pyarrow": "26.0.0",
            "code_version": "0.1.0",
        },
    }
