"""Where AWS refuses a function, or gives it no answer, the state is repeated rather than the run failed."""

from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from functions import acquire_workers, await_workers, plan
from functions.core.submission import Submission
from functions.wiring import wiring
from jobspec import Unanswered
from tests.fakes.stack import ENVIRONMENT

SPEC = {"job": "explore-trips", "params": {"trips": ["s3://data/trips/*.csv"]}}
LEASE = {"workers": 1, "timeout_seconds": 60, "start_seconds": 60, "granted_at": "2026-11-25T12:00:00+00:00"}
ECS = {"CLUSTER": "c", "SCHEDULER_SERVICE": "s", "WORKER_SERVICE": "w"}


class Context:
    function_name = invoked_function_arn = aws_request_id = "f"
    memory_limit_in_mb = 256


@pytest.mark.parametrize("function", [plan, acquire_workers, await_workers])
def test_a_refusal_has_a_name_that_the_state_machine_repeats(
    function: Any, stack: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = stack.submitter.submit(Submission("api", SPEC))
    for name, value in (ENVIRONMENT | ECS | {"RUNS_TABLE": "not-there-yet"}).items():
        monkeypatch.setenv(name, value)
    wiring.cache_clear()
    with pytest.raises(Unanswered, match="ResourceNotFound") as caught:
        function.handler({"run_id": run.run_id, "spec": run.spec_uri, "token": "t", **LEASE}, Context())
    assert isinstance(caught.value.__cause__, ClientError | BotoCoreError)
    wiring.cache_clear()
