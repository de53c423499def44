"""What the janitor does every five minutes: whatever somebody else should have done, and died before."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from functions.core.finishing import Ending
from functions.core.leasing import LedgerStore, Tokens, resend, wake
from functions.core.ledger import Lease, Ledger
from functions.core.runs import Run
from functions.core.scaling import START_LIMIT, DaskServices, Task, reconcile, scheduler_may_go, stuck, surplus
from jobspec import RunState

STOP_TIMEOUT = timedelta(seconds=120)
"""How long ECS lets a task take to stop."""
GRACE = timedelta(hours=2)
"""What comes on top of a run's own time: its workers' start, three tries at its client's, retries for capacity. A lease
is seldom late: of an execution that has ended the janitor knows within five minutes."""
MISSING_AFTER = timedelta(minutes=5)
"""How long an execution may be unknown: it may just be about to start, or be seen late."""
TICKETS_LOOKED_AT = 100
"""How much of the queue is looked at. Whatever blocks it is at its head."""


class Executions(Protocol):
    """The executions of the state machine, named like their runs."""

    def status(self, name: str) -> str | None:
        """RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED; None if there is none, or it does not show yet."""

    def stop(self, name: str, reason: str) -> bool:
        """Abort the execution; False if there is none. It may show as RUNNING for a while."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What the janitor found, for the alarms and the dashboard."""

    ledger: Ledger
    overdue: tuple[str, ...]  # runs whose lease outlived its deadline and grace
    stopped: tuple[Task, ...]  # tasks that nobody needed, or that never started
    without_lease: int  # tasks running though no run holds a lease, or not theirs


def overdue(lease: Lease, now: datetime) -> bool:
    """Whether a run must have ended long ago."""
    return now > lease.deadline + STOP_TIMEOUT + GRACE


def sweep(
    store: LedgerStore,
    services: DaskServices,
    executions: Executions,
    tokens: Tokens,
    finish: Callable[[Ending], object],
    now: datetime,
) -> Swept:
    """End the runs whose execution has ended, wake who can be woken, make ECS match, stop what nobody needs."""
    late = tuple(_finish_ended(store, executions, finish, now))
    wake(store, tokens, now)
    for run_id, lease in store.read().leases.items():
        resend(store, tokens, run_id, lease)
    workers = services.tasks("worker")
    stopping = [task for task in services.stopped("worker") if task.status != "STOPPED"]
    reconcile(store, services, scheduler_may_go(store.read(), [*workers, *stopping], now))
    clients = services.tasks("client")
    never_started = stuck([*clients, *workers, *services.tasks("scheduler")], now)
    ledger = store.read()
    stragglers = surplus(ledger, workers, now)
    orphans = _orphans(store, ledger, clients)
    for task in never_started:
        services.stop(task, f"NeverStarted: {task.status} for more than {_minutes(START_LIMIT)}")
    for task in stragglers:
        services.stop(task, "no run holds a lease any more")
    for task in orphans:
        services.stop(task, f"{task.run_id} has ended")
    without = len(orphans) + (0 if ledger.leases else len(workers))
    return Swept(ledger, late, (*never_started, *stragglers, *orphans), without)


def forgotten(run: Run, ledger: Ledger, executions: Executions, now: datetime) -> Ending | bool:
    """What is to be done about an open run that the ledger does not name: end it, start it (True), or nothing (False).

    A run is in no ledger before it asks for workers; its row is left SUBMITTED where whoever entered it died before
    starting it. Only then may its execution be missing. One that has ended is open until that has been made known:
    whoever ends it again does what is left of it.
    """
    if ledger.names(run.run_id) or now - run.updated_at < MISSING_AFTER:
        return False
    status = executions.status(run.run_id)
    if run.state.is_final:
        return Ending(run.run_id, status or "MISSING")
    if status == "RUNNING":
        return False
    if status is not None or run.cancelling:
        return Ending(run.run_id, status or "ABORTED")
    return run.state is RunState.SUBMITTED or _missing(run.run_id)


def _missing(run_id: str) -> Ending:
    return Ending(run_id, "MISSING", "MissingExecution", "there is no such execution")


def _finish_ended(
    store: LedgerStore, executions: Executions, finish: Callable[[Ending], object], now: datetime
) -> Iterator[str]:
    """Finish the runs in the ledger whose execution has ended; those that are overdue are made to, and named."""
    ledger = store.read()
    leases = [(run_id, lease.granted_at, overdue(lease, now)) for run_id, lease in ledger.leases.items()]
    tickets = [(ticket.run_id, ticket.since, False) for ticket in ledger.queue[:TICKETS_LOOKED_AT]]
    for run_id, since, late in leases + tickets:
        status = executions.status(run_id)
        if late:
            yield run_id
            if status == "RUNNING":
                executions.stop(run_id, "its time was over long ago")
                status = executions.status(run_id)
        if status is None and now - since >= MISSING_AFTER:
            finish(_missing(run_id))
        elif status not in (None, "RUNNING"):
            finish(Ending(run_id, "TIMED_OUT" if late else status))


def _orphans(store: LedgerStore, ledger: Ledger, clients: Sequence[Task]) -> list[Task]:
    """The clients whose run has ended: nobody waits for them, and their workers may be somebody else's by now."""
    orphans = []
    for task in clients:
        if task.run_id and task.run_id not in ledger.leases:
            run = store.run(task.run_id)
            if run and run.state.is_final:
                orphans.append(task)
    return orphans


def _minutes(duration: timedelta) -> str:
    return f"{duration.total_seconds() / 60:.0f} minutes"
