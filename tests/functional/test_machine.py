"""The state machine itself, executed: what each path calls, in which order, and that all of them end in FinishRun."""

import json
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.servers.step_functions import (
    ACCOUNT,
    REGION,
    Ended,
    Fails,
    FunctionError,
    RefusedError,
    Runs,
    StateMachines,
    Stops,
    state_machines,
    substituted,
)

DEFINITION = Path(__file__).parents[2] / "statemachine" / "run_job.asl.json"
RUN_ID = "explore-trips-0123456789ab-1"
INPUT = {"run_id": RUN_ID, "spec": f"s3://results/runs/{RUN_ID}/spec.json"}
PLAN = {
    "workers": 4,
    "timeout_seconds": 60,
    "paid_seconds": None,
    "queue_seconds": 60,
    "start_seconds": 300,
    "inputs": f"s3://results/runs/{RUN_ID}/inputs.json",
    "results": "s3://results",
}
LEASE = {"workers": 4, "granted_at": "2026-11-25T12:00:00+00:00"}
NUMBERS = count()
SCHEDULER = "tls://10.0.1.2:8786"
READY = {"ready": True, "scheduler": SCHEDULER, "count": 4, "timeout_seconds": 50}
NOT_READY = {"ready": False, "scheduler": None, "count": 1, "timeout_seconds": 50}
UP_TO_THE_CLIENT = ["Plan", "AcquireWorkers", "AwaitWorkers", "WorkersReady", "RunClient"]
AGAIN = ["ClientStarted", "StartAgain", "WaitForWorkers", "AwaitWorkers", "WorkersReady", "RunClient"]
NEVER_STARTED = Stops(None, "TaskFailedToStart", "CannotPullContainerError: pull access denied")
STOPPED_BY_THE_JANITOR = Stops(None, "UserInitiated", "NeverStarted: still PENDING after 600 s")


def grant(payload: dict[str, Any]) -> dict[str, Any]:
    """Workers are free: the function itself sends the token back."""
    boto3.client("stepfunctions", region_name=REGION).send_task_success(
        taskToken=payload["token"], output=json.dumps(LEASE)
    )
    return {}


def finish(payload: dict[str, Any]) -> dict[str, Any]:
    return {"state": "FAILED" if "error" in payload["input"] else "SUCCEEDED"}


GOES_WELL = {"Plan": PLAN, "AcquireWorkers": grant, "AwaitWorkers": READY, "FinishRun": finish}


@pytest.fixture(scope="module")
def account() -> Iterator[tuple[StateMachines, str]]:
    """Step Functions with the state machine, and its ARN."""
    with state_machines([*GOES_WELL]) as server:
        arns = {f"{name}FunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}" for name in GOES_WELL}
        fixed = {"Partition": "aws", "ClientContainer": "dispatch", "AssignPublicIp": "ENABLED", "PollSeconds": "0"}
        yield server, server.create(substituted(DEFINITION, server.network | arns | fixed))


@pytest.fixture
def machines(account: tuple[StateMachines, str]) -> StateMachines:
    """Step Functions, its functions scripted for a run that goes well."""
    server, _ = account
    server.reset()
    for name, reply in GOES_WELL.items():
        server.functions[name].replies = [reply]
    return server


@pytest.fixture
def start(account: tuple[StateMachines, str], machines: StateMachines) -> Callable[[], str]:
    """`start()` starts the run; returns its execution."""
    return lambda: machines.start(account[1], INPUT, name=f"run-{next(NUMBERS)}")


@pytest.fixture
def run(machines: StateMachines, start: Callable[[], str]) -> Callable[[], Ended]:
    """`run()` runs the run to its end."""
    return lambda: machines.ended(start())


def finished(machines: StateMachines) -> dict[str, Any]:
    """What FinishRun was told, the one time that it was called."""
    (payload,) = machines.functions["FinishRun"].calls
    assert payload["run_id"] == RUN_ID
    assert payload["input"] | INPUT == payload["input"]
    return dict(payload["input"])


