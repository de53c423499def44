"""What the janitor does about whatever others left undone."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from functions import janitor
from functions.core.finishing import Ending
from functions.core.ledger import Lease, Ledger, Ticket
from functions.core.sweeping import GRACE, STOP_TIMEOUT, forgotten
from jobspec import DispatchError, RunState
from tests.chaos.world import NOON, run_row
from tests.fakes.leases import leasing_wiring

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def stack(at: datetime, ledger: Ledger, *runs: Any) -> Any:
    """A stack whose ECS has been told what the ledger says, at that moment."""
    wiring = leasing_wiring(ledger, runs)
    wiring.clock.at = at
    services = wiring.dask_services
    services.now = NOON
    services.want_scheduler(1)
    services.want_workers(ledger.workers)
    services.settle()
    services.now = at
    for run in runs:
        wiring.runs.rows[run.run_id] = run
    return wiring


def leased(state: RunState = RunState.RUNNING, **told: Any) -> tuple[Ledger, Any]:
    """One run with two workers since noon, for an hour; `other` waits for five."""
    ledger = Ledger(
        cap=5, version=1, leases={"run": Lease(2, NOON, NOON + HOUR)}, queue=(Ticket("other", 5, NOON, 60),)
    )
    return ledger, run_row("run", state, **told)


WAITING = run_row("other", RunState.QUEUED, task_token="token of the other")


def test_a_run_whose_execution_has_ended_gives_its_workers_to_the_next() -> None:
    ledger, run = leased()
    wiring = stack(NOON + 20 * MINUTE, ledger, run, WAITING)
    wiring.executions.statuses = {"run": "FAILED", "other": "RUNNING"}
    janitor.handle(wiring)
    assert wiring.ledger.run("run").state is RunState.FAILED
    assert set(wiring.ledger.read().leases) == {"other"}
    assert wiring.executions.answers["token of the other"][0] == "success"
    assert wiring.dask_services.desired("worker") == 5


def test_a_ticket_whose_execution_has_ended_holds_up_nobody() -> None:
    ledger, run = leased()
    behind = run_row("behind", RunState.QUEUED, task_token="token of the one behind")
    ledger = replace(ledger, queue=(*ledger.queue, Ticket("behind", 1, NOON, 60)))
    wiring = stack(NOON + 20 * MINUTE, ledger, run, WAITING, behind)
    wiring.executions.statuses = {"run": "RUNNING", "other": "ABORTED", "behind": "RUNNING"}
    janitor.handle(wiring)
    assert wiring.ledger.run("other").state is RunState.CANCELLED
    assert set(wiring.ledger.read().leases) == {"run", "behind"}


@pytest.mark.parametrize(("minutes", "ended"), [(4, False), (5, True)])
def test_an_execution_that_does_not_exist_has_ended_after_five_minutes(minutes: int, ended: bool) -> None:
    ledger, run = leased()
    wiring = stack(NOON + minutes * MINUTE, ledger, run, WAITING)
    wiring.executions.statuses = {"other": "RUNNING"}
    janitor.handle(wiring)
    assert wiring.ledger.run("run").state.is_final is ended
    assert ("run" in wiring.ledger.read().leases) is not ended


@pytest.mark.parametrize("slow", [False, True])
def test_a_lease_is_late_after_its_time_and_goes_once_its_execution_is_seen_to_have_ended(slow: bool) -> None:
    ledger, run = leased()
    wiring = stack(NOON + HOUR + STOP_TIMEOUT + GRACE, ledger, run, WAITING)
    assert janitor.handle(wiring)["overdue"] == 0
    wiring.clock.at += timedelta(seconds=1)
    wiring.executions.slow = slow
    assert janitor.handle(wiring)["overdue"] == 1
    if slow:
        assert "run" in wiring.ledger.read().leases, "it has been stopped, and may still run"
        wiring.executions.settle()
        janitor.handle(wiring)
    assert wiring.ledger.run("run").state is RunState.TIMED_OUT
    assert set(wiring.ledger.read().leases) == {"other"}


def test_a_wake_that_was_lost_is_sent_again() -> None:
    ledger, run = leased(RunState.SCALING, task_token="token")
    wiring = stack(NOON + MINUTE, replace(ledger, queue=()), run)
    janitor.handle(wiring)
    assert wiring.executions.answers["token"] == ("success", {"workers": 2, "granted_at": NOON.isoformat()})


def test_whoever_waits_for_more_than_a_lowered_cap_is_told() -> None:
    wiring = stack(NOON, Ledger(cap=4, version=1, queue=(Ticket("other", 5, NOON, 60),)), WAITING)
    janitor.handle(wiring)
    error, problem = wiring.executions.answers["token of the other"]
    assert (error, problem["wanted"], problem["cap"]) == ("too-many-workers", 5, 4)


def test_nothing_runs_ten_minutes_after_the_last_lease_whatever_protects_itself() -> None:
    wiring = stack(NOON, Ledger(cap=5, version=1, idle_since=NOON))
    services = wiring.dask_services
    services.start("worker")
    services.protected = frozenset(task.arn for task in services.tasks("worker"))
    for minutes, desired, running in [(1, 1, 2), (5, 1, 2), (10, 1, 1), (15, 0, 0)]:
        wiring.clock.at = services.now = NOON + minutes * MINUTE
        janitor.handle(wiring)
        services.settle()
        assert (services.desired("scheduler"), len(services.running)) == (desired, running), minutes
    assert services.orders[-1] == ("scheduler", 0), "the scheduler goes last"


@pytest.mark.parametrize(("minutes", "stopped"), [(9, 0), (10, 1)])
def test_a_task_that_does_not_start_is_stopped_and_the_reason_says_so(minutes: int, stopped: int) -> None:
    ledger, run = leased()
    wiring = stack(NOON, ledger, run, WAITING)
    pending = wiring.dask_services.start("client", "run", status="PENDING")
    wiring.clock.at = NOON + minutes * MINUTE
    assert janitor.handle(wiring)["stopped"] == stopped
    if stopped:
        assert wiring.dask_services.reasons[pending.arn] == "NeverStarted: PENDING for more than 10 minutes"


def test_a_client_does_not_outlive_its_run() -> None:
    ledger, run = leased()
    over = run_row("over", RunState.CANCELLED)
    wiring = stack(NOON + MINUTE, ledger, run, WAITING, over)
    services = wiring.dask_services
    its, orphan, stranger = services.start("client", "run"), services.start("client", "over"), services.start("client")
    janitor.handle(wiring)
    assert set(services.tasks("client")) == {its, stranger}
    assert services.reasons == {orphan.arn: "over has ended"}


@pytest.mark.parametrize(
    ("run", "status", "then"),
    [
        (run_row("a"), None, True),
        (run_row("a"), "RUNNING", False),
        (run_row("a"), "FAILED", Ending("a", "FAILED")),
        (run_row("a", cancelling=True), None, Ending("a", "ABORTED")),
        (run_row("a", RunState.SCALING), "ABORTED", Ending("a", "ABORTED")),
        (run_row("a", RunState.SUCCEEDED), "SUCCEEDED", Ending("a", "SUCCEEDED")),
        (run_row("a", RunState.CANCELLED), None, Ending("a", "MISSING")),
        (
            run_row("a", RunState.RUNNING),
            None,
            Ending("a", "MISSING", "MissingExecution", "there is no such execution"),
        ),
    ],
    ids=[
        "never started",
        "under way",
        "ended unseen",
        "cancelled before it was started",
        "aborted unseen",
        "not made known",
        "nor this",
        "lost",
    ],
)
def test_a_run_that_is_in_no_ledger_is_started_or_ended(run: Any, status: str | None, then: Any) -> None:
    wiring = leasing_wiring(Ledger(cap=5))
    wiring.executions.statuses = {} if status is None else {"a": status}
    assert forgotten(run, Ledger(cap=5), wiring.executions, NOON + 5 * MINUTE) == then
    assert forgotten(run, Ledger(cap=5), wiring.executions, NOON + 4 * MINUTE) is False, "it may just be at it"
    holding = Ledger(cap=5, leases={"a": Lease(1, NOON, NOON)})
    assert forgotten(run, holding, wiring.executions, NOON + 5 * MINUTE) is False


@pytest.mark.parametrize(
    "error",
    [
        DispatchError("the function failed"),
        ClientError({"Error": {"Code": "TooManyRequestsException"}}, "Invoke"),
        ReadTimeoutError(endpoint_url="the function"),
    ],
)
def test_one_run_that_cannot_be_ended_does_not_keep_the_others_from_it(error: Exception) -> None:
    ledger, run = leased()
    wiring = stack(NOON + 20 * MINUTE, ledger, run, WAITING)
    wiring.executions.statuses = {"run": "FAILED", "other": "FAILED"}
    working = wiring.finish_function

    def broken(ending: Ending) -> None:
        if ending.run_id == "run":
            raise error
        working(ending)

    wiring.finish_function = broken
    janitor.handle(wiring)
    assert [wiring.ledger.run(name).state.is_final for name in ("run", "other")] == [False, True]
