"""The worker ledger: which run holds how many workers, and which runs wait for some, oldest first.

A ledger is a value; each function here returns another. One item of the runs table holds the stack's, and it changes
only by conditional write on its version, so that no two writers ever grant the same workers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from jobspec import QueueFull, TooManyWorkers

QUEUE_LIMIT = 2_000
"""How many runs may wait: the ledger is one item, and DynamoDB takes items of at most 400 KB."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A run's claim on workers. It counts until it is deleted, however late it is."""

    workers: int
    granted_at: datetime
    deadline: datetime  # by when the run should have ended; starting and stopping come on top


@dataclass(frozen=True, slots=True)
class Ticket:
    """A run's place in the queue."""

    run_id: str
    workers: int
    since: datetime
    timeout_seconds: int  # how long the run may take once it has its workers


@dataclass(frozen=True, slots=True)
class Ledger:
    """Who has which workers. `version` counts the writes; nobody but the store changes it."""

    cap: int
    version: int = 0
    draining: bool = False  # no new grants: somebody is about to deploy
    leases: Mapping[str, Lease] = field(default_factory=dict)  # by run id
    queue: tuple[Ticket, ...] = ()
    idle_since: datetime | None = None  # when the last lease went; None while there is one, or has never been any

    @property
    def workers(self) -> int:
        """How many workers are leased."""
        return sum(lease.workers for lease in self.leases.values())

    def names(self, run_id: str) -> bool:
        """Whether the run holds workers or waits for some."""
        return run_id in self.leases or any(ticket.run_id == run_id for ticket in self.queue)


def acquire(ledger: Ledger, ticket: Ticket, now: datetime) -> Ledger:
    """The ledger in which the run has a lease, or a place at the end of the queue.

    A run that has either already keeps it. Raises TooManyWorkers for more than the cap, and QueueFull.
    """
    if ledger.names(ticket.run_id):
        return ledger
    if ticket.workers > ledger.cap:
        raise TooManyWorkers(ticket.workers, ledger.cap)
    if not ledger.queue and _fits(ledger, ticket):
        return _lease(ledger, ticket, now)
    check_room(ledger)
    return replace(ledger, queue=(*ledger.queue, ticket))


def check_room(ledger: Ledger) -> None:
    """Raises QueueFull where no run more may wait."""
    if len(ledger.queue) >= QUEUE_LIMIT:
        raise QueueFull(QUEUE_LIMIT)


def grantable(ledger: Ledger) -> Ticket | None:
    """The ticket at the head of the queue, if its workers are free. Nobody overtakes the head."""
    return ledger.queue[0] if ledger.queue and _fits(ledger, ledger.queue[0]) else None


def hopeless(ledger: Ledger) -> Ticket | None:
    """The ticket at the head of the queue, if it wants more than the cap, which was lowered while it waited."""
    return ledger.queue[0] if ledger.queue and ledger.queue[0].workers > ledger.cap else None


def grant(ledger: Ledger, now: datetime) -> Ledger:
    """The ledger in which the head of the queue, which must be grantable, holds its workers."""
    head = grantable(ledger)
    assert head is not None
    return _lease(replace(ledger, queue=ledger.queue[1:]), head, now)


def release(ledger: Ledger, run_id: str, now: datetime) -> Ledger:
    """The ledger without the run; the same ledger if it does not name it."""
    if not ledger.names(run_id):
        return ledger
    leases = {name: lease for name, lease in ledger.leases.items() if name != run_id}
    idle_since = ledger.idle_since if leases or not ledger.leases else now
    queue = tuple(ticket for ticket in ledger.queue if ticket.run_id != run_id)
    return replace(ledger, leases=leases, queue=queue, idle_since=idle_since)


def drain(ledger: Ledger) -> Ledger:
    """The ledger that grants nothing more; whoever asks for workers waits in the queue."""
    return replace(ledger, draining=True)


def resume(ledger: Ledger) -> Ledger:
    """The ledger that grants again; the janitor wakes the head of the queue."""
    return replace(ledger, draining=False)


def _fits(ledger: Ledger, ticket: Ticket) -> bool:
    return not ledger.draining and ledger.workers + ticket.workers <= ledger.cap


def _lease(ledger: Ledger, ticket: Ticket, now: datetime) -> Ledger:
    lease = Lease(ticket.workers, now, now + timedelta(seconds=ticket.timeout_seconds))
    return replace(ledger, leases={**ledger.leases, ticket.run_id: lease}, idle_since=None)
