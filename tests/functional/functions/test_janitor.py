"""The janitor over a table that has been used."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3

from docs.idle_cost import JANITOR_READS
from functions import janitor
from functions.adapters.run_items import OPEN_INDEX
from functions.core.leasing import RunChange, finish
from functions.core.runs import Run
from jobspec import RunState
from tests.fakes.dask_services import FakeDaskServices
from tests.fakes.executions import FakeExecutions
from tests.functional.adapters.test_runs_contract import run
from tests.functional.functions.aws import REGION


def entered(stack: Any, number: int, **more: Any) -> Run:
    at = stack.clock.now() - timedelta(minutes=60 - number)
    made = replace(run(work=f"vendor-summary-{number:020x}"), created_at=at, updated_at=at, **more)
    assert stack.runs.create(made, 0, None, "d")
    return made


def swept(stack: Any) -> tuple[dict[str, int], Counter[tuple[str, str | None]]]:
    """What the janitor did, and how often it asked the table for what, by operation and index."""
    asked: Counter[tuple[str, str | None]] = Counter()
    resource = boto3.resource("dynamodb", REGION)
    resource.meta.client.meta.events.register(
        "provide-client-params.dynamodb",
        lambda params, model, **_: asked.update([(model.name, params.get("IndexName"))]),
    )
    for adapter in (stack.runs, stack.ledger):
        adapter._table = resource.Table(adapter._table.name)
    return janitor.handle(stack), asked


def on_fakes(stack: Any) -> FakeExecutions:
    stack.dask_services = FakeDaskServices(stack.clock.now())
    stack.executions = FakeExecutions()
    return stack.executions


def test_it_reads_no_run_that_has_ended(stack: Any) -> None:
    on_fakes(stack)
    for number in range(20):
        made = entered(stack, number)
        change = RunChange(made.run_id, RunState.FAILED, stack.clock.now())
        assert finish(stack.ledger, made.run_id, lambda *_, change=change: change, stack.clock.now())
        stack.ledger.note_announced(made.run_id)
    counts, asked = swept(stack)
    assert counts["started"] == 0
    assert asked == {("GetItem", None): JANITOR_READS, ("Query", OPEN_INDEX): 1}
    assert stack.runs._table.scan(IndexName=OPEN_INDEX)["Count"] == 0


def test_it_sees_to_an_end_that_was_not_made_known(stack: Any) -> None:
    on_fakes(stack).statuses = {}
    made = entered(stack, 1)
    stack.ledger.change(RunChange(made.run_id, RunState.FAILED, made.updated_at))
    ended: list[str] = []
    stack.finish_function = lambda ending: ended.append(ending.run_id)
    swept(stack)
    assert ended == [made.run_id]
    stack.ledger.note_announced(made.run_id)
    swept(stack)
    assert ended == [made.run_id]


def test_it_starts_what_was_entered_and_never_started(stack: Any, monkeypatch: Any) -> None:
    executions = on_fakes(stack)
    monkeypatch.setattr(janitor, "MOST", 2)
    runs = [entered(stack, number) for number in range(3)]
    assert swept(stack)[0]["started"] == 2
    assert executions.started == [each.run_id for each in runs[:2]], "the longest forgotten first"
