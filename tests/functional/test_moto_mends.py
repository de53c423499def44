"""Each mend of moto is needed still: with all of them a state does as on AWS, without the one it does not.

When moto mends a gap itself, the second half of its test fails: then the mend can go.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.servers.moto_mends import MENDS
from tests.servers.step_functions import (
    ACCOUNT,
    REGION,
    Ended,
    Fails,
    FunctionError,
    Launch,
    RefusedError,
    Runs,
    StateMachines,
    Stops,
    state_machines,
)

RUN_TASK = "arn:aws:states:::ecs:runTask.sync"
WITH_TOKEN = "arn:aws:states:::lambda:invoke.waitForTaskToken"


def definition(resource: str, parameters: dict[str, Any], seconds: int = 60) -> str:
    """One task, its error caught, for so many seconds at most."""
    task = {"Type": "Task", "Resource": resource, "Parameters": parameters, "TimeoutSeconds": seconds, "End": True}
    caught = {"Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Caught"}]}
    return json.dumps({"StartAt": "Task", "States": {"Task": task | caught, "Caught": {"Type": "Succeed"}}})


def client(server: StateMachines, launch: Launch) -> Ended:
    """How a state ends whose ECS task does that."""
    server.fargate.launches = [launch]
    network = {"Subnets": server.network["Subnets"].split(","), "SecurityGroups": [server.network["SecurityGroup"]]}
    parameters = {
        "Cluster": server.network["Cluster"],
        "TaskDefinition": server.network["ClientTaskDefinition"],
        "LaunchType": "FARGATE",
        "NetworkConfiguration": {"AwsvpcConfiguration": network},
    }
    seconds = 3 if isinstance(launch, Runs) else 60
    return server.ended(server.start(server.create(definition(RUN_TASK, parameters, seconds)), {}))


def waiting(server: StateMachines) -> str:
    """An execution that waits for its task token."""
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:Function"
    payload = {"FunctionName": function, "Payload": {"token.$": "$$.Task.Token"}}
    return server.start(server.create(definition(WITH_TOKEN, payload, seconds=10)), {})


def error_of(ended: Ended) -> Any:
    return (ended.output or {}).get("error", {}).get("Error")


def pascal_case(server: StateMachines) -> bool:
    ended = client(server, Stops())
    return ended.states == ["Task"] and "StoppedReason" in (ended.output or {})


def error_by_name(server: StateMachines) -> bool:
    return error_of(client(server, RefusedError("ServerException"))) == "ECS.ServerException"


def failures_fail(server: StateMachines) -> bool:
    return error_of(client(server, Fails())) == "AmazonECS.Unknown"


def exit_code_matters(server: StateMachines) -> bool:
    return error_of(client(server, Stops(3))) == "States.TaskFailed"


def task_ends_with_its_state(server: StateMachines) -> bool:
    assert error_of(client(server, Runs())) == "States.Timeout"
    try:
        return bool(server.wait_until(lambda: server.tasks("RUNNING") == [], seconds=5))
    except AssertionError:
        return False


def runtime_error_is_not_caught(server: StateMachines) -> bool:
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:Function"
    payload = {"FunctionName": function, "Payload": {"missing.$": "$.missing"}}
    machine = server.create(definition("arn:aws:states:::lambda:invoke", payload))
    return server.ended(server.start(machine, {})).status == "FAILED"


def failure_has_its_cause(server: StateMachines) -> bool:
    def fail(payload: dict[str, Any]) -> dict[str, Any]:
        server.client("stepfunctions").send_task_failure(taskToken=payload["token"], error="no", cause="why")
        return {}

    server.functions["Function"].replies = [fail]
    ended = server.ended(waiting(server))
    return ended.output == {"error": {"Error": "no", "Cause": "why"}}


def abort_takes_effect(server: StateMachines) -> bool:
    execution = waiting(server)
    server.wait_until(lambda: server.functions["Function"].calls)
    server.client("stepfunctions").stop_execution(executionArn=execution)
    try:
        return server.ended(execution, seconds=8).status == "ABORTED"
    except AssertionError:
        return False


RIGHT: dict[str, Callable[[StateMachines], bool]] = {
    "ecs_in_pascal_case": pascal_case,
    "ecs_errors_by_name": error_by_name,
    "ecs_failures_fail": failures_fail,
    "ecs_exit_codes_matter": exit_code_matters,
    "ecs_tasks_end_with_their_state": task_ends_with_its_state,
    "some_errors_are_never_caught": runtime_error_is_not_caught,
    "token_failures_have_causes": failure_has_its_cause,
    "aborts_take_effect": abort_takes_effect,
}


def test_mended_moto_does_as_aws() -> None:
    with state_machines(["Function"]) as server:
        for mend in MENDS:
            server.reset()
            assert RIGHT[mend](server), mend


def test_a_function_runs_without_docker() -> None:
    with state_machines(["Function"]) as server:
        server.functions["Function"].replies = [FunctionError("KeyError", "no")]
        answer = server.client("lambda").invoke(FunctionName="Function", Payload=b'{"a": 1}')

        assert server.functions["Function"].calls == [{"a": 1}]
        assert answer["FunctionError"]
        assert json.loads(answer["Payload"].read())["errorType"] == "KeyError"


@pytest.mark.parametrize("mend", MENDS)
def test_moto_still_needs_the_mend(mend: str) -> None:
    with state_machines(["Function"], without=mend) as server:
        assert not RIGHT[mend](server), f"moto does as AWS without {mend}: take it away"