def test_a_run_that_goes_well(machines: StateMachines, run: Callable[[], Ended]) -> None:
    ended = run()

    assert (ended.status, ended.states) == ("SUCCEEDED", [*UP_TO_THE_CLIENT, "FinishRun", "Outcome", "Succeeded"])
    calls = {name: function.calls for name, function in machines.functions.items()}
    token = calls["AcquireWorkers"][0].pop("token")
    assert token
    assert calls["Plan"] == [INPUT]
    assert calls["AcquireWorkers"] == [{"run_id": RUN_ID, "workers": 4, "timeout_seconds": 60}]
    asked = {"run_id": RUN_ID, "start_seconds": 300, "timeout_seconds": 60, "paid_seconds": None}
    assert calls["AwaitWorkers"] == [asked | LEASE]
    told = finished(machines)
    assert "error" not in told
    assert told["lease"]["workers"] == 4
    assert told["workers"] == READY
    assert told["client"]["Containers"][0]["ExitCode"] == 0
    assert told["client"]["TaskArn"].split(":task/")[1].startswith("cluster/")


def test_the_client_is_asked_for_with_pointers_only(machines: StateMachines, run: Callable[[], Ended]) -> None:
    run()

    (asked,) = machines.fargate.asked
    network = machines.network
    assert asked["cluster"] == network["Cluster"]
    assert asked["taskDefinition"] == network["ClientTaskDefinition"]
    assert asked["launchType"] == "FARGATE"
    assert asked["networkConfiguration"]["awsvpcConfiguration"] == {
        "subnets": network["Subnets"].split(","),
        "securityGroups": [network["SecurityGroup"]],
        "assignPublicIp": "ENABLED",
    }
    (override,) = asked["overrides"]["containerOverrides"]
    assert override["name"] == "dispatch"
    assert override["command"] == [
        *("client", "--spec", INPUT["spec"], "--inputs", PLAN["inputs"], "--results", PLAN["results"]),
        *("--run-id", RUN_ID, "--scheduler", SCHEDULER, "--workers", "4", "--start-seconds", "300"),
    ]


def test_a_run_waits_in_the_queue_until_its_token_comes_back(machines: StateMachines, start: Callable[[], str]) -> None:
    machines.functions["AcquireWorkers"].replies = [{}]  # queued
    execution = start()
    (queued,) = machines.wait_until(lambda: machines.functions["AcquireWorkers"].calls)
    assert machines.entered(execution) == ["Plan", "AcquireWorkers"]

    grant(queued)

    assert machines.ended(execution).status == "SUCCEEDED"
    assert len(machines.functions["AcquireWorkers"].calls) == 1


def test_a_run_leaves_the_queue_when_its_time_is_up(machines: StateMachines, run: Callable[[], Ended]) -> None:
    machines.functions["Plan"].replies = [PLAN | {"queue_seconds": 3}]
    machines.functions["AcquireWorkers"].replies = [{}]

    ended = run()

    assert (ended.status, ended.states) == ("FAILED", ["Plan", "AcquireWorkers", "FinishRun", "Outcome", "Failed"])
    told = finished(machines)
    assert told["error"]["Error"] == "States.Timeout"
    assert "lease" not in told
    assert machines.fargate.asked == []


def test_a_run_that_the_ledger_turns_away_ends_with_the_ledgers_error(
    machines: StateMachines, run: Callable[[], Ended]
) -> None:
    cause = json.dumps({"title": "Too many workers"})

    def refuse(payload: dict[str, Any]) -> dict[str, Any]:
        machines.client("stepfunctions").send_task_failure(
            taskToken=payload["token"], error="too-many-workers", cause=cause
        )
        return {}

    machines.functions["AcquireWorkers"].replies = [refuse]

    assert run().status == "FAILED"
    assert finished(machines)["error"] == {"Error": "too-many-workers", "Cause": cause}


def test_workers_are_polled_for_until_they_are_ready(machines: StateMachines, run: Callable[[], Ended]) -> None:
    machines.functions["AwaitWorkers"].replies = [NOT_READY, NOT_READY, READY]

    ended = run()

    assert ended.status == "SUCCEEDED"
    assert ended.states[2:9] == ["AwaitWorkers", "WorkersReady", "WaitForWorkers"] * 2 + ["AwaitWorkers"]


def test_workers_that_never_come_end_the_run(machines: StateMachines, run: Callable[[], Ended]) -> None:
    machines.functions["AwaitWorkers"].replies = [NOT_READY, FunctionError("NoWorkers", "too few came")]

    ended = run()

    assert ended.status == "FAILED"
    assert len(machines.functions["AwaitWorkers"].calls) == 2
    error = finished(machines)["error"]
    assert error["Error"] == "NoWorkers"
    assert json.loads(error["Cause"])["errorMessage"] == "too few came"
    assert machines.fargate.asked == []


