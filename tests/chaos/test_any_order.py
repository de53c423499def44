"""Any number of runs and writers in any order: Hypothesis chooses what happens next, call by call.

Runs acquire, wait, are told, start, end, end late and twice, are cancelled in the midst of anything; writers crash
between any two calls; the janitor comes and goes; ECS follows late. Whatever happened, when it is over the queue has
drained, every run has ended, and ECS runs nothing.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from functions.core import ledger as rules
from functions.core import scaling
from functions.core.ledger import Ledger
from jobspec import RunState
from tests.chaos.explorer import run_to_end
from tests.chaos.mutants import WRONG_RECONCILES, mutant
from tests.chaos.on_moto import MotoWorld
from tests.chaos.stepping import Body, Call, Process
from tests.chaos.world import (
    NOON,
    Violation,
    World,
    acquiring,
    fake_world,
    finishing,
    polling,
    run_row,
    starting,
    sweeping_up,
)
from tests.functional.ledger.moto_ledger import runs_table

CAP = 6
MOST_RUNS = 8
MOST_PROCESSES = 5
ENDINGS = [RunState.SUCCEEDED, RunState.FAILED, RunState.TIMED_OUT]


class LedgerMachine(RuleBasedStateMachine):
    """The world in memory."""

    reconcile: Any = staticmethod(scaling.reconcile)

    def new_world(self) -> World:
        return fake_world(Ledger(cap=CAP), [])

    @initialize(
        crashes=st.booleans(),
        drains=st.booleans(),
        age=st.integers(0, 3),
        first=st.lists(st.integers(1, 3), min_size=2, max_size=3),
    )
    def begin(self, crashes: bool, drains: bool, age: int, first: list[int]) -> None:
        self.may_crash, self.may_drain = crashes, drains
        self.age = age  # of what ECS shows, in orders
        self.world = self.new_world()
        self.now = NOON
        self.processes: list[Process] = []
        self.asked: dict[str, int] = {}  # runs, and how many workers each asks for
        self.tokens = 0
        for workers in first:  # any rule may be left out of an example, and nothing happens where there is no run
            self.submit(workers)

    # What happens to runs.

    @precondition(lambda self: len(self.asked) < MOST_RUNS)
    @rule(workers=st.one_of(st.integers(1, 2), st.integers(1, CAP)))
    def submit(self, workers: int) -> None:
        run_id = f"run{len(self.asked)}"
        self.asked[run_id] = workers
        self.world.put(run_row(run_id))
        self.world.executions.statuses = {**self.world.executions.statuses, run_id: "RUNNING"}
        self.acquire(run_id)

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def acquire_once_more(self, data: st.DataObject) -> None:
        self.acquire(data.draw(st.sampled_from(sorted(self.asked))))

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), state=st.sampled_from(ENDINGS))
    def finish(self, data: st.DataObject, state: RunState) -> None:
        run_id = data.draw(st.sampled_from(sorted(self.asked)))
        if state is RunState.SUCCEEDED and self.world.runs()[run_id].state is not RunState.RUNNING:
            state = RunState.FAILED
        self.ended(run_id, "FAILED")
        self.begin_process(f"finish {run_id}", finishing(run_id, state, self.now, self.reconcile))

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), and_tell=st.booleans())
    def cancel(self, data: st.DataObject, and_tell: bool) -> None:
        run_id = data.draw(st.sampled_from(sorted(self.asked)))
        run = self.world.runs()[run_id]
        if not run.state.is_final:
            self.world.put(replace(run, cancelling=True))
            self.ended(run_id, "ABORTED")
            if and_tell:
                self.begin_process(f"finish {run_id}", finishing(run_id, now=self.now, reconcile=self.reconcile))

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def start(self, data: st.DataObject) -> None:
        run_id = data.draw(st.sampled_from(sorted(self.asked)))
        if run_id in self.world.store.read().leases:
            self.begin_process(f"start {run_id}", starting(run_id, self.now))

    @rule()
    def poll(self) -> None:
        self.begin_process("poll", polling(self.reconcile))

    @rule()
    def janitor(self) -> None:
        self.begin_process("janitor", sweeping_up(self.now))

    @precondition(lambda self: self.may_drain)
    @rule(draining=st.booleans())
    def drain_or_resume(self, draining: bool) -> None:
        old = self.world.store.read()
        self.world.store.commit(old, rules.drain(old) if draining else rules.resume(old))

    # What happens to writers, and around them.

    @precondition(lambda self: self.processes)
    @rule(data=st.data())
    def one_call(self, data: st.DataObject) -> None:
        self.step_one(data.draw(st.integers(0, len(self.processes) - 1)))

    @precondition(lambda self: self.processes)
    @rule(data=st.data(), calls=st.integers(2, 6))
    def some_calls(self, data: st.DataObject, calls: int) -> None:
        index = data.draw(st.integers(0, len(self.processes) - 1))
        for _ in range(calls):
            if not self.step_one(index):
                break

    @precondition(lambda self: self.processes)
    @rule(data=st.data())
    def all_calls(self, data: st.DataObject) -> None:
        self.step_to_end(data.draw(st.integers(0, len(self.processes) - 1)))

    @precondition(lambda self: self.processes)
    @rule(oldest_first=st.booleans())
    def everybody_ends(self, oldest_first: bool) -> None:
        while self.processes:
            self.step_to_end(0 if oldest_first else len(self.processes) - 1)

    @precondition(lambda self: self.processes and self.may_crash)
    @rule(data=st.data())
    def crash(self, data: st.DataObject) -> None:
        self.processes.pop(data.draw(st.integers(0, len(self.processes) - 1)))

    @rule(age=st.integers(0, 3))
    def ecs_shows_late(self, age: int) -> None:
        self.age = age

    @rule(minutes=st.sampled_from([1, 3, 6, 15, 300]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.world.services.now = self.now

    @rule(tasks=st.integers(1, 4), protect=st.booleans())
    def ecs_follows(self, tasks: int, protect: bool) -> None:
        services = self.world.services
        services.settle(tasks)
        if protect:
            services.protected = frozenset(task.arn for task in services.tasks("worker"))

    @invariant()
    def holds(self) -> None:
        if hasattr(self, "world"):
            self.world.check()
            self.check_quiet()

    def teardown(self) -> None:
        """Let everything come to its end, and look whether it does."""
        if not hasattr(self, "world"):
            return
        while self.processes:
            self.step_to_end(len(self.processes) - 1)  # whoever has waited longest knows least
        self.check_quiet()
        self.run("resume", lambda ports: ports.store.commit(old := ports.store.read(), rules.resume(old)))
        for _ in range(2 * MOST_RUNS + 2):
            self.run("janitor", sweeping_up(self.now))
            self.world.check_converged()
            if all(run.state.is_final for run in self.world.runs().values()):
                break
            for run_id, run in self.world.runs().items():
                ledger = self.world.store.read()
                if run.state.is_final:
                    continue
                if run_id in ledger.leases or self.world.executions.status(run_id) != "RUNNING":
                    self.run("finish", finishing(run_id, now=self.now, reconcile=self.reconcile))
                elif not ledger.names(run_id):  # its state AcquireWorkers is tried again
                    self.tokens += 1
                    token = f"token {self.tokens}"
                    self.run("acquire", acquiring(run_id, self.asked[run_id], token, self.now, self.reconcile))
            self.now += timedelta(minutes=15)
            self.world.services.now = self.now
            self.world.services.settle()
        self.check_over()

    def check_over(self) -> None:
        ledger = self.world.store.read()
        if ledger.queue or ledger.leases:
            raise Violation(f"not everybody got through: {ledger}")
        if open_runs := [run.run_id for run in self.world.runs().values() if not run.state.is_final]:
            raise Violation(f"{open_runs} never ended")
        services = self.world.services
        for _ in range(3):
            self.now += timedelta(minutes=15)
            services.now = self.now
            services.settle()
            self.run("janitor", sweeping_up(self.now))
        services.settle()
        if services.running or services.desired("worker") or services.desired("scheduler"):
            raise Violation(f"ECS still runs {services.running}")

    def check_quiet(self) -> None:
        """When nobody is at work and nobody has crashed, the writers themselves have told ECS what the ledger says."""
        if not self.processes and not self.may_crash:
            self.world.check_ordered()

    # How it is done.

    def acquire(self, run_id: str) -> None:
        self.tokens += 1
        token = f"token {self.tokens}"
        self.begin_process(f"acquire {run_id}", acquiring(run_id, self.asked[run_id], token, self.now, self.reconcile))

    def ended(self, run_id: str, status: str) -> None:
        if self.world.executions.statuses[run_id] == "RUNNING":
            self.world.executions.statuses = {**self.world.executions.statuses, run_id: status}

    def begin_process(self, name: str, body: Body) -> None:
        if len(self.processes) == MOST_PROCESSES:  # somebody is slower than everybody after him
            self.step_to_end(0)
        self.processes.append(Process(name, body))

    def step_one(self, index: int) -> bool:
        process = self.processes[index]
        call = process.next_call
        if call is None:
            self.processes.pop(index)
            return False
        if call.method == "described":
            call = Call(call.port, call.method, (*call.arguments, self.age))
        process = process.answered(self.world.make(call))
        if process.next_call is None:
            self.processes.pop(index)
            return False
        self.processes[index] = process
        return True

    def step_to_end(self, index: int) -> None:
        while self.step_one(index):
            pass

    def run(self, name: str, body: Body) -> None:
        run_to_end(self.world, Process(name, body))


FEW = settings(
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


def test_any_order_in_memory() -> None:
    run_state_machine_as_test(LedgerMachine, settings=settings(FEW, max_examples=200))


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    with runs_table() as resource:
        yield resource


def test_any_order_on_dynamodb(dynamodb: Any) -> None:
    class OnDynamo(LedgerMachine):
        def new_world(self) -> World:
            return MotoWorld(dynamodb, Ledger(cap=CAP), [])

    run_state_machine_as_test(
        OnDynamo, settings=settings(FEW, max_examples=5, stateful_step_count=30, phases=[Phase.generate])
    )


@pytest.mark.parametrize("wrong", WRONG_RECONCILES)
def test_a_reconcile_that_is_wrong_is_found(wrong: str) -> None:
    class Wrong(LedgerMachine):
        reconcile = staticmethod(mutant(scaling, *WRONG_RECONCILES[wrong]).reconcile)

    search = settings(FEW, max_examples=1_500, phases=[Phase.generate], derandomize=True, database=None)
    with pytest.raises(Violation, match="are ordered"):
        run_state_machine_as_test(Wrong, settings=search)
