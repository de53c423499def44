"""Making ECS run the workers that are leased, and judging when a run has enough of them to start.

ECS shows what it was told late: what it says of itself may be older than what others have just written. So nothing
here asks it before telling it. A writer tells it the sum that it has read and reads the ledger once more; only when
that still says the same may it go. Of any number of writers, whoever tells ECS last sees the last sum, or somebody
does after it. A writer that dies between the two leaves a wrong count until the next one, at the latest the janitor.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from functions.core.leasing import LedgerStore
from functions.core.ledger import Ledger
from jobspec import NoWorkers

SCHEDULER_PORT = 8786
LINGER = timedelta(minutes=2)
"""How long the scheduler outlives the last lease: the next run, if it comes soon, finds it there."""
STRAGGLERS_AFTER = timedelta(minutes=10)
"""How long after the last lease a worker may still run; protection that nobody has lifted ends there."""
START_LIMIT = timedelta(minutes=10)
"""How long a task may take to run. About one in a hundred Fargate tasks never does."""

Role = Literal["scheduler", "worker", "client"]


@dataclass(frozen=True, slots=True)
class Task:
    """A Fargate task, as ECS describes it. Times are ECS's own, UTC; those of what has not happened are None."""

    arn: str
    role: Role
    status: str  # PROVISIONING, PENDING, ACTIVATING, RUNNING, DEACTIVATING, STOPPING, DEPROVISIONING, STOPPED
    spot: bool
    created_at: datetime | None
    pull_started_at: datetime | None = None  # billing begins
    started_at: datetime | None = None
    stopped_at: datetime | None = None  # billing ends
    address: str | None = None  # private IPv4
    run_id: str | None = None  # of a client: the run that it was started for

    @property
    def name(self) -> str:
        """The task's id: the last part of its ARN, and a worker's name in Dask."""
        return self.arn.rsplit("/", 1)[-1]


class DaskServices(Protocol):
    """The scheduler service, the worker service and the clients, on ECS.

    Orders are taken in the order in which they come. What is described may be old, and tasks follow orders late: a
    worker that protects itself lives on for as long as it does.
    """

    def want_workers(self, count: int) -> None:
        """Order this many workers, whatever was ordered before."""

    def want_scheduler(self, count: int) -> None:
        """Order a scheduler, or none."""

    def tasks(self, role: Role) -> Sequence[Task]:
        """The tasks that are meant to run: starting or running."""

    def stopped(self, role: Role) -> Sequence[Task]:
        """The tasks that are meant to stop: stopping, or stopped within about the last hour."""

    def stop(self, task: Task, reason: str) -> None:
        """Stop a task, protected or not. One that is gone is stopped."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What ECS is told. A scheduler of None is left as it is."""

    workers: int
    scheduler: int | None


def wanted(ledger: Ledger, scheduler_may_go: bool = False) -> Wanted:
    """What the ledger asks of ECS. The scheduler stays when the last lease goes, until somebody says that it may."""
    if ledger.leases:
        return Wanted(ledger.workers, 1)
    return Wanted(0, 0 if scheduler_may_go else None)


def reconcile(store: LedgerStore, services: DaskServices, scheduler_may_go: bool = False) -> None:
    """Tell ECS what the ledger says, until the ledger still says it after it was told."""
    told = None
    now_wanted = wanted(store.read(), scheduler_may_go)
    while told != now_wanted:
        told = now_wanted
        if told.scheduler is not None and told.workers:
            services.want_scheduler(told.scheduler)
        services.want_workers(told.workers)
        if told.scheduler is not None and not told.workers:
            services.want_scheduler(told.scheduler)  # it stops last
        now_wanted = wanted(store.read(), scheduler_may_go)


def scheduler_may_go(ledger: Ledger, workers: Sequence[Task], now: datetime) -> bool:
    """Whether nobody needs the scheduler: no lease for two minutes and no worker left."""
    idle = ledger.idle_since is None or now - ledger.idle_since >= LINGER
    return not ledger.leases and idle and not workers


def surplus(ledger: Ledger, workers: Sequence[Task], now: datetime) -> list[Task]:
    """The workers that still run ten minutes after the last lease."""
    if ledger.leases or (ledger.idle_since is not None and now - ledger.idle_since < STRAGGLERS_AFTER):
        return []
    return [task for task in workers if older(task, STRAGGLERS_AFTER, now)]


def stuck(tasks: Sequence[Task], now: datetime) -> list[Task]:
    """The tasks that have not come to run within ten minutes."""
    return [task for task in tasks if task.started_at is None and older(task, START_LIMIT, now)]


def older(task: Task, age: timedelta, now: datetime) -> bool:
    """Whether the task was made so long ago. ECS may not say yet when it was."""
    return task.created_at is not None and now - task.created_at >= age


@dataclass(frozen=True, slots=True)
class Readiness:
    """How far a run's workers are: `count` of them run, `scheduler` is its address once it has one."""

    ready: bool
    scheduler: str | None
    count: int


def readiness(
    ledger: Ledger,
    run_id: str,
    schedulers: Sequence[Task],
    workers: Sequence[Task],
    start_seconds: int,
    now: datetime,
) -> Readiness:
    """Whether a run may start: with all of its workers, or after `start_seconds` with half of them at least.

    Workers belong to the leases in the order in which they were granted. Raises NoWorkers when the time is over.
    """
    lease = ledger.leases[run_id]
    address = next((task.address for task in schedulers if task.status == "RUNNING" and task.address), None)
    mine = (lease.granted_at, run_id)
    before = sum(other.workers for name, other in ledger.leases.items() if (other.granted_at, name) < mine)
    running = sum(task.status == "RUNNING" for task in workers)
    count = max(0, min(lease.workers, running - before))
    late = now - lease.granted_at >= timedelta(seconds=start_seconds)
    enough = count == lease.workers or (late and 2 * count >= lease.workers)
    if late and not (enough and address):
        raise NoWorkers(lease.workers, start_seconds)
    ready = bool(enough and address)
    return Readiness(ready, f"tls://{address}:{SCHEDULER_PORT}" if address else None, count)
