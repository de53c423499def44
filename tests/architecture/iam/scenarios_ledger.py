"""What the functions of the worker ledger call, path by path, and those of the TLS parameter."""

from datetime import timedelta
from typing import Any

import boto3

from functions import acquire_workers, await_workers, certificate, finish_run, janitor
from functions.core.finishing import Ending, event_of
from functions.core.ledger import Lease, Ledger, Ticket, drain
from functions.core.runs import Run
from functions.core.tls import Act
from jobspec import RunState
from tests.architecture.iam.account import Account, answer_invoke, tasks_that_stay
from tests.architecture.iam.needs import REGION
from tests.architecture.iam.scenarios import Stage, scenario
from tests.chaos.world import run_row

ACQUIRE, AWAIT, FINISH = "AcquireWorkersFunction", "AwaitWorkersFunction", "FinishRunFunction"
JANITOR, CERTIFICATE = "JanitorFunction", "CertificateFunction"
LONG = timedelta(hours=12)


def _put(account: Account, run_id: str, state: RunState = RunState.SUBMITTED, **fields: Any) -> Run:
    run = run_row(run_id, state, **fields)
    account.put_run(run)
    return run


def _lease(account: Account, workers: int = 1, ago: timedelta = timedelta(0)) -> Lease:
    granted = account.clock.now() - ago
    return Lease(workers, granted, granted + timedelta(hours=1))


# ---- acquire_workers


@scenario(ACQUIRE)
def workers_granted_queued_and_refused(stage: Stage) -> None:
    account = Account(stage)
    account.ecs  # noqa: B018 (makes it)
    for run_id in ("granted", "queued", "refused"):
        _put(account, run_id)
    with stage.acting():
        for run_id, workers in (("granted", 15), ("granted", 15), ("queued", 15), ("refused", 2_000)):
            call = {"run_id": run_id, "workers": workers, "token": run_id, "timeout_seconds": 60}
            acquire_workers.handle(call, account.actor)
    states = {run_id: account.scene.ledger.run(run_id).state for run_id in ("granted", "queued", "refused")}
    assert states == {"granted": "SCALING", "queued": "QUEUED", "refused": "SUBMITTED"}


# ---- await_workers


@scenario(AWAIT)
def workers_that_come_and_a_run_that_starts(stage: Stage) -> None:
    account = Account(stage)
    account.ecs  # noqa: B018 (makes it)
    _put(account, "a", RunState.SCALING)
    account.put_ledger(Ledger(cap=20, leases={"a": _lease(account)}))
    call = {"run_id": "a", "workers": 1, "granted_at": "2026-11-25T12:00:00+00:00", "start_seconds": 300}
    call |= {"timeout_seconds": 60, "paid_seconds": None}
    with stage.acting():
        assert not await_workers.handle(call, account.actor)["ready"]
    account.start_task("a")
    with tasks_that_stay(), stage.acting():
        assert await_workers.handle(call, account.actor)["ready"]


# ---- finish_run


def _ended(account: Account, **fields: Any) -> None:
    """A run that holds workers and another that waits for them; tasks that run and that have stopped."""
    _put(account, "a", RunState.RUNNING, **fields)
    _put(account, "b", RunState.QUEUED, task_token="token")
    now = account.clock.now()
    account.put_ledger(
        Ledger(cap=20, leases={"a": _lease(account, 20)}, queue=(Ticket("b", 20, now, 60), Ticket("c", 9, now, 60)))
    )
    account.start_task("a")
    account.start_task("a", stopped=True)


@scenario(FINISH)
def the_last_state_of_a_run_and_the_same_call_again(stage: Stage) -> None:
    account = Account(stage)
    _ended(account, spec_key="specs/one.json")
    _announcements(account)
    account.scene.results.write("runs/a/result.json", b'{"outputs": []}')
    with stage.acting():
        for _ in range(2):
            assert finish_run.handle({"run_id": "a", "input": {}}, account.actor) == {"state": "SUCCEEDED"}
    assert account.scene.ledger.run("a").announced


