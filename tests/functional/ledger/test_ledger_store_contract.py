"""What every `LedgerStore` does: the fake of the proof, and the adapter on moto."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.adapters.ledger_table import ledger_document
from functions.core.leasing import LedgerStore, Outcome, RunChange
from functions.core.ledger import QUEUE_LIMIT, Lease, Ledger, Ticket
from functions.core.runs import Run
from jobspec import TRANSITIONS, RunState
from jobspec.spec import MAX_WORKERS
from tests.chaos.world import NOON, run_row
from tests.fakes.ledger_store import FakeLedgerStore
from tests.functional.ledger.moto_ledger import ledger_table, runs_table

LATER = NOON + timedelta(minutes=1)
LEASED = Ledger(cap=6, leases={"a": Lease(3, NOON, LATER)}, queue=(Ticket("b", 4, NOON, 60),), idle_since=None)
Make = Callable[..., LedgerStore]


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[Any]:
    with runs_table() as resource:
        yield resource


@pytest.fixture(params=["fake", "moto"])
def make(request: pytest.FixtureRequest) -> Make:
    """`make(*runs)`: a store that holds those runs, and no ledger yet."""
    if request.param == "fake":
        return lambda *runs: FakeLedgerStore(Ledger(cap=0), {run.run_id: run for run in runs})
    resource = request.getfixturevalue("dynamodb")
    return lambda *runs: ledger_table(resource, None, runs)


def to(state: RunState, **fields: Any) -> RunChange:
    return RunChange("a", state, LATER, fields)


def test_there_is_a_ledger_before_anybody_has_written_one(make: Make) -> None:
    assert make().read() == Ledger(cap=0)


def test_what_is_committed_is_read_at_the_next_version(make: Make) -> None:
    store = make()
    assert store.commit(store.read(), LEASED) is Outcome.DONE
    assert store.read() == replace(LEASED, version=1)
    drained = replace(store.read(), draining=True, leases={}, idle_since=NOON + timedelta(microseconds=1))
    assert store.commit(store.read(), drained) is Outcome.DONE
    assert store.read() == replace(drained, version=2)


@pytest.mark.parametrize("version", [0, 1, 2])
@pytest.mark.parametrize("again", [True, False], ids=["the same ledger", "another"])
def test_whoever_has_read_an_older_version_is_told(make: Make, again: bool, version: int) -> None:
    store = make(run_row("a"))
    for _ in range(version):
        store.commit(store.read(), replace(LEASED, draining=True))
    old = store.read()
    store.commit(old, LEASED)
    new = old if again else replace(LEASED, draining=True)
    assert store.commit(old, new, to(RunState.FAILED)) is Outcome.STALE
    assert store.read() == replace(LEASED, version=version + 1)
    run = store.run("a")
    assert run and run.state is RunState.SUBMITTED


def test_ledger_and_run_change_together(make: Make) -> None:
    store = make(run_row("a"))
    change = to(RunState.SCALING, workers=3, task_token="t")
    assert store.commit(store.read(), LEASED, change) is Outcome.DONE
    run = store.run("a")
    assert run == replace(run_row("a"), state=RunState.SCALING, workers=3, task_token="t", updated_at=LATER)


FORBIDDING: dict[str, tuple[Run, ...]] = {
    "no such run": (),
    "it has ended": (run_row("a", RunState.FAILED),),
    "it is being cancelled": (run_row("a", RunState.QUEUED, cancelling=True),),
    "it runs already": (run_row("a", RunState.RUNNING),),
}


@pytest.mark.parametrize("why", FORBIDDING)
def test_neither_changes_where_the_run_forbids_it(make: Make, why: str) -> None:
    store = make(*FORBIDDING[why])
    assert store.commit(store.read(), LEASED, to(RunState.SCALING)) is Outcome.REFUSED
    assert not store.change(to(RunState.SCALING))
    assert store.read() == Ledger(cap=0)
    assert store.run("a") == (FORBIDDING[why][0] if FORBIDDING[why] else None)


@pytest.mark.parametrize("old", RunState)
@pytest.mark.parametrize("new", RunState)
def test_states_go_forward_only_and_a_final_one_is_written_once(make: Make, old: RunState, new: RunState) -> None:
    store = make(run_row("a", old))
    allowed = new in TRANSITIONS[old] or (new is old and not old.is_final)
    assert store.change(to(new)) is allowed
    run = store.run("a")
    assert run and run.state is (new if allowed else old)


def test_a_run_that_is_being_cancelled_can_end(make: Make) -> None:
    store = make(run_row("a", RunState.QUEUED, cancelling=True, task_token="t"))
    told = {"type": "urn:dispatch:error:cancelled"}
    assert store.change(to(RunState.CANCELLED, task_token=None, error=told, receipt={"total_usd": 0.1}, cost_usd=0.1))
    run = store.run("a")
    assert run and (run.task_token, run.error, run.receipt, run.cost_usd) == (None, told, {"total_usd": 0.1}, 0.1)


def test_that_an_end_was_made_known_is_noted_though_it_is_final(make: Make) -> None:
    store = make(run_row("a", RunState.FAILED))
    store.note_announced("a")
    run = store.run("a")
    assert run == replace(run_row("a", RunState.FAILED), announced=True)


def test_a_full_ledger_fits_into_an_item(make: Make) -> None:
    name = "x" * 80
    leases = {f"{index:03}{name}"[:80]: Lease(1, NOON, LATER) for index in range(MAX_WORKERS)}
    queue = tuple(Ticket(f"{index:04}{name}"[:80], 200, NOON, 86_400) for index in range(QUEUE_LIMIT))
    full = Ledger(cap=MAX_WORKERS, leases=leases, queue=queue)
    assert len(ledger_document(full).encode()) < 320_000
    store = make()
    assert store.commit(store.read(), full) is Outcome.DONE
    assert store.read() == replace(full, version=1)
