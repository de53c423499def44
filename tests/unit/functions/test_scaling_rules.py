"""What ECS is told, when a run may start, and which tasks nobody needs."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.core.ledger import Lease, Ledger
from functions.core.scaling import (
    Readiness,
    Role,
    Task,
    Wanted,
    readiness,
    reconcile,
    scheduler_may_go,
    stuck,
    surplus,
    wanted,
)
from jobspec import NoWorkers
from tests.chaos.world import NOON
from tests.fakes.dask_services import FakeDaskServices
from tests.fakes.ledger_store import FakeLedgerStore

MINUTE = timedelta(minutes=1)


def task(role: Role = "worker", name: str = "t", **fields: Any) -> Task:
    told = {"status": "RUNNING", "spot": False, "created_at": NOON, "started_at": NOON, "address": "10.0.0.7"}
    return Task(arn=f"arn:aws:ecs:us-east-1:1:task/c/{name}", role=role, **(told | fields))


def workers(count: int) -> list[Task]:
    return [task(name=f"w{index}") for index in range(count)]


def leased(**runs: int) -> Ledger:
    """Leases granted a minute apart, in this order."""
    moments = [NOON + index * MINUTE for index in range(len(runs))]
    leases = {name: Lease(count, at, at + 60 * MINUTE) for (name, count), at in zip(runs.items(), moments, strict=True)}
    return Ledger(cap=50, leases=leases)


def test_ecs_is_told_the_sum_and_of_the_scheduler_only_what_is_certain() -> None:
    assert wanted(leased(a=3, b=4)) == Wanted(7, 1)
    assert wanted(Ledger(cap=5)) == Wanted(0, None)
    assert wanted(Ledger(cap=5), scheduler_may_go=True) == Wanted(0, 0)
    assert wanted(leased(a=1), scheduler_may_go=True) == Wanted(1, 1)


@pytest.mark.parametrize(
    ("ledger", "may_go", "orders"),
    [
        (leased(a=2), False, [("scheduler", 1), ("worker", 2)]),
        (Ledger(cap=5), False, [("worker", 0)]),
        (Ledger(cap=5), True, [("worker", 0), ("scheduler", 0)]),
    ],
    ids=["the scheduler comes first", "and stays", "and goes last"],
)
def test_the_order_of_orders(ledger: Ledger, may_go: bool, orders: list[tuple[str, int]]) -> None:
    services = FakeDaskServices(NOON)
    reconcile(FakeLedgerStore(ledger), services, may_go)
    assert list(services.orders) == orders


def test_the_scheduler_may_go_two_minutes_after_the_last_lease_if_no_worker_is_left() -> None:
    idle = Ledger(cap=5, idle_since=NOON)
    assert not scheduler_may_go(idle, [], NOON + MINUTE)
    assert scheduler_may_go(idle, [], NOON + 2 * MINUTE)
    assert not scheduler_may_go(idle, workers(1), NOON + 2 * MINUTE)
    assert not scheduler_may_go(leased(a=1), [], NOON + 2 * MINUTE)
    assert scheduler_may_go(Ledger(cap=5), [], NOON)


def ready(ledger: Ledger, run_id: str, running: int, minutes: int = 0) -> Readiness:
    return readiness(ledger, run_id, [task("scheduler")], workers(running), 600, NOON + minutes * MINUTE)


def test_a_run_starts_with_all_of_its_workers() -> None:
    assert ready(leased(a=4), "a", 3) == Readiness(False, "tls://10.0.0.7:8786", 3)
    assert ready(leased(a=4), "a", 4) == Readiness(True, "tls://10.0.0.7:8786", 4)


def test_workers_belong_to_those_who_were_granted_theirs_first() -> None:
    both = leased(a=4, b=2)
    assert ready(both, "b", 4) == Readiness(False, "tls://10.0.0.7:8786", 0)
    assert ready(both, "b", 6).ready
    assert ready(both, "a", 4).ready


def test_half_will_do_when_the_time_is_over_but_not_less() -> None:
    assert ready(leased(a=5), "a", 3, minutes=10) == Readiness(True, "tls://10.0.0.7:8786", 3)
    with pytest.raises(NoWorkers, match="waited 600 s for 5 workers"):
        ready(leased(a=5), "a", 2, minutes=10)
    with pytest.raises(NoWorkers):
        ready(leased(a=1), "a", 0, minutes=10)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("scheduler", [[], [task("scheduler", status="PENDING")], [task("scheduler", address=None)]])
def test_nobody_starts_without_a_scheduler(late: bool, scheduler: list[Task]) -> None:
    def found() -> Readiness:
        return readiness(leased(a=1), "a", scheduler, workers(1), 600, NOON + (10 if late else 0) * MINUTE)

    if late:
        with pytest.raises(NoWorkers):
            found()
    else:
        assert found() == Readiness(False, None, 1)


def test_only_what_runs_counts() -> None:
    waiting = [task(name="w", status="PENDING")]
    assert readiness(leased(a=1), "a", [task("scheduler")], waiting, 600, NOON).count == 0


def test_workers_are_surplus_ten_minutes_after_the_last_lease() -> None:
    idle = Ledger(cap=5, idle_since=NOON)
    assert surplus(idle, workers(2), NOON + 9 * MINUTE) == []
    assert surplus(idle, workers(2), NOON + 10 * MINUTE) == workers(2)
    assert surplus(leased(a=1), workers(2), NOON + 10 * MINUTE) == []
    young = task(name="young", created_at=NOON + 8 * MINUTE)
    assert surplus(idle, [young], NOON + 10 * MINUTE) == []


def test_a_task_is_stuck_that_has_not_started_after_ten_minutes() -> None:
    pending = task(status="PENDING", started_at=None)
    assert stuck([pending, task()], NOON + 9 * MINUTE) == []
    assert stuck([pending, task()], NOON + 10 * MINUTE) == [pending]
    assert stuck([replace(pending, created_at=None)], NOON + 60 * MINUTE) == []
