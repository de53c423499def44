"""How runs get workers and give them back: the order of reads and writes that makes the ledger safe.

Every step may be the last one that happens, and anybody may act between any two of them. So each change of the ledger
and of the run that it is about is one transaction, and whatever follows it (waking a run, telling ECS) is done again
by somebody else if it is lost: by the next call of the same function, or by the janitor.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

from functions.core import ledger as rules
from functions.core.ledger import Lease, Ledger, Ticket
from functions.core.runs import Run
from jobspec import TRANSITIONS, Cancelled, DispatchError, RunState, TooManyWorkers, Unanswered

ATTEMPTS = 200
"""How often a change is tried that others overtake. Each time it loses, somebody else's has gone through."""


class Outcome(Enum):
    """What came of a transaction."""

    DONE = "done"
    STALE = "stale"  # the ledger is not as it was read: read it again
    REFUSED = "refused"  # there is no such run, or its state, or its being cancelled, forbids the change


@dataclass(frozen=True, slots=True)
class RunChange:
    """A change of a run's row, refused unless the run may go from the state that it has to this one.

    Nothing changes a row that is final, nor takes one further that is being cancelled, but for ending it.
    """

    run_id: str
    state: RunState
    at: datetime
    fields: Mapping[str, Any] = field(default_factory=dict)  # of `Run`; None removes one

    @property
    def sources(self) -> frozenset[RunState]:
        """The states that the run may be in: a doubled call finds its work done, but a final state is written once."""
        before = frozenset(old for old, following in TRANSITIONS.items() if self.state in following)
        return before if self.state.is_final else before | {self.state}


class LedgerStore(Protocol):
    """The ledger and the runs, kept together. Reads are consistent: they see every write that came before them."""

    def read(self) -> Ledger:
        """The ledger; an empty one of version 0 where there is none yet."""

    def run(self, run_id: str) -> Run | None:
        """The run's row."""

    def commit(self, old: Ledger, new: Ledger, change: RunChange | None = None) -> Outcome:
        """Put `new` in the place of `old` and change the run, both or neither.

        STALE if the ledger's version is no longer that of `old`, even where `new` equals it: what was decided on it is
        void. REFUSED if the ledger is as it was but the run forbids the change.
        """

    def change(self, change: RunChange) -> bool:
        """Change a run alone; False if that is refused."""

    def note_announced(self, run_id: str) -> None:
        """Write that the run's end has been made known. The one change that a final row takes."""


class Tokens(Protocol):
    """Task tokens. False, and nothing happens, where the token's task has ended, timed out or been answered."""

    def succeed(self, token: str, output: dict[str, Any]) -> bool:
        """Let the execution go on."""

    def fail(self, token: str, error: str, cause: str) -> bool:
        """Let the execution's state fail with that error and cause."""


def acquire(store: LedgerStore, tokens: Tokens, ticket: Ticket, token: str, now: datetime) -> Lease | None:
    """Lease the workers and let the run go on, or queue it (None). Asking twice gives the second token its answer.

    Raises TooManyWorkers, QueueFull, Cancelled where the run has ended or is asked to, and Unanswered.
    """
    for old in _versions(store):
        new = rules.acquire(old, ticket, now)
        lease = new.leases.get(ticket.run_id)
        state = RunState.SCALING if lease else RunState.QUEUED
        change = RunChange(
            ticket.run_id, state, now, {"task_token": token, "workers": lease.workers if lease else None}
        )
        outcome = store.commit(old, new, change)
        if outcome is Outcome.REFUSED:
            raise Cancelled(f"{ticket.run_id} has ended, or was asked to, before it had its workers")
        if outcome is Outcome.DONE:
            if lease:
                tokens.succeed(token, granted(lease))
            return lease
    raise _overtaken()


def granted(lease: Lease) -> dict[str, Any]:
    """What a run is told that has its workers."""
    return {"workers": lease.workers, "granted_at": lease.granted_at.isoformat()}


def refuse(tokens: Tokens, token: str, error: DispatchError) -> None:
    """Let a run fail that cannot have its workers: with the error's code, and its problem details as the cause."""
    tokens.fail(token, error.code, json.dumps(error.as_problem(), default=str))


def wake(store: LedgerStore, tokens: Tokens, now: datetime) -> None:
    """Grant the head of the queue what it waits for, and the next, for as long as workers are free."""
    for old in _versions(store):
        if hopeless := rules.hopeless(old):
            run = store.run(hopeless.run_id)
            if run and run.task_token:
                refuse(tokens, run.task_token, TooManyWorkers(hopeless.workers, old.cap))
            return  # its own finish takes the ticket away, and wakes the next
        head = rules.grantable(old)
        if head is None:
            return
        new = rules.grant(old, now)
        change = RunChange(head.run_id, RunState.SCALING, now, {"workers": head.workers})
        outcome = store.commit(old, new, change)
        if outcome is Outcome.DONE:
            resend(store, tokens, head.run_id, new.leases[head.run_id])
        if outcome is Outcome.REFUSED:  # it has ended or is about to, and must not hold up the others
            store.commit(old, rules.release(old, head.run_id, now))


def resend(store: LedgerStore, tokens: Tokens, run_id: str, lease: Lease) -> None:
    """Tell a run that it has its workers, perhaps once more. The token is read after the lease was written, so that
    a call of `acquire` with a newer one either is seen here or sees the lease."""
    run = store.run(run_id)
    if run and run.state is RunState.SCALING and run.task_token:
        tokens.succeed(run.task_token, granted(lease))


def finish(store: LedgerStore, run_id: str, ending: Callable[[Run, Ledger], RunChange], now: datetime) -> bool:
    """End the run as `ending` says, its lease and ticket with it.

    Returns whether it was this call that ended it: a final state is written once, and stays.
    """
    for old in _versions(store):
        run = store.run(run_id)
        over = run is None or run.state.is_final
        new = rules.release(old, run_id, now)
        if over and new == old:
            return False
        change = None if run is None or over else ending(run, old)
        if store.commit(old, new, change) is Outcome.DONE:
            return not over
    raise _overtaken()


def _versions(store: LedgerStore) -> Iterator[Ledger]:
    """The ledger as it is, read anew for every attempt."""
    for _ in range(ATTEMPTS):
        yield store.read()


def _overtaken() -> DispatchError:
    return Unanswered(f"the ledger was changed by others {ATTEMPTS} times in a row; try again")
