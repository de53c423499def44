"""A run as the runs table knows it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from jobspec import RunState

KEEP_DAYS = 91
"""How long a run's row lives at least: execution names come free after 90 days, and no name may be used twice."""

Trigger = Literal["s3", "api", "schedule"]


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a spec. Times are UTC; its row rules its state, whatever an execution or a task says."""

    run_id: str  # the name of the execution too
    job: str
    work_id: str
    attempt: int
    state: RunState
    trigger: Trigger
    created_at: datetime
    updated_at: datetime
    spec_uri: str  # s3://<results>/runs/<run id>/spec.json
    labels: dict[str, str] = field(default_factory=dict)
    spec_key: str | None = None  # the key under specs/ that asked for it, to be answered under answers/
    cancelling: bool = False  # somebody has asked it to stop; it may still be running
    plan: dict[str, Any] | None = None  # the `Plan` it was started with
    workers: int | None = None  # that its lease holds
    task_token: str | None = None  # while it waits for workers
    error: dict[str, Any] | None = None  # why it failed, as problem details
    cost_usd: float | None = None  # once it has ended
    receipt: dict[str, Any] | None = None  # the `Receipt`, once it has ended
    announced: bool = False  # its end has been written to the buckets and published


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)
