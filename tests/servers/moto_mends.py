"""What moto does otherwise than AWS where it executes a state machine: one small, named mend for each gap.

A mend is a context manager. `tests/functional/test_moto_mends.py` proves that moto still needs each of `MENDS`.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime
from typing import Any

import boto3
from botocore.exceptions import ClientError
from moto.awslambda.models import LambdaFunction
from moto.core.responses import EmptyResult
from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.error_equals_decl import ErrorEqualsDecl
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_ecs import (
    StateTaskServiceEcs as EcsTask,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped
from moto.stepfunctions.parser.asl.utils.boto_client import boto_client_for
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.responses import StepFunctionResponse

RunFunction = Callable[[str, Any], tuple[str, bool]]
"""`(function's name, event) -> (JSON of its answer or of its error, whether it is an error)`"""


@contextmanager
def replaced(owner: Any, **changes: Any) -> Iterator[None]:
    """The owner with other attributes for a while."""
    own = {name: vars(owner)[name] for name in changes if name in vars(owner)}
    for name, value in changes.items():
        setattr(owner, name, value)
    try:
        yield
    finally:
        for name in changes:
            if name in own:
                setattr(owner, name, own[name])
            else:
                delattr(owner, name)


@contextmanager
def functions_without_docker(run: RunFunction) -> Iterator[None]:
    """Lambda functions run as `run` says; moto starts a container for each call."""

    def invoke(function: LambdaFunction, event: Any = None) -> tuple[str, bool, str]:
        return *run(function.function_name, event), ""

    with replaced(LambdaFunction, _invoke_lambda=invoke):
        yield


@contextmanager
def hurried_retries(waits: list[float], seconds: float = 0.0) -> Iterator[None]:
    """A state's retries wait `seconds` only; `waits` gets what each would have waited. No mend: tests have no time."""

    class Clock:
        @staticmethod
        def sleep(interval: float) -> None:
            waits.append(interval)
            time.sleep(seconds)

    with replaced(retrier_decl, time=Clock):
        yield


def _shape(operation: str, kind: str) -> Any:
    model = boto3.client("ecs", region_name="us-east-1").meta.service_model.operation_model(operation)
    return getattr(model, f"{kind}_shape")


def _as_states_writes(value: Any) -> Any:
    """The value with its times as Step Functions writes them: milliseconds since 1970."""
    if isinstance(value, datetime):
        return int(value.timestamp() * 1000)
    if isinstance(value, dict):
        return {name: _as_states_writes(member) for name, member in value.items()}
    return [_as_states_writes(member) for member in value] if isinstance(value, list) else value


@contextmanager
def ecs_in_pascal_case() -> Iterator[None]:
    """Step Functions writes ECS's requests and answers in PascalCase; moto passes them on as they are."""

    def parameters_normalised(task: EcsTask, parameters: dict[str, Any], *_: Any, **__: Any) -> None:
        task._to_boto_request(parameters, _shape("RunTask", "input"))

    def response_normalised(
        task: EcsTask, response: Any, boto_service_name: str | None = None, service_action_name: str | None = None
    ) -> None:
        if service_action_name is not None:
            task._from_boto_response(response, _shape("DescribeTasks", "output"))
            response.update(_as_states_writes(response))

    with replaced(EcsTask, _normalise_parameters=parameters_normalised, _normalise_response=response_normalised):
        yield


class TaskFailedError(Exception):
    """A failure under the name and with the cause that Step Functions gives it."""

    def __init__(self, error: str, cause: Any) -> None:
        super().__init__(error, cause)
        self.error = error
        self.cause = cause if isinstance(cause, str) else json.dumps(cause, separators=(",", ":"), default=str)


@contextmanager
def ecs_errors_by_name() -> Iterator[None]:
    """An error of the RunTask call is `ECS.<code>`; to moto each is States.Runtime, which no Catch sees."""
    original = EcsTask._from_error

    def from_error(task: EcsTask, env: Environment, ex: Exception) -> FailureEvent:
        if isinstance(ex, ClientError):
            ex = TaskFailedError(f"ECS.{ex.response['Error']['Code']}", ex.response["Error"]["Message"])
        if not isinstance(ex, TaskFailedError):
            return original(task, env, ex)
        failed = StatesErrorName(typ=StatesErrorNameType.StatesTaskFailed)
        details = TaskFailedEventDetails(
            error=ex.error,
            cause=ex.cause,
            resource=task._get_sfn_resource(),
            resourceType=task._get_sfn_resource_type(),
        )
        return FailureEvent(
            env=env,
            error_name=failed if ex.error == "States.TaskFailed" else CustomErrorName(ex.error),
            event_type=HistoryEventType.TaskFailed,
            event_details=EventDetails(taskFailedEventDetails=details),
        )

    with replaced(EcsTask, _from_error=from_error):
        yield


