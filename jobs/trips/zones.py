"""The 265 taxi zones as TLC publishes them (taxi_zone_lookup.csv)."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType


@dataclass(frozen=True)
class Zone:
    """A taxi zone: its name and its borough."""

    name: str
    borough: str


@cache
def zones() -> Mapping[int, Zone]:
    """Every zone by its location id."""
    with files("jobs.trips").joinpath("taxi_zone_lookup.csv").open(encoding="utf-8") as file:
        return MappingProxyType(
            {int(row["LocationID"]): Zone(row["Zone"], row["Borough"]) for row in csv.DictReader(file)}
        )
