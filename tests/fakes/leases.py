"""The stack in memory, as those functions see it that lease workers and end runs."""

from collections.abc import Iterable
from typing import Any

from functions import finish_run
from functions.core.finishing import event_of
from functions.core.ledger import Ledger
from functions.core.runs import Run
from tests.fakes.dask_services import FakeDaskServices
from tests.fakes.ledger_store import FakeLedgerStore
from tests.fakes.notices import FakeNotices
from tests.fakes.stack import fake_wiring
from tests.fakes.state_machine import FakeStateMachine

NAMES = {
    "CLUSTER": "cluster",
    "SCHEDULER_SERVICE": "scheduler",
    "WORKER_SERVICE": "worker",
    "CLIENT_FAMILY": "client",
    "ASSIGN_PUBLIC_IP": "ENABLED",
    "TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:runs",
    "BUS_NAME": "runs",
    "FINISH_FUNCTION": "finish",
}


def leasing_wiring(ledger: Ledger, runs: Iterable[Run] = ()) -> Any:
    """A wiring on fakes: `ledger`, `dask_services`, `executions`, `topic`, `bus`; the janitor calls finish_run here."""
    rows = {run.run_id: run for run in runs}
    wiring = fake_wiring(**NAMES)
    wiring.ledger = FakeLedgerStore(ledger, rows)
    wiring.executions = FakeStateMachine({name: "RUNNING" for name, run in rows.items() if not run.state.is_final})
    wiring.dask_services = FakeDaskServices(wiring.clock.now())
    wiring.topic, wiring.bus = FakeNotices(), FakeNotices()
    wiring.finish_function = lambda ending: finish_run.handle(event_of(ending), wiring)
    return wiring
