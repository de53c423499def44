"""Trips of each vendor."""

from typing import Literal

from pydantic import Field

from jobspec import Params as BaseParams
from jobspec import Size


class Params(BaseParams):
    vendors: list[int] | None = Field(None, description="Only these vendors.")
    payments: Literal["any"] | list[int] = Field("any", description="Only these types of payment.")


SIZE = Size(2, 4, 100)


def run(trips: object, params: Params) -> None:
    """Do nothing."""


def report(answers: object) -> None:
    """Say nothing."""
