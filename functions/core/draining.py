"""Before a deploy: no new grants, and nobody left who has workers."""

from collections.abc import Callable

from functions.core import ledger as rules
from functions.core.clock import Clock
from functions.core.leasing import ATTEMPTS, LedgerStore, Outcome
from functions.core.ledger import Ledger
from jobspec import DispatchError

POLL_SECONDS = 10.0


def drain(store: LedgerStore, clock: Clock, wait: bool, told: Callable[[Ledger], None]) -> Ledger:
    """Let nobody have workers any more; if asked to, wait until those have ended who have some.

    `told` is called with the ledger whenever the number of leases has changed.
    """
    ledger = _changed(store, rules.drain)
    while ledger.leases and wait:
        told(ledger)
        leases = len(ledger.leases)
        while len(ledger.leases) == leases:
            clock.sleep(POLL_SECONDS)
            ledger = store.read()
        if not ledger.draining:
            raise DispatchError("somebody has resumed the stack meanwhile; drain it again")
    return ledger


def resume(store: LedgerStore) -> Ledger:
    """Let runs have workers again. The janitor wakes those that wait, within five minutes."""
    return _changed(store, rules.resume)


def _changed(store: LedgerStore, change: Callable[[Ledger], Ledger]) -> Ledger:
    for _ in range(ATTEMPTS):
        old = store.read()
        new = change(old)
        if (new == old and old.version) or store.commit(old, new) is Outcome.DONE:
            return store.read()
    raise DispatchError("the ledger is changed by others all the time; try again")