@pytest.mark.filterwarnings("ignore:.*does not match an error shape")  # of ECS's throttling, says moto
@pytest.mark.parametrize(
    "refusal", [Fails(), RefusedError("ThrottlingException"), RefusedError("ServerException")], ids=str
)
def test_run_task_is_tried_again_when_fargate_has_no_room(
    machines: StateMachines, refusal: Fails | RefusedError, run: Callable[[], Ended]
) -> None:
    machines.fargate.launches = [refusal, refusal, Stops()]

    ended = run()

    assert (ended.status, len(machines.fargate.asked)) == ("SUCCEEDED", 3)
    assert len(machines.waits) == 2
    assert "error" not in finished(machines)


def test_fargate_without_room_for_ever_ends_the_run(machines: StateMachines, run: Callable[[], Ended]) -> None:
    machines.fargate.launches = [Fails()]

    ended = run()

    assert (ended.status, len(machines.fargate.asked)) == ("FAILED", 7)
    longest = [15, 30, 60, 120, 240, 300]  # jitter takes any part of each
    assert all(0 <= wait <= bound for wait, bound in zip(machines.waits, longest, strict=True))
    assert ended.states == [*UP_TO_THE_CLIENT, "ClientStarted", "FinishRun", "Outcome", "Failed"]
    error = finished(machines)["error"]
    assert error["Error"] == "AmazonECS.Unknown"
    assert json.loads(error["Cause"])["Failures"][0]["Reason"].startswith("Capacity is unavailable")


def test_an_error_of_run_task_that_time_does_not_heal_ends_the_run_at_once(
    machines: StateMachines, run: Callable[[], Ended]
) -> None:
    machines.fargate.launches = [RefusedError("InvalidParameterException", "TaskDefinition is inactive")]

    assert run().status == "FAILED"
    assert len(machines.fargate.asked) == 1
    error = {"Error": "ECS.InvalidParameterException", "Cause": "TaskDefinition is inactive"}
    assert finished(machines)["error"] == error


@pytest.mark.parametrize("stopped", [NEVER_STARTED, STOPPED_BY_THE_JANITOR], ids=lambda stops: stops.code)
def test_a_client_that_never_started_is_started_again(
    machines: StateMachines, stopped: Stops, run: Callable[[], Ended]
) -> None:
    machines.fargate.launches = [stopped, Stops()]

    ended = run()

    assert ended.status == "SUCCEEDED"
    assert ended.states == [*UP_TO_THE_CLIENT, *AGAIN, "FinishRun", "Outcome", "Succeeded"]
    told = finished(machines)
    assert "error" not in told
    assert told["lease"] == LEASE | {"restarts": 1}
    first, second = machines.fargate.asked
    assert first["overrides"] == second["overrides"]


def test_a_client_that_never_starts_ends_the_run(machines: StateMachines, run: Callable[[], Ended]) -> None:
    machines.fargate.launches = [NEVER_STARTED]

    ended = run()

    assert (ended.status, len(machines.fargate.asked)) == ("FAILED", 3)
    error = finished(machines)["error"]
    assert error["Error"] == "States.TaskFailed"
    assert json.loads(error["Cause"])["StopCode"] == "TaskFailedToStart"


def test_a_client_that_ran_and_failed_is_not_run_again(machines: StateMachines, run: Callable[[], Ended]) -> None:
    machines.fargate.launches = [Stops(3), Stops()]

    ended = run()

    assert (ended.status, len(machines.fargate.asked)) == ("FAILED", 1)
    assert ended.states == [*UP_TO_THE_CLIENT, "ClientStarted", "FinishRun", "Outcome", "Failed"]
    error = finished(machines)["error"]
    assert error["Error"] == "States.TaskFailed"
    assert json.loads(error["Cause"])["Containers"][0]["ExitCode"] == 3
    assert (ended.error, json.loads(ended.cause or "")) == ("RunFailed", {"state": "FAILED"})


def test_the_state_that_finish_run_tells_rules_how_the_execution_ends(
    machines: StateMachines, run: Callable[[], Ended]
) -> None:
    machines.functions["FinishRun"].replies = [{"state": "CANCELLED"}]

    ended = run()

    assert (ended.status, json.loads(ended.cause or "")) == ("FAILED", {"state": "CANCELLED"})


def test_a_client_that_takes_too_long_is_stopped(machines: StateMachines, run: Callable[[], Ended]) -> None:
    machines.functions["AwaitWorkers"].replies = [READY | {"timeout_seconds": 3}]
    machines.fargate.launches = [Runs()]

    ended = run()

    assert (ended.status, len(machines.fargate.asked)) == ("FAILED", 1)
    assert ended.states == [*UP_TO_THE_CLIENT, "ClientStarted", "FinishRun", "Outcome", "Failed"]
    assert finished(machines)["error"]["Error"] == "States.Timeout"
    machines.wait_until(lambda: machines.tasks("RUNNING") == [])


