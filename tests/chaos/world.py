"""What the processes act on, what they may do, and what must hold of it whatever they do."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.core import leasing, scaling, sweeping
from functions.core.finishing import Ending
from functions.core.leasing import RunChange
from functions.core.ledger import Ledger, Ticket, grantable
from functions.core.runs import Run
from jobspec import TRANSITIONS, RunState
from tests.chaos.stepping import Body, Call, Ports
from tests.fakes.dask_services import FakeDaskServices
from tests.fakes.ledger_store import FakeLedgerStore
from tests.fakes.state_machine import FakeStateMachine

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
TIMEOUT = 3_600
Reconcile = Callable[..., None]


class Violation(AssertionError):  # noqa: N818
    """Raised when an invariant does not hold."""


def run_row(run_id: str, state: RunState = RunState.SUBMITTED, **fields: Any) -> Run:
    """A run's row."""
    return Run(
        run_id=run_id,
        job="vendor-summary",
        work_id=run_id,
        attempt=1,
        state=state,
        trigger="api",
        created_at=NOON,
        updated_at=NOON,
        spec_uri=f"s3://results/runs/{run_id}/spec.json",
        **fields,
    )


class World:
    """Ports, and a watch over every change that is made through them."""

    def __init__(self, store: Any, services: FakeDaskServices, executions: FakeStateMachine) -> None:
        self.store, self.services, self.executions = store, services, executions

    def make(self, call: Call) -> Any:
        """Make a call; raises Violation if it does what nothing may ever do."""
        port = getattr(self, call.port)
        if call.port != "store" or call.method not in ("commit", "change"):
            return getattr(port, call.method)(*call.arguments)
        before = self.store.read(), self.runs()
        answer = getattr(port, call.method)(*call.arguments)
        check_change(before, (self.store.read(), self.runs()), call)
        self.check()
        return answer

    def runs(self) -> dict[str, Run]:
        """Every row."""
        return dict(self.store.runs)

    def put(self, run: Run) -> None:
        """Make or replace a row, as others do."""
        self.store.put(run)

    def check(self) -> None:
        """What holds at every moment."""
        ledger, runs = self.store.read(), self.runs()
        if ledger.workers > ledger.cap:
            raise Violation(f"{ledger.workers} workers are leased, the cap is {ledger.cap}")
        for run_id in [*ledger.leases, *(ticket.run_id for ticket in ledger.queue)]:
            if run_id not in runs or runs[run_id].state.is_final:
                raise Violation(f"{run_id} is over and still in the ledger")
        if len({*ledger.leases, *(ticket.run_id for ticket in ledger.queue)}) < len(ledger.leases) + len(ledger.queue):
            raise Violation("a run is in the ledger twice")

    def check_converged(self) -> None:
        """What holds when nobody is at work: ECS and the runs have been told what the ledger says."""
        self.check_ordered()
        self.check_told()

    def check_ordered(self) -> None:
        """ECS has been told what the ledger says."""
        ledger = self.store.read()
        if self.services.desired("worker") != ledger.workers:
            raise Violation(f"{ledger.workers} workers are leased, {self.services.desired('worker')} are ordered")
        if ledger.leases and self.services.desired("scheduler") != 1:
            raise Violation("there are leases and no scheduler")

    def check_told(self) -> None:
        """Nobody waits for what is there."""
        ledger = self.store.read()
        if grantable(ledger):
            raise Violation("somebody waits for workers that are free")
        runs = self.runs()
        for run_id in ledger.leases:
            run = runs[run_id]
            if run.state is RunState.SCALING and run.task_token and run.task_token not in self.executions.answers:
                raise Violation(f"{run_id} has its workers and was never told")

    def copy(self) -> "World":
        """Another world that is like this one."""
        return World(self.store.copy(), self.services.copy(), self.executions.copy())


def check_change(before: Any, after: Any, call: Call) -> None:
    """What holds of every single change."""
    (old, old_runs), (new, new_runs) = before, after
    for run_id, run in new_runs.items():
        was = old_runs[run_id].state
        if run.state is not was and run.state not in TRANSITIONS[was]:
            raise Violation(f"{run_id} went from {was} to {run.state}")
    for run_id, lease in old.leases.items():
        ended = new_runs[run_id].state.is_final if run_id in new_runs else True
        if not ended and new.leases.get(run_id) != lease:
            raise Violation(f"{run_id} lost its share by {call}, and has not ended")
    for run_id in new.leases.keys() - old.leases.keys():
        if old.queue and old.queue[0].run_id != run_id:
            raise Violation(f"{run_id} was granted workers before the head of the queue, by {call}")


def fake_world(ledger: Ledger, runs: Iterable[Run]) -> World:
    """A world in memory whose ECS has been told what the ledger says."""
    rows = {run.run_id: run for run in runs}
    services = FakeDaskServices(NOON)
    executions = FakeStateMachine({run_id: "RUNNING" for run_id, run in rows.items() if not run.state.is_final})
    if ledger.leases:
        services.want_scheduler(1)
        services.want_workers(ledger.workers)
    return World(FakeLedgerStore(ledger, rows), services, executions)


# What processes do: the handlers' own steps.


def acquiring(
    run_id: str, workers: int, token: str = "", now: datetime = NOON, reconcile: Reconcile = scaling.reconcile
) -> Body:
    """AcquireWorkers."""

    def body(ports: Ports) -> None:
        ticket = Ticket(run_id, workers, now, TIMEOUT)
        leasing.acquire(ports.store, ports.executions, ticket, token or f"token of {run_id}", now)
        reconcile(ports.store, ports.services)

    return body


def ending(now: datetime, state: RunState = RunState.FAILED) -> Callable[[Run, Ledger], RunChange]:
    """How the runs of these tests end: as they are told, but for those that are being cancelled."""

    def change(run: Run, _: Ledger) -> RunChange:
        return RunChange(run.run_id, RunState.CANCELLED if run.cancelling else state, now, {"cost_usd": 0.5})

    return change


def finishing(
    run_id: str,
    state: RunState = RunState.FAILED,
    now: datetime = NOON,
    reconcile: Reconcile = scaling.reconcile,
    wake: Callable[..., None] = leasing.wake,
) -> Body:
    """FinishRun, and EventBridge's word of an execution that ended."""

    def body(ports: Ports) -> None:
        leasing.finish(ports.store, run_id, ending(now, state), now)
        wake(ports.store, ports.executions, now)
        reconcile(ports.store, ports.services)

    return body


def polling(reconcile: Reconcile = scaling.reconcile) -> Body:
    """AwaitWorkers, as far as the ledger goes."""
    return lambda ports: reconcile(ports.store, ports.services)


def starting(run_id: str, now: datetime = NOON) -> Body:
    """AwaitWorkers, when the workers are there."""
    return lambda ports: ports.store.change(RunChange(run_id, RunState.RUNNING, now, {"task_token": None}))


def sweeping_up(now: datetime = NOON + timedelta(minutes=3)) -> Body:
    """The janitor."""

    def body(ports: Ports) -> None:
        def finish(ended: Ending) -> None:
            state = RunState.TIMED_OUT if ended.status == "TIMED_OUT" else RunState.FAILED
            leasing.finish(ports.store, ended.run_id, ending(now, state), now)

        sweeping.sweep(ports.store, ports.services, ports.executions, ports.executions, finish, now)

    return body
