"""Every order of the calls of three writers, and the same with one thing wrong, which must be found."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

import pytest

from functions.core import leasing, ledger, scaling
from functions.core.ledger import Lease, Ledger, Ticket
from jobspec import RunState
from tests.chaos.explorer import explore
from tests.chaos.mutants import WRONG_RECONCILES, mutant
from tests.chaos.on_moto import Database, on_dynamodb
from tests.chaos.stepping import Body, Ports, Process
from tests.chaos.world import (
    NOON,
    TIMEOUT,
    Reconcile,
    Violation,
    World,
    acquiring,
    ending,
    fake_world,
    finishing,
    polling,
    run_row,
    starting,
    sweeping_up,
)
from tests.functional.ledger.moto_ledger import runs_table


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    with runs_table() as resource:
        yield Database(resource)


@pytest.fixture(params=["in memory", "on DynamoDB"])
def kept(request: pytest.FixtureRequest) -> Callable[[World], World]:
    """`kept(world)` is the world with its ledger where it is to be."""
    if request.param == "in memory":
        return lambda world: world
    database = request.getfixturevalue("database")
    return lambda world: on_dynamodb(world, database)


def busy() -> World:
    """Five of six workers are leased to a and b, c waits for three, d has just been submitted."""
    deadline = NOON + timedelta(seconds=TIMEOUT)
    leases = {"a": Lease(3, NOON, deadline), "b": Lease(2, NOON, deadline)}
    runs = [
        run_row("a", RunState.RUNNING),
        run_row("b", RunState.SCALING, task_token="token of b"),
        run_row("c", RunState.QUEUED, task_token="token of c"),
        run_row("d"),
    ]
    world = fake_world(Ledger(cap=6, version=7, leases=leases, queue=(Ticket("c", 3, NOON, TIMEOUT),)), runs)
    world.executions.succeed("token of b", {})
    return world


WRITERS: Mapping[str, Body] = {
    "finish a": finishing("a"),
    "finish a again": finishing("a", RunState.SUCCEEDED),
    "finish b": finishing("b"),
    "finish c": finishing("c"),
    "finish d": finishing("d"),
    "acquire c again": acquiring("c", 3, "newer token of c"),
    "acquire d": acquiring("d", 1),
    "poll": polling(),
    "start b": starting("b"),
    "janitor": sweeping_up(),
}
THREE = [
    ("finish a", "finish b", "acquire d"),
    ("finish a", "finish a again", "acquire c again"),
    ("finish a", "finish c", "poll"),
    ("acquire d", "finish d", "poll"),  # cancelled in mid-acquire
    ("finish a", "poll", "start b"),
    ("janitor", "finish b", "poll"),
]
TWO_THAT_MAY_CRASH = [
    ("finish a", "finish b"),
    ("finish a", "acquire c again"),
    ("finish a", "finish c"),
    ("acquire d", "finish d"),
    ("janitor", "finish a"),
]


def processes(names: tuple[str, ...], **others: Body) -> list[Process]:
    return [Process(name, others.get(name) or WRITERS[name]) for name in names]


@pytest.mark.parametrize("names", THREE, ids=", ".join)
def test_three_writers_in_every_order(names: tuple[str, ...]) -> None:
    assert explore(busy(), processes(names)) > 100


@pytest.mark.parametrize("names", THREE, ids=", ".join)
def test_three_writers_in_every_order_on_dynamodb(names: tuple[str, ...], database: Database) -> None:
    assert explore(on_dynamodb(busy(), database), processes(names)) > 100


@pytest.mark.parametrize("names", TWO_THAT_MAY_CRASH, ids=", ".join)
def test_two_writers_in_every_order_crashing_between_any_two_calls(names: tuple[str, ...]) -> None:
    assert explore(busy(), processes(names), crashes=2) > 100


def test_the_scheduler_goes_as_a_run_comes_in_every_order() -> None:
    """The last lease ends, the janitor finds that nobody needs the scheduler, and another run is granted workers."""
    writers = ("finish b", "acquire d", "janitor")
    assert explore(idle_but_for("b"), processes(writers)) > 1_000


def reconciling(reconcile: Reconcile) -> list[Process]:
    """Two that change the sum, by writers whose `reconcile` is this one; they may look at ECS."""
    return [
        Process("describing: finish b", finishing("b", reconcile=reconcile)),
        Process("describing: acquire d", acquiring("d", 1, reconcile=reconcile)),
    ]


def idle_but_for(run_id: str) -> World:
    """One lease, room for another, and ECS as it should be."""
    leases = {run_id: Lease(2, NOON, NOON + timedelta(seconds=TIMEOUT))}
    return fake_world(Ledger(cap=6, version=7, leases=leases), [run_row(run_id, RunState.RUNNING), run_row("d")])


def test_the_reconcile_that_is_right(kept: Callable[[World], World]) -> None:
    assert explore(kept(idle_but_for("b")), reconciling(scaling.reconcile)) > 100


@pytest.mark.parametrize("wrong", WRONG_RECONCILES)
def test_a_reconcile_that_is_wrong_is_found(wrong: str, kept: Callable[[World], World]) -> None:
    broken = mutant(scaling, *WRONG_RECONCILES[wrong]).reconcile
    with pytest.raises(Violation, match="are ordered"):
        explore(kept(idle_but_for("b")), reconciling(broken))


def test_a_reconcile_without_the_scheduler_is_found() -> None:
    right = "            services.want_scheduler(told.scheduler)\n        services"
    broken = mutant(scaling, right, "            pass\n        services").reconcile
    with pytest.raises(Violation, match="no scheduler"):
        explore(fake_world(Ledger(cap=6), [run_row("b"), run_row("d")]), reconciling(broken))


def test_a_finish_that_wakes_nobody_is_found() -> None:
    with pytest.raises(Violation, match="waits for workers that are free"):
        explore(busy(), [Process("finish a", finishing("a", wake=lambda *_: None))])


def test_an_acquire_in_two_steps_is_found(kept: Callable[[World], World]) -> None:
    right = (
        "        outcome = store.commit(old, new, change)\n        if outcome is Outcome.REFUSED:\n            raise"
    )
    wrong = right.replace("store.commit(old, new, change)", "store.commit(old, new); store.change(change)")
    broken = mutant(leasing, right, wrong)

    def body(ports: Ports) -> None:
        broken.acquire(ports.store, ports.executions, Ticket("d", 1, NOON, TIMEOUT), "token", NOON)

    with pytest.raises(Violation, match="is over and still in the ledger"):
        explore(kept(busy()), [Process("acquire d", body), *processes(("finish d",))])


def test_a_finish_in_two_steps_is_found(kept: Callable[[World], World]) -> None:
    right = "        if store.commit(old, new, change) is Outcome.DONE:\n"
    wrong = "        if change and store.change(change) and store.commit(old, new) is Outcome.DONE:\n"
    broken = mutant(leasing, right, wrong)

    def body(ports: Ports) -> None:
        broken.finish(ports.store, "a", ending(NOON), NOON)

    with pytest.raises(Violation, match="is over and still in the ledger"):
        explore(kept(busy()), [Process("finish a", body)])


def test_a_queue_that_can_be_jumped_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    jumped = mutant(ledger, "if not ledger.queue and _fits", "if _fits")
    monkeypatch.setattr(ledger, "acquire", jumped.acquire)
    with pytest.raises(Violation, match="before the head of the queue"):
        explore(busy(), processes(("acquire d",)))
