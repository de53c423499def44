"""The state machine as a document: whole, reachable, bounded in time, generic, and in step with template and docs."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode.cfn_yaml import load as load_template

from functions.core.planning import QUEUE_SECONDS, START_SECONDS
from jobs import JOBS
from jobspec.spec import Limits

ROOT = Path(__file__).parents[2]
DEFINITION = ROOT / "statemachine" / "run_job.asl.json"
TEMPLATE = ROOT / "template.yaml"
TEXT = DEFINITION.read_text()
MACHINE: dict[str, Any] = json.loads(TEXT)
LIMITS = Limits.model_json_schema()["properties"]
STATES: dict[str, dict[str, Any]] = MACHINE["States"]
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
INVOKES = {name: state for name, state in TASKS.items() if ":lambda:invoke" in state["Resource"]}

# What the definition may ask of the template.
PLACEHOLDERS = {
    *("PlanFunctionArn", "AcquireWorkersFunctionArn", "AwaitWorkersFunctionArn", "FinishRunFunctionArn"),
    *("Cluster", "ClientTaskDefinition", "ClientContainer", "Subnets", "SecurityGroup", "AssignPublicIp"),
    *("PollSeconds", "Partition"),
}
# Every Lambda state repeats these: they are faults of AWS, never of a run.
LAMBDA_FAULTS = {
    *("Lambda.TooManyRequestsException", "Lambda.ServiceException", "Lambda.AWSLambdaException"),
    *("Lambda.SdkClientException", "Lambda.ClientExecutionTimeoutException", "Lambda.Unknown", "Sandbox.Timedout"),
    "Unanswered",  # what our functions raise where AWS gives them no answer
}


def targets(state: dict[str, Any]) -> Iterator[str]:
    """The states that may come next."""
    if "Next" in state:
        yield state["Next"]
    if "Default" in state:
        yield state["Default"]
    for way in [*state.get("Choices", []), *state.get("Catch", [])]:
        yield way["Next"]


def reachable(start: str, without: str | None = None) -> set[str]:
    """The states that an execution may come to from `start`, itself included, unless it goes through `without`."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name not in seen and name != without:
            seen.add(name)
            waiting += targets(STATES[name])
    return seen


def errors(retriers: list[dict[str, Any]]) -> set[str]:
    return {error for retrier in retriers for error in retrier["ErrorEquals"]}


def paths(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every (key, text) in a state."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from paths(member, name)
    elif isinstance(value, list):
        for member in value:
            yield from paths(member, key)
    elif isinstance(value, str):
        yield key, value


def test_every_target_exists_and_every_state_is_reached() -> None:
    assert {target for state in STATES.values() for target in targets(state)} <= set(STATES)
    assert reachable(MACHINE["StartAt"]) == set(STATES)


def test_every_state_leads_somewhere_or_ends() -> None:
    for name, state in STATES.items():
        assert state["Type"] in ("Succeed", "Fail") or list(targets(state)), name
        assert state["Type"] != "Choice" or "Default" in state, f"{name} may match nothing"
        assert "End" not in state, f"{name} ends the execution without FinishRun"


def test_no_way_leads_past_finish_run() -> None:
    assert not reachable(MACHINE["StartAt"], without="FinishRun") & {"Outcome", "Succeeded", "Failed"}
    for name in reachable(MACHINE["StartAt"], without="FinishRun"):
        assert "FinishRun" in reachable(name)


@pytest.mark.parametrize("name", TASKS)
def test_a_task_is_bounded_repeated_and_caught(name: str) -> None:
    state = TASKS[name]
    assert ("TimeoutSeconds" in state) != ("TimeoutSecondsPath" in state)
    assert state["Retry"]
    assert [(catch["ErrorEquals"], "ResultPath" in catch) for catch in state["Catch"]] == [(["States.ALL"], True)]
    for number, retrier in enumerate(state["Retry"]):
        last = number == len(state["Retry"]) - 1
        assert "States.ALL" not in retrier["ErrorEquals"] or (last and retrier["ErrorEquals"] == ["States.ALL"])
        assert {"IntervalSeconds", "BackoffRate", "MaxAttempts", "JitterStrategy"} <= set(retrier)
    assert len(errors(state["Retry"])) == sum(len(retrier["ErrorEquals"]) for retrier in state["Retry"])


@pytest.mark.parametrize("name", INVOKES)
def test_a_function_is_called_again_after_any_fault_that_is_not_its_own(name: str) -> None:
    repeated = errors(INVOKES[name]["Retry"])
    assert repeated >= LAMBDA_FAULTS or (name == "FinishRun" and "States.ALL" in repeated)


def test_a_client_is_never_run_again_by_a_retry() -> None:
    repeated = errors(TASKS["RunClient"]["Retry"])
    assert not repeated & {"States.ALL", "States.TaskFailed", "States.Timeout"}


def test_an_execution_may_wait_and_run_as_long_as_a_run_may() -> None:
    longest = 60 * LIMITS["timeout_minutes"]["maximum"]
    assert longest < QUEUE_SECONDS, "a run behind the longest one would be given up, though a deploy says it goes on"
    retries = 2 * 3600  # of every task together: the machine's time-out is for what nobody thought of
    assert MACHINE["TimeoutSeconds"] >= QUEUE_SECONDS + START_SECONDS + longest + retries


def test_names_are_the_functions_files() -> None:
    for name, state in INVOKES.items():
        snake = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
        assert state["Parameters"]["FunctionName"] == f"${{{name}FunctionArn}}"
        assert f"functions/{snake}.py" in state["Comment"]
        assert (ROOT / "functions" / f"{snake}.py").exists()


def test_it_is_small_generic_and_plain_json_path() -> None:
    assert len(STATES) <= 12
    assert MACHINE["QueryLanguage"] == "JSONPath"
    assert not {"Assign", "Arguments", "Output"} & {key for key, _ in paths(MACHINE)}
    assert "{%" not in TEXT
    for _, text in paths(MACHINE):
        assert not re.search(r"\$(?![.{$]|$)\w", text), f"a variable: {text}"
    assert [job for job in JOBS if job in TEXT] == []


def test_every_path_starts_from_what_some_state_has_written() -> None:
    written = {"run_id", "spec"}
    for state in STATES.values():
        for holder in [state, *state.get("Catch", [])]:
            written |= {holder["ResultPath"].removeprefix("$.")} if "ResultPath" in holder else set()
    read = {found for _, text in paths(MACHINE) for found in re.findall(r"(?<!\$)\$\.(\w+)", text)}
    of_results = {
        found
        for state in TASKS.values()
        for _, text in paths(state.get("ResultSelector", {}))
        for found in re.findall(r"\$\.(\w+)", text)
    }
    assert read - of_results <= written


def test_its_placeholders_are_the_templates_substitutions() -> None:
    used = set(re.findall(r"\$\{(\w+)\}", TEXT))
    assert used == PLACEHOLDERS
    properties = load_template(str(TEMPLATE))["Resources"]["RunJob"]["Properties"]
    assert set(properties["DefinitionSubstitutions"]) == used


def test_the_page_tells_of_every_state_and_every_error() -> None:
    page = (ROOT / "docs" / "state-machine.md").read_text()
    table = page[page.index("| state |") :].split("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(STATES)
    named = {error for state in TASKS.values() for error in errors(state["Retry"])}
    assert [error for error in sorted(named) if f"`{error}`" not in page] == []
