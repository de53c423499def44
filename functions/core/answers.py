"""A run in the words that the API and the files under `answers/` tell it in."""

from typing import Any

from pydantic import BaseModel, Field

from functions.core import keys
from functions.core.runs import Run, Trigger
from jobspec import DispatchError, RunState


class RunLinks(BaseModel):
    """Where a run's things are. Result, report and receipt are there once it has ended, if it has come so far."""

    self_: str = Field(alias="self", description="The run itself, in the API.")
    spec: str = Field(description="The spec with every default filled in.")
    result: str = Field(description="The result.")
    report: str = Field(description="The report.")
    receipt: str = Field(description="The receipt.")


class RunDocument(BaseModel):
    """A run. Times are UTC."""

    run_id: str = Field(description="Its id.")
    job: str = Field(description="The job that it runs.")
    state: RunState = Field(description="Where it is in its life; the last four are final.")
    attempt: int = Field(description="Which attempt it is at the same work.")
    trigger: Trigger = Field(description="What asked for it first.")
    created_at: str = Field(description="When it was submitted, ISO 8601.")
    updated_at: str = Field(description="When its row was last written, ISO 8601.")
    cancelling: bool = Field(description="Whether somebody has asked it to stop.")
    labels: dict[str, str] = Field(description="The labels of its spec.")
    plan: dict[str, Any] | None = Field(description="How it was planned: workers, trips, minutes and dollars, about.")
    workers: int | None = Field(description="How many workers it has leased, once it has.")
    cost_usd: float | None = Field(description="What it cost in US dollars, once it has ended.")
    error: dict[str, Any] | None = Field(description="Why it failed, as problem details (RFC 9457).")
    links: RunLinks = Field(description="Where its things are.")


def run_document(run: Run, results_bucket: str) -> dict[str, Any]:
    """A run as a `RunDocument`, ready for JSON."""
    folder = f"s3://{results_bucket}/{keys.run_file(run.run_id, '')}"
    links = {
        "self": f"/runs/{run.run_id}",
        "spec": run.spec_uri,
        "result": folder + keys.RESULT,
        "report": folder + keys.REPORT,
        "receipt": folder + keys.RECEIPT,
    }
    names = RunDocument.model_fields.keys() - {"created_at", "updated_at", "links"}
    times = {name: getattr(run, name).isoformat(timespec="milliseconds") for name in ("created_at", "updated_at")}
    document = RunDocument.model_validate({name: getattr(run, name) for name in names} | times | {"links": links})
    return document.model_dump(mode="json", by_alias=True)


def error_document(error: DispatchError, event: str, again: bool = False) -> dict[str, Any]:
    """Why a dropped spec started nothing: problem details, which drop it was, and whether it will be tried again."""
    return error.as_problem() | {"event": event, "tried_again": again}
