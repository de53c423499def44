"""moto's Step Functions, executing a state machine against scripted functions and a scripted Fargate."""

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import boto3
from moto import mock_aws
from moto.awslambda.exceptions import LambdaClientError
from moto.core.responses import ActionResult
from moto.ec2.models import ec2_backends
from moto.ecs.exceptions import ECSException
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.moto_api import state_manager
from moto.stepfunctions.parser.utils import TMP_THREADS

from tests.servers.moto_mends import functions_without_docker, hurried_retries, mended, replaced

ACCOUNT, REGION = "123456789012", "us-east-1"


class FunctionError(Exception):
    """A function's own error, by the name of its class in the function."""

    def __init__(self, error_type: str, message: str = "") -> None:
        super().__init__(error_type, message)
        self.error_type, self.message = error_type, message


class RefusedError(Exception):
    """The service refuses the call, with one of its error codes."""

    def __init__(self, code: str, message: str = "Rate exceeded") -> None:
        super().__init__(code, message)
        self.code, self.message = code, message


Reply = dict[str, Any] | Exception | Callable[[dict[str, Any]], dict[str, Any]]


@dataclass
class ScriptedFunction:
    """A function that answers as it is told, call by call; the last answer stays."""

    replies: list[Reply] = field(default_factory=lambda: [{}])
    calls: list[dict[str, Any]] = field(default_factory=list)  # the payloads it was called with

    def __call__(self, payload: dict[str, Any]) -> dict[str, Any]:
        self.calls.append(payload)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return reply(payload) if callable(reply) else reply


@dataclass(frozen=True)
class Stops:
    """The task stops at once; an exit code of None means that its container never ran."""

    exit_code: int | None = 0
    code: str = "EssentialContainerExited"
    reason: str = "Essential container in task exited"


class Runs:
    """The task runs until somebody stops it."""


@dataclass(frozen=True)
class Fails:
    """RunTask answers 200 with this failure and no task."""

    reason: str = "Capacity is unavailable at this time. Please try again later or in a different availability zone"


Launch = Stops | Runs | Fails | RefusedError


@dataclass
class ScriptedFargate:
    """What becomes of each RunTask; the last stays."""

    launches: list[Launch] = field(default_factory=lambda: [Stops()])
    asked: list[dict[str, Any]] = field(default_factory=list)  # RunTask's parameters

    def next(self) -> Launch:
        return self.launches.pop(0) if len(self.launches) > 1 else self.launches[0]


@dataclass
class Ended:
    """An execution that is over."""

    status: str
    cause: str | None
    error: str | None
    states: list[str]  # entered, in order
    output: dict[str, Any] | None