@scenario(FINISH)
def an_execution_that_ended_without_its_last_state(stage: Stage) -> None:
    """And left no result; one that is nobody's run; one for which a queue waits that is too long for the cap."""
    account = Account(stage)
    _ended(account)
    _announcements(account)
    _put(account, "late", RunState.FAILED, announced=True)
    with stage.acting():
        for run_id, state in (("a", "CANCELLED"), ("late", "FAILED"), ("nobody", None)):
            assert finish_run.handle(event_of(Ending(run_id, "ABORTED")), account.actor) == {"state": state}


@scenario(FINISH)
def a_run_after_which_the_queue_wants_more_than_there_is(stage: Stage) -> None:
    account = Account(stage)
    _announcements(account)
    account.ecs  # noqa: B018 (makes it)
    _put(account, "a", RunState.RUNNING)
    _put(account, "b", RunState.QUEUED, task_token="token")
    ticket = Ticket("b", 900, account.clock.now(), 60)
    account.put_ledger(Ledger(cap=900, leases={"a": _lease(account)}, queue=(ticket,)))
    with stage.acting():
        finish_run.handle({"run_id": "a", "input": {"error": {"Error": "x", "Cause": "y"}}}, account.actor)


def _announcements(account: Account) -> None:
    """Where ends are made known."""
    boto3.client("sns", region_name=REGION).create_topic(Name=account.environment["TOPIC_ARN"].split(":")[-1])
    boto3.client("events", region_name=REGION).create_event_bus(Name=account.environment["BUS_NAME"])


# ---- janitor


@scenario(JANITOR)
def something_of_everything(stage: Stage) -> None:
    """A lease that is late, a run that waits, one that nobody started, some that ended unseen, one's client."""
    account = Account(stage)
    answer_invoke(account.actor.finish_function.client, {"state": "FAILED"})
    account.start_task("orphan")
    account.start_task("late", stopped=True)
    _put(account, "orphan", RunState.FAILED)
    for run_id in ("late", "stale"):
        _put(account, run_id, RunState.RUNNING)
        account.scene.executions.start(run_id, "{}")
    account.scene.executions.stop("stale", "somebody")
    _put(account, "missing", RunState.RUNNING)
    _put(account, "forgotten", RunState.SUBMITTED)
    _put(account, "waiting", RunState.QUEUED, task_token="token")
    _put(account, "told", RunState.SCALING, task_token="token")
    ticket = Ticket("waiting", 1, account.clock.now(), 60)
    leases = {"late": _lease(account, 3, LONG), "told": _lease(account)}
    account.put_ledger(Ledger(cap=20, leases=leases, queue=(ticket,)))
    with stage.acting():
        swept = janitor.handle(account.actor)
    assert swept == {"overdue": 1, "stopped": 1, "started": 1}


@scenario(JANITOR)
def nothing_leased_and_a_scheduler_that_may_go(stage: Stage) -> None:
    account = Account(stage)
    account.ecs  # noqa: B018 (makes it)
    account.put_ledger(Ledger(cap=20, idle_since=account.clock.now() - LONG))
    with stage.acting():
        assert janitor.handle(account.actor) == {"overdue": 0, "stopped": 0, "started": 0}


@scenario(JANITOR)
def a_queue_that_wants_more_than_there_is(stage: Stage) -> None:
    account = Account(stage)
    account.ecs  # noqa: B018 (makes it)
    _put(account, "b", RunState.QUEUED, task_token="token")
    account.put_ledger(Ledger(cap=900, queue=(Ticket("b", 900, account.clock.now(), 60),)))
    with stage.acting():
        janitor.handle(account.actor)


# ---- certificate


@scenario(CERTIFICATE)
def a_key_from_its_making_to_its_end(stage: Stage) -> None:
    account = Account(stage)
    account.put_ledger(drain(Ledger(cap=20)))
    properties = stage.stack.properties("TlsParameter")
    calls = [
        ({"RequestType": "Create"}, Act.MAKE),
        ({"RequestType": "Create"}, Act.KEEP),
        ({"RequestType": "Update"}, Act.KEEP),
        ({"RequestType": "Update", "ResourceProperties": properties | {"Generation": "2"}}, Act.REPLACE),
        ({"RequestType": "Delete"}, Act.REMOVE),
        ({"RequestType": "Delete"}, Act.REMOVE),
    ]
    with stage.acting():
        for call, act in calls:
            assert certificate.handle({"ResourceProperties": properties} | call, account.actor) is act
