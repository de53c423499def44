"""Who is granted workers, who waits, and who is told no."""

from dataclasses import replace
from datetime import timedelta

import pytest

from functions.core.ledger import (
    QUEUE_LIMIT,
    Lease,
    Ledger,
    Ticket,
    acquire,
    drain,
    grant,
    grantable,
    hopeless,
    release,
    resume,
)
from jobspec import QueueFull, TooManyWorkers
from tests.chaos.world import NOON

LATER = NOON + timedelta(minutes=1)
EMPTY = Ledger(cap=10)


def ticket(run_id: str, workers: int) -> Ticket:
    return Ticket(run_id, workers, NOON, 600)


def holding(**workers: int) -> Ledger:
    leases = {name: Lease(count, NOON, NOON + timedelta(seconds=600)) for name, count in workers.items()}
    return replace(EMPTY, leases=leases)


def test_what_fits_is_leased_at_once_until_the_runs_time_is_over() -> None:
    assert acquire(EMPTY, ticket("a", 10), LATER).leases == {"a": Lease(10, LATER, LATER + timedelta(seconds=600))}


def test_what_does_not_fit_waits_and_so_does_whoever_comes_behind_it() -> None:
    waiting = acquire(holding(a=6), ticket("b", 5), LATER)
    assert [each.run_id for each in waiting.queue] == ["b"]
    assert [each.run_id for each in acquire(waiting, ticket("c", 1), LATER).queue] == ["b", "c"]


@pytest.mark.parametrize(
    "ledger", [holding(a=3), acquire(holding(b=8), ticket("a", 3), NOON)], ids=["leased", "queued"]
)
def test_asking_again_changes_nothing(ledger: Ledger) -> None:
    assert acquire(ledger, ticket("a", 4), LATER) == ledger


def test_more_than_the_cap_is_refused_at_once() -> None:
    with pytest.raises(TooManyWorkers, match="11 workers; this stack runs at most 10"):
        acquire(EMPTY, ticket("a", 11), NOON)


def test_the_queue_ends_somewhere_but_not_for_those_who_need_not_wait() -> None:
    full = replace(holding(a=10), queue=tuple(ticket(f"run{index}", 1) for index in range(QUEUE_LIMIT)))
    with pytest.raises(QueueFull, match="2,000 runs wait for workers already"):
        acquire(full, ticket("b", 1), NOON)
    assert acquire(full, ticket("run7", 1), NOON) == full


def test_only_the_head_is_granted_and_only_if_it_fits() -> None:
    waiting = replace(holding(a=6), queue=(ticket("b", 5), ticket("c", 1)))
    assert grantable(waiting) is None
    freed = release(waiting, "a", LATER)
    assert grantable(freed) == ticket("b", 5)
    granted = grant(freed, LATER)
    assert (set(granted.leases), grantable(granted)) == ({"b"}, ticket("c", 1))


def test_nothing_is_granted_while_somebody_deploys() -> None:
    draining = drain(EMPTY)
    waiting = acquire(draining, ticket("a", 1), NOON)
    assert (waiting.leases, grantable(waiting)) == ({}, None)
    assert grantable(resume(waiting)) == ticket("a", 1)


def test_a_release_takes_lease_and_ticket_and_nobody_elses() -> None:
    ledger = replace(holding(a=6, b=2), queue=(ticket("c", 9), ticket("d", 1)))
    assert release(ledger, "a", LATER) == replace(ledger, leases=holding(b=2).leases)
    assert release(ledger, "c", LATER) == replace(ledger, queue=(ticket("d", 1),))
    assert release(ledger, "stranger", LATER) == ledger


def test_the_ledger_knows_since_when_it_is_idle() -> None:
    idle = release(holding(a=6), "a", LATER)
    assert idle.idle_since == LATER
    assert release(replace(idle, queue=(ticket("c", 9),)), "c", LATER + timedelta(hours=1)).idle_since == LATER
    assert acquire(idle, ticket("b", 1), LATER).idle_since is None
    assert release(holding(a=6, b=1), "a", LATER).idle_since is None


def test_a_lowered_cap_takes_nothing_from_those_who_have_it() -> None:
    lowered = replace(holding(a=8), cap=5, queue=(ticket("b", 6), ticket("c", 1)))
    assert grantable(lowered) is None
    assert hopeless(lowered) == ticket("b", 6)
    assert hopeless(release(lowered, "b", NOON)) is None
    assert grantable(release(lowered, "b", NOON)) is None, "a still has more than there is"
