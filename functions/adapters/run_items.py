"""A `Run` as an item of the runs table, which holds four kinds of items, told apart by their key `pk`.

    run#<run id>     a run; `listed` = "run" puts it into the index `by_time`, sorted by `created_at`;
                     `open` = "run" into the index `open_runs`, sorted likewise, until its end has been made known
    work#<work id>   the last attempt at some work: `attempt`, `run_id`
    event#<event>    a submission that has been dealt with: `run_id`
    ledger           the worker ledger: `version` and its `document`

All but the ledger carry `expires_at`, the epoch second after which DynamoDB may drop them.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.core.runs import KEEP_DAYS, Run
from jobspec import RunState

INDEX = "by_time"
OPEN_INDEX = "open_runs"
OPEN = "open"
LEDGER_KEY = "ledger"
_TIMES = frozenset({"created_at", "updated_at"})
# Kept as JSON text: their numbers must come back as they went.
_DOCUMENTS = frozenset({"labels", "plan", "error", "receipt"})


def run_key(run_id: str) -> str:
    """The key of a run's item."""
    return f"run#{run_id}"


def work_key(work_id: str) -> str:
    """The key of the item that names the last attempt at some work."""
    return f"work#{work_id}"


def event_key(event: str) -> str:
    """The key of the item that says that a submission has been dealt with."""
    return f"event#{event}"


def expiry(moment: datetime) -> int:
    """When an item last touched at `moment` may go, in epoch seconds."""
    return int((moment + timedelta(days=KEEP_DAYS)).timestamp())


def run_item(run: Run) -> dict[str, Any]:
    """The item of a run, in the plain types that the DynamoDB resource takes."""
    item: dict[str, Any] = {"pk": run_key(run.run_id), "listed": "run", "expires_at": expiry(run.updated_at)}
    if not run.announced:
        item[OPEN] = "run"
    for field in fields(run):
        item |= attribute(field.name, getattr(run, field.name))
    return item


def attribute(name: str, value: Any) -> dict[str, Any]:
    """One field of a run as attributes: none where it is null."""
    if value is None:
        return {}
    if name in _TIMES:
        return {name: value.isoformat(timespec="microseconds")}
    if name in _DOCUMENTS or isinstance(value, float):
        return {name: json.dumps(value)}
    return {name: str(value) if isinstance(value, RunState) else value}


def run_of(item: Mapping[str, Any]) -> Run:
    """The run of an item."""
    return Run(**{field.name: _field(field.name, item.get(field.name)) for field in fields(Run) if field.name in item})


def _field(name: str, value: Any) -> Any:
    if name in _TIMES:
        return datetime.fromisoformat(value).astimezone(UTC)
    if name in _DOCUMENTS or name == "cost_usd":
        return json.loads(value)
    if name == "state":
        return RunState(value)
    return int(value) if name in ("attempt", "workers") else value
