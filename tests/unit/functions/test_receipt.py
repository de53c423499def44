"""Whether a receipt is right to the cent, for tasks whose times are known."""

from datetime import timedelta
from typing import Any

import pytest

from functions.core.planning import TaskSize
from functions.core.prices import Prices
from functions.core.receipt import Tariff, Used, receipt
from functions.core.scaling import Role, Task
from jobspec import Receipt, RunState
from tests.chaos.world import NOON, run_row

SIZES: dict[Role, TaskSize] = {"client": TaskSize(1, 4), "worker": TaskSize(2, 4), "scheduler": TaskSize(1, 2)}
X86 = Tariff(SIZES, Prices("X86_64"), public_ips=False)
HOUR = timedelta(hours=1)
CLIENT = 0.04048 + 4 * 0.004445  # dollars an hour, as AWS lists them
WORKER = 2 * 0.04048 + 4 * 0.004445
SCHEDULER = 0.04048 + 2 * 0.004445


def task(role: Role, name: str, start: float, end: float | None, spot: bool = False) -> Task:
    """A task that was billed from and to these hours after noon."""
    return Task(
        arn=f"arn:aws:ecs:us-east-1:1:task/c/{name}",
        role=role,
        status="STOPPED" if end else "RUNNING",
        spot=spot,
        created_at=NOON,
        pull_started_at=NOON + start * HOUR,
        started_at=NOON + start * HOUR,
        stopped_at=NOON + end * HOUR if end else None,
    )


def bill(tariff: Tariff = X86, hours: float = 1.0, plan: dict[str, Any] | None = None, **used: Any) -> Receipt:
    """The receipt of a run whose lease began at noon and ended so many hours later."""
    told: dict[str, Any] = {"clients": [], "workers": [], "schedulers": [], "granted_at": NOON, "leased": 2} | used
    return receipt(run_row("a", plan=plan), RunState.SUCCEEDED, Used(**told), tariff, NOON + hours * HOUR)


def lines(found: Receipt) -> list[tuple[str, float, float]]:
    return [(line.what, line.seconds, pytest.approx(line.usd, abs=1e-6)) for line in found.bill]


def test_each_task_by_its_own_seconds() -> None:
    found = bill(
        clients=[task("client", "c", 0.5, 1.0)],
        workers=[task("worker", "w1", 0.1, None), task("worker", "w2", 0.25, 0.75)],
        schedulers=[task("scheduler", "s", 0.0, None)],
    )
    assert lines(found) == [
        ("client, 1 vCPU, 4 GB", 1800.0, CLIENT / 2),
        ("2 workers, 2 vCPU, 4 GB", 0.9 * 3600 + 1800, 1.4 * WORKER),
        ("scheduler, 1 vCPU, 2 GB", 3600.0, SCHEDULER),
    ]
    assert found.total_usd == pytest.approx(CLIENT / 2 + 1.4 * WORKER + SCHEDULER, abs=5e-6)


def test_shared_workers_and_the_scheduler_are_paid_for_while_the_lease_lasted() -> None:
    found = bill(
        workers=[task("worker", "w1", -3.0, None), task("worker", "w2", -2.0, 0.5)],
        schedulers=[task("scheduler", "s", -3.0, None)],
        scheduler_share=0.25,
    )
    assert lines(found) == [
        ("2 workers, 2 vCPU, 4 GB", 5400.0, 1.5 * WORKER),
        ("scheduler, 1 vCPU, 2 GB, 25% of it", 900.0, SCHEDULER / 4),
    ]


def test_a_run_pays_for_the_workers_that_its_result_names_else_for_as_many_as_it_leased() -> None:
    workers = [task("worker", f"w{index}", index / 10, None) for index in range(4)]
    assert bill(workers=workers, claimed={"w2", "w3"}).bill[0].seconds == pytest.approx(0.8 * 3600 + 0.7 * 3600)
    assert bill(workers=workers).bill[0].seconds == pytest.approx(3600 + 0.9 * 3600)


def test_a_task_costs_a_minute_at_least_and_nothing_if_it_never_was() -> None:
    never = Task("arn/n", "client", "STOPPED", False, NOON)
    found = bill(clients=[never, task("client", "c", 0.5, 0.5 + 10 / 3600)])
    assert lines(found) == [("client, 1 vCPU, 4 GB", 10.0, CLIENT / 60)]


def test_spot_is_a_line_of_its_own() -> None:
    workers = [task("worker", "w1", 0, None), task("worker", "w2", 0, None, spot=True)]
    found = bill(workers=workers)
    assert [line.what for line in found.bill] == ["worker, 2 vCPU, 4 GB", "worker, 2 vCPU, 4 GB, Spot"]
    assert found.bill[1].usd < found.bill[0].usd


def test_public_addresses_are_billed_where_there_are_any() -> None:
    tasks: dict[str, Any] = {
        "clients": [task("client", "c", 0.0, 1.0)],
        "workers": [task("worker", "w", 0.0, None)],
        "schedulers": [task("scheduler", "s", 0.0, None)],
        "scheduler_share": 0.5,
    }
    found = bill(Tariff(SIZES, Prices("X86_64"), public_ips=True), **tasks)
    assert lines(found)[-1] == ("public IPv4 addresses", 9000.0, 2.5 * 0.005)


def test_a_run_that_never_had_workers_costs_nothing_and_says_what_was_planned() -> None:
    others = [task("worker", "w", 0.0, None)]
    found = bill(workers=others, schedulers=[task("scheduler", "s", 0, None)], granted_at=None, plan={"usd": 0.7})
    assert (found.bill, found.total_usd, found.plan) == ([], 0.0, {"usd": 0.7})
