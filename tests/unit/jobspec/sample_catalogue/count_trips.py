"""How many trips there are.

Counts every one of them.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from jobspec import FieldProblem, Size
from jobspec import Params as BaseParams


class Colour(StrEnum):
    YELLOW = "yellow"
    GREEN = "green"


class Window(BaseModel):
    """A span of days."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    first: date = Field(description="The first day.")
    days: int = Field(7, ge=1, description="How many days.")


class Params(BaseParams):
    trips: tuple[Annotated[str, Field(min_length=1)], ...] = Field(min_length=1, max_length=5, description="Files.")
    keep: Literal["all", "plausible"] = Field("plausible", description="Which trips count.")
    colour: Colour | None = Field(None, description="Which taxis.")
    top: int = Field(10, ge=1, le=1000, description="How many | to list.")
    share: float = Field(1.0, gt=0, le=1, description="Share of the trips to look at.")
    as_published: bool = Field(False, description="Repeat the article's mistakes.")
    window: Window | None = Field(None, description="Days to look at.")

    @model_validator(mode="after")
    def _published_means_all(self) -> Self:
        if self.as_published and self.keep == "plausible":
            raise FieldProblem("keep", "as_published needs every trip", '"all"')
        if "ftp://x" in self.trips:
            raise FieldProblem(f"trips/{self.trips.index('ftp://x')}", "no such place", "s3:// or a path")
        if self.top == 13:
            raise ValueError("thirteen is unlucky")
        return self


SIZE = Size(min_workers=1, max_workers=20, trips_per_worker=5_000_000)


def questions(params: Params) -> dict[str, str]:
    return {"trips": "count"}
