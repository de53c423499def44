"""A stack in memory: a wiring whose adapters are the fakes."""

from typing import Any

from functions import submit
from functions.core.ledger import Ledger
from functions.settings import Settings
from functions.wiring import Wiring
from tests.fakes.clock import FakeClock
from tests.fakes.executions import FakeExecutions
from tests.fakes.ledger_store import FakeLedgerStore
from tests.fakes.objects import FakeBucket, FakeBuckets
from tests.fakes.runs import FakeRuns
from tests.fakes.schedules import FakeSchedules
from tests.fakes.web import FakeWeb

SPECS, RESULTS = "the-specs", "the-results"
ENVIRONMENT = {
    "RUNS_TABLE": "runs",
    "SPECS_BUCKET": SPECS,
    "RESULTS_BUCKET": RESULTS,
    "STATE_MACHINE_ARN": "arn:aws:states:us-east-1:123456789012:stateMachine:run-job",
    "IMAGE_TAG": "v1",
    "MAX_WORKERS": "20",
    "MAX_RECEIVES": "5",
    "WORKER_VCPUS": "2",
    "WORKER_GB": "4",
    "CLIENT_VCPUS": "1",
    "CLIENT_GB": "4",
    "SCHEDULER_VCPUS": "1",
    "SCHEDULER_GB": "2",
    "ARCHITECTURE": "ARM64",
    "SPOT_SHARE": "0",
    "SCHEDULE_GROUP": "the-schedules",
    "SCHEDULE_ROLE_ARN": "arn:aws:iam::123456789012:role/schedule",
    "SUBMIT_QUEUE_ARN": "arn:aws:sqs:us-east-1:123456789012:submit",
    "SUBMIT_FUNCTION": "submit",
}


def fake_wiring(**environment: str) -> Any:
    """A wiring on fakes: `runs`, `ledger`, `specs`, `results`, `buckets`, `web`, `executions`, `schedules`, `clock`."""
    wiring: Any = Wiring(Settings(ENVIRONMENT | environment))
    fakes = {
        "clock": FakeClock(),
        "runs": FakeRuns(),
        "ledger": FakeLedgerStore(Ledger(cap=20)),
        "specs": FakeBucket(),
        "results": FakeBucket(),
        "buckets": FakeBuckets(data={f"trips/2018-{month:02}.csv": b"x" * month for month in range(1, 13)}),
        "web": FakeWeb(),
        "executions": FakeExecutions(),
        "schedules": FakeSchedules(),
        "submit_function": lambda document: submit.handle(document, wiring),
    }
    vars(wiring).update(fakes)
    return wiring
