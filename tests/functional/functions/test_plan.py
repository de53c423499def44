"""State Plan: from the files that submit wrote to what the states behind it go by."""

import json
from typing import Any

import pytest

from functions import plan
from functions.core import keys
from functions.core.submission import Submission
from jobspec import NotFound, OverBudget, RunState, TooManyWorkers
from tests.fakes.stack import RESULTS, fake_wiring

SPEC = {"job": "explore-trips", "params": {"trips": ["s3://data/trips/*.csv"]}, "cluster": {"workers": 4}}


def submitted(stack: Any, **changes: Any) -> dict[str, Any]:
    run = stack.submitter.submit(Submission("api", json.dumps(SPEC | changes)))
    started = stack.executions.client.describe_execution(executionArn=stack.executions.arn(run.run_id))
    document: dict[str, Any] = json.loads(started["input"])
    return document


def test_the_plan_of_a_run(stack: Any) -> None:
    event = submitted(stack, limits={"timeout_minutes": 30})
    planned = plan.handle(event, stack)
    assert planned == {
        "workers": 4,
        "timeout_seconds": 1800,
        "paid_seconds": None,
        "queue_seconds": 172_800,
        "start_seconds": 600,
        "inputs": f"s3://{RESULTS}/runs/{event['run_id']}/inputs.json",
        "results": f"s3://{RESULTS}",
    }
    assert json.loads(json.dumps(planned)) == planned
    assert stack.runs.find(event["run_id"]).plan["workers"] == 4


def test_it_is_the_stack_of_now_that_is_planned_for() -> None:
    stack = fake_wiring()
    run = stack.submitter.submit(Submission("api", json.dumps(SPEC | {"limits": {"max_cost_usd": 1.0}})))
    event = {"run_id": run.run_id, "spec": run.spec_uri}
    later = fake_wiring(MAX_WORKERS="3")
    vars(later).update(runs=stack.runs, results=stack.results)
    with pytest.raises(TooManyWorkers):
        plan.handle(event, later)
    dearer = fake_wiring(WORKER_VCPUS="16", WORKER_GB="120", ARCHITECTURE="X86_64")
    vars(dearer).update(runs=stack.runs, results=stack.results)
    assert plan.handle(event, dearer)["timeout_seconds"] < plan.handle(event, stack)["timeout_seconds"] == 3600
    hopeless = fake_wiring(CLIENT_VCPUS="1600", CLIENT_GB="12000")
    vars(hopeless).update(runs=stack.runs, results=stack.results)
    with pytest.raises(OverBudget):
        plan.handle(event, hopeless)


def test_a_run_that_has_ended_keeps_its_plan() -> None:
    stack = fake_wiring()
    run = stack.submitter.submit(Submission("api", json.dumps(SPEC)))
    stack.runs.end(run.run_id, RunState.CANCELLED)
    before = stack.runs.find(run.run_id)
    plan.handle({"run_id": run.run_id, "spec": run.spec_uri}, stack)
    assert stack.runs.find(run.run_id) == before


def test_files_that_are_missing_are_named() -> None:
    stack = fake_wiring()
    run = stack.submitter.submit(Submission("api", json.dumps(SPEC)))
    stack.results.remove(keys.run_file(run.run_id, keys.INPUTS))
    with pytest.raises(NotFound, match=r"inputs\.json"):
        plan.handle({"run_id": run.run_id, "spec": run.spec_uri}, stack)