@pytest.mark.parametrize("name", ["Plan", "AcquireWorkers", "AwaitWorkers", "FinishRun"])
def test_a_throttled_function_is_called_again(machines: StateMachines, name: str, run: Callable[[], Ended]) -> None:
    function = machines.functions[name]
    function.replies = [RefusedError("TooManyRequestsException")] * 8 + function.replies

    ended = run()

    assert (ended.status, len(function.calls)) == ("SUCCEEDED", 9)
    assert len(machines.waits) == 8
    assert max(machines.waits) <= 60


@pytest.mark.parametrize("name", ["Plan", "AcquireWorkers", "AwaitWorkers", "FinishRun"])
def test_a_function_that_lambda_fails_to_run_is_called_again(
    machines: StateMachines, name: str, run: Callable[[], Ended]
) -> None:
    function = machines.functions[name]
    refusals = [RefusedError(code, "internal") for code in ("ServiceException", "AWSLambdaException")]
    function.replies = [*refusals, FunctionError("Sandbox.Timedout", "after 60 s"), *function.replies]

    assert (run().status, len(function.calls)) == ("SUCCEEDED", 4)


def test_inputs_that_are_not_available_now_are_asked_for_again(
    machines: StateMachines, run: Callable[[], Ended]
) -> None:
    machines.functions["Plan"].replies = [FunctionError("InputUnavailable", "403"), PLAN]

    assert run().status == "SUCCEEDED"


def test_a_function_that_aws_leaves_unanswered_is_called_again(
    machines: StateMachines, run: Callable[[], Ended]
) -> None:
    for name in ("Plan", "AcquireWorkers", "AwaitWorkers"):
        function = machines.functions[name]
        function.replies = [FunctionError("Unanswered", "ThrottlingException"), *function.replies]

    assert run().status == "SUCCEEDED"


@pytest.mark.parametrize("name", ["Plan", "AcquireWorkers", "AwaitWorkers"])
def test_an_error_of_a_function_ends_the_run_and_is_not_repeated(
    machines: StateMachines, name: str, run: Callable[[], Ended]
) -> None:
    machines.functions[name].replies = [FunctionError("OverBudget", "too dear")]

    ended = run()

    assert (ended.status, len(machines.functions[name].calls)) == ("FAILED", 1)
    assert ended.states[-4:] == [name, "FinishRun", "Outcome", "Failed"]
    assert finished(machines)["error"]["Error"] == "OverBudget"


def test_finish_run_that_fails_is_repeated_whatever_the_error(
    machines: StateMachines, run: Callable[[], Ended]
) -> None:
    machines.functions["FinishRun"].replies = [FunctionError("ClientError"), FunctionError("KeyError"), finish]

    ended = run()

    assert (ended.status, len(machines.functions["FinishRun"].calls)) == ("SUCCEEDED", 3)


def test_finish_run_that_keeps_failing_leaves_a_failed_execution_behind(
    machines: StateMachines, run: Callable[[], Ended]
) -> None:
    machines.functions["FinishRun"].replies = [FunctionError("ClientError", "no table")]

    ended = run()

    assert (ended.status, len(machines.functions["FinishRun"].calls)) == ("FAILED", 7)
    assert ended.states[-2:] == ["FinishRun", "Failed"]
    assert json.loads(ended.cause or "")["Error"] == "ClientError"


@pytest.mark.parametrize("where", ["AcquireWorkers", "RunClient"])
def test_an_aborted_execution_stops_its_client_and_runs_nothing_more(
    machines: StateMachines, where: str, start: Callable[[], str]
) -> None:
    machines.fargate.launches = [Runs()]
    if where == "AcquireWorkers":
        machines.functions["AcquireWorkers"].replies = [{}]
    execution = start()
    machines.wait_until(lambda: machines.entered(execution)[-1:] == [where])
    machines.wait_until(lambda: machines.fargate.asked or machines.functions["AcquireWorkers"].calls)

    machines.client("stepfunctions").stop_execution(executionArn=execution, error="Cancelled", cause="by its owner")

    ended = machines.ended(execution)
    assert (ended.status, ended.states[-1]) == ("ABORTED", where)
    assert machines.functions["FinishRun"].calls == []  # EventBridge calls it: see template.yaml
    assert machines.tasks("RUNNING") == []
