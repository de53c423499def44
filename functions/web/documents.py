"""What the API answers with, as models: they describe it in the OpenAPI document."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from functions.core.answers import RunDocument


class ProblemDocument(BaseModel):
    """What went wrong (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="urn:dispatch:error:<code>, or about:blank for what HTTP itself has a name for.")
    title: str = Field(description="The kind of problem in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What is wrong here, and what would be right.")
    problems: list[dict[str, Any]] = Field(
        default=[], description="Everything that is wrong: where, what, the value, what is allowed, what was meant."
    )


class RunsPage(BaseModel):
    """Some runs, the newest first."""

    runs: list[RunDocument]
    next: str | None = Field(description="`after` of the next page; null on the last one.")


class OutputDocument(BaseModel):
    """A file of a result."""

    name: str
    path: str
    bytes: int
    media_type: str
    url: str = Field(description="Where to read it.")


class ResultDocument(BaseModel):
    """Where to read a result. The addresses hold for `expires_in` seconds, for whoever has them."""

    run_id: str
    state: str
    expires_in: int
    result: str = Field(description="result.json.")
    receipt: str = Field(description="receipt.json.")
    outputs: list[OutputDocument] = Field(description="The other files, at most 1,000; result.json lists all.")


class SizeDocument(BaseModel):
    """How a job answers `"workers": "auto"`."""

    min_workers: int
    max_workers: int
    trips_per_worker: int


class JobSummary(BaseModel):
    """A job of the catalogue."""

    name: str
    description: str
    size: SizeDocument


class JobDocument(JobSummary):
    """A job and how to ask for it."""

    documentation: str
    spec_schema: dict[str, Any] = Field(description="The JSON Schema of a spec for it.")


class JobsPage(BaseModel):
    """The catalogue."""

    jobs: list[JobSummary]


class ScheduleDocument(BaseModel):
    """A schedule."""

    name: str
    when: str
    timezone: str
    paused: bool
    description: str
    spec: dict[str, Any]


class SchedulesPage(BaseModel):
    """Some schedules."""

    schedules: list[ScheduleDocument]
    next: str | None = Field(description="`after` of the next page; null on the last one.")


class PlanDocument(BaseModel):
    """How a spec would be run; about."""

    files: int
    bytes: int
    trips: int
    workers: int
    minutes: float
    usd: float
    timeout_seconds: int
    paid_seconds: int | None
    queue_seconds: int
    start_seconds: int
    priced_at: str