@contextmanager
def ecs_failures_fail() -> Iterator[None]:
    """An answer of RunTask with `failures` is the error AmazonECS.Unknown to `.sync`; moto takes its first task."""

    def evaluate(
        task: EcsTask, env: Environment, resource_runtime_part: Any, normalised_parameters: Any, state_credentials: Any
    ) -> None:
        ecs = boto_client_for(region=resource_runtime_part.region, service="ecs", state_credentials=state_credentials)
        answer = ecs.run_task(**normalised_parameters)
        started = {"tasks": answer["tasks"], "failures": answer["failures"]}
        task._normalise_response(response=started, service_action_name="run_task")
        if answer["failures"]:
            raise TaskFailedError("AmazonECS.Unknown", started)
        env.stack.append(started)

    with replaced(EcsTask, _eval_service_task=evaluate):
        yield


@contextmanager
def ecs_exit_codes_matter() -> Iterator[None]:
    """A task that stops without exit code 0 fails `.sync` with States.TaskFailed, itself as cause; not in moto."""
    original = EcsTask._build_sync_resolver

    def resolver_of(task: EcsTask, *args: Any, **kwargs: Any) -> Callable[[], Any]:
        resolver = original(task, *args, **kwargs)

        def resolve() -> Any:
            stopped = resolver()
            if stopped and any(container.get("ExitCode") != 0 for container in stopped["Containers"]):
                raise TaskFailedError("States.TaskFailed", stopped)
            return stopped

        return resolve

    with replaced(EcsTask, _build_sync_resolver=resolver_of):
        yield


@contextmanager
def ecs_tasks_end_with_their_state() -> Iterator[None]:
    """A state that times out or is aborted stops its ECS task; moto leaves it running."""
    original, resolver_of = EcsTask._eval_sync, EcsTask._build_sync_resolver

    def task_of(task: EcsTask, env: Environment, *args: Any, **kwargs: Any) -> Callable[[], Any]:
        started = env.stack[-1]["Tasks"][0]
        resolver = resolver_of(task, env, *args, **kwargs)
        resolver.started = started  # type: ignore[attr-defined]
        return resolver

    def evaluate(task: EcsTask, env: Environment, sync_resolver: Any, **kwargs: Any) -> Any:
        outcome = original(task, env=env, sync_resolver=sync_resolver, **kwargs)
        if not isinstance(outcome, dict):  # the stopped task
            started = sync_resolver.started
            region = env.aws_execution_details.region
            boto_client_for(region=region, service="ecs").stop_task(
                cluster=started["ClusterArn"], task=started["TaskArn"], reason="Stopped by Step Functions"
            )
        return outcome

    with replaced(EcsTask, _build_sync_resolver=task_of, _eval_sync=evaluate):
        yield


@contextmanager
def some_errors_are_never_caught() -> Iterator[None]:
    """No Retry or Catch sees States.Runtime and States.DataLimitExceeded; in moto States.ALL does."""
    original = ErrorEqualsDecl._eval_body
    terminal = [
        StatesErrorName(typ=typ)
        for typ in (StatesErrorNameType.StatesRuntime, StatesErrorNameType.StatesStatesDataLimitExceeded)
    ]

    def evaluate(errors: ErrorEqualsDecl, env: Environment) -> None:
        if env.stack[-1] in terminal:
            env.stack[-1] = False
        else:
            original(errors, env)

    with replaced(ErrorEqualsDecl, _eval_body=evaluate):
        yield


@contextmanager
def token_failures_have_causes() -> Iterator[None]:
    """SendTaskFailure hands its cause on; moto drops it."""

    def send_task_failure(response: StepFunctionResponse) -> EmptyResult:
        token, error, cause = (response._get_param(name) for name in ("taskToken", "error", "cause"))
        response.stepfunction_backend.send_task_failure(token, error=error, cause=cause)
        return EmptyResult()

    with replaced(StepFunctionResponse, send_task_failure=send_task_failure):
        yield


@contextmanager
def aborts_take_effect() -> Iterator[None]:
    """StopExecution ends a running task state at once, as ABORTED; in moto it waits for a token, and ends as FAILED."""
    stop_worker, set_error = ExecutionWorker.stop, Environment.set_error

    def stop(worker: ExecutionWorker, **kwargs: Any) -> None:
        stop_worker(worker, **kwargs)
        for endpoint in list(worker.env.callback_pool_manager._pool.values()):
            endpoint.interrupt_all()

    def set_error_unless_stopped(env: Environment, error: Any) -> None:
        if not isinstance(env.program_state(), ProgramStopped):
            set_error(env, error)

    with replaced(ExecutionWorker, stop=stop), replaced(Environment, set_error=set_error_unless_stopped):
        yield


MENDS: dict[str, Callable[[], AbstractContextManager[None]]] = {
    mend.__name__: mend
    for mend in (
        ecs_in_pascal_case,
        ecs_errors_by_name,
        ecs_failures_fail,
        ecs_exit_codes_matter,
        ecs_tasks_end_with_their_state,
        some_errors_are_never_caught,
        token_failures_have_causes,
        aborts_take_effect,
    )
}


@contextmanager
def mended(without: str | None = None) -> Iterator[None]:
    """Every mend, but the one that is named."""
    with ExitStack() as stack:
        for name, mend in MENDS.items():
            if name != without:
                stack.enter_context(mend())
        yield