@dataclass
class StateMachines:
    """Step Functions with what its states call."""

    functions: dict[str, ScriptedFunction] = field(default_factory=dict)
    fargate: ScriptedFargate = field(default_factory=ScriptedFargate)
    waits: list[float] = field(default_factory=list)  # seconds that retries would have waited
    network: dict[str, str] = field(default_factory=dict)  # Cluster, Subnets, SecurityGroup, ClientTaskDefinition
    _clients: dict[str, Any] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)

    def function(self, name: str) -> str:
        """Make a function of that name; returns its ARN."""
        self.functions[name] = ScriptedFunction()
        self.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=f"arn:aws:iam::{ACCOUNT}:role/functions",
            Handler="any.handler",
            Code={"ZipFile": b""},
        )
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = boto3.client(service, region_name=REGION)
        return self._clients[service]

    def reset(self) -> None:
        """Forget every script and every call."""
        for function in self.functions.values():
            function.replies, function.calls = [{}], []
        self.fargate.launches, self.fargate.asked = [Stops()], []
        self.waits.clear()

    def create(self, definition: str) -> str:
        """Make a state machine; returns its ARN."""
        created = self.client("stepfunctions").create_state_machine(
            name=f"machine-{next(self._numbers)}", definition=definition, roleArn=f"arn:aws:iam::{ACCOUNT}:role/machine"
        )
        return str(created["stateMachineArn"])

    def start(self, machine: str, document: dict[str, Any], name: str = "run") -> str:
        """Start an execution; returns its ARN."""
        states = self.client("stepfunctions")
        return str(
            states.start_execution(stateMachineArn=machine, name=name, input=json.dumps(document))["executionArn"]
        )

    def ended(self, execution: str, seconds: float = 120.0) -> Ended:
        """Wait for the execution to end."""
        states = self.client("stepfunctions")
        deadline = time.monotonic() + seconds
        while (told := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
            assert time.monotonic() < deadline, f"still in {self.entered(execution)}"
            time.sleep(0.05)  # to ask takes the execution's own time
        output = json.loads(told["output"]) if "output" in told else None
        return Ended(told["status"], told.get("cause"), told.get("error"), self.entered(execution), output)

    def entered(self, execution: str) -> list[str]:
        """The states that the execution has entered."""
        history = self.client("stepfunctions").get_execution_history(executionArn=execution, maxResults=1000)["events"]
        return [event["stateEnteredEventDetails"]["name"] for event in history if "stateEnteredEventDetails" in event]

    def wait_until(self, happened: Callable[[], Any], seconds: float = 60.0) -> Any:
        """What `happened` returns, once that is true."""
        deadline = time.monotonic() + seconds
        while not (result := happened()):
            assert time.monotonic() < deadline, "it never happened"
            time.sleep(0.05)
        return result

    def tasks(self, status: str) -> list[str]:
        """The ECS tasks that should be RUNNING or STOPPED."""
        ecs = self.client("ecs")
        return list(ecs.list_tasks(cluster=self.network["Cluster"], desiredStatus=status)["taskArns"])


@contextmanager
def state_machines(functions: Sequence[str] = (), without: str | None = None) -> Iterator[StateMachines]:
    """A fresh account with these functions, a Fargate cluster, and moto mended, but for the mend that is named."""
    server = StateMachines()

    def run(name: str, event: Any) -> tuple[str, bool]:
        try:
            return json.dumps(server.functions[name](event)), False
        except FunctionError as error:
            told = {"errorMessage": error.message, "errorType": error.error_type, "stackTrace": []}
            return json.dumps(told), True
        except RefusedError as error:
            raise LambdaClientError(error.code, error.message) from None

    with (
        mock_aws(config={"stepfunctions": {"execute_state_machine": True}}),
        mended(without),
        functions_without_docker(run),
        hurried_retries(server.waits),
        _scripted(server.fargate),
    ):
        trust = {"Version": "2012-10-17", "Statement": []}
        server.client("iam").create_role(RoleName="functions", AssumeRolePolicyDocument=json.dumps(trust))
        server.network = _network()
        for name in functions:
            server.function(name)
        try:
            yield server
        finally:
            _settle()


def _settle(seconds: float = 15.0) -> None:
    """Wait for moto's threads: one that outlives its account calls into nothing."""
    deadline = time.monotonic() + seconds
    while TMP_THREADS:
        TMP_THREADS.pop().join(max(0.0, deadline - time.monotonic()))


def _network() -> dict[str, str]:
    ec2 = ec2_backends[ACCOUNT][REGION]  # not its client: that takes a second to make
    vpc = ec2.get_default_vpc()
    subnets = [subnet.id for subnet in ec2.get_default_subnets().values()][:2]
    group = ec2.get_security_group_from_name("default", vpc.id).id
    ecs = boto3.client("ecs", region_name=REGION)
    ecs.create_cluster(clusterName="cluster")
    ecs.register_task_definition(
        family="client",
        networkMode="awsvpc",
        containerDefinitions=[{"name": "dispatch", "image": "image", "memory": 512, "essential": True}],
    )
    return {
        "Cluster": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/cluster",
        "ClientTaskDefinition": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/client",
        "Subnets": ",".join(subnets),
        "SecurityGroup": group,
    }


@contextmanager
def _scripted(fargate: ScriptedFargate) -> Iterator[None]:
    """ECS whose tasks do as `fargate` says."""
    run_task = EC2ContainerServiceResponse.run_task

    def scripted(response: EC2ContainerServiceResponse) -> ActionResult:
        fargate.asked.append(json.loads(response.body))
        match fargate.next():
            case RefusedError(code=code, message=message):
                raise ECSException(code, message)
            case Fails(reason=reason):
                return ActionResult({"tasks": [], "failures": [{"reason": reason}]})
            case launch:
                answer = run_task(response)
                for task in answer.result["tasks"]:
                    task.last_status = "RUNNING"
                    if isinstance(launch, Stops):
                        task.last_status = task.desired_status = "STOPPED"
                        task.stop_code, task.stopped_reason = launch.code, launch.reason
                        task.containers[0].exitCode = launch.exit_code
                return answer

    state_manager.set_transition("ecs::task", {"progression": "manual", "times": 1_000_000})
    try:
        with replaced(EC2ContainerServiceResponse, run_task=scripted):
            yield
    finally:
        state_manager.unset_transition("ecs::task")


def substituted(definition: Path, substitutions: dict[str, str]) -> str:
    """The definition as CloudFormation makes it from the file; a placeholder without a value is a KeyError."""
    return re.sub(r"\$\{(\w+)\}", lambda found: substitutions[found[1]], definition.read_text())
