"""A stack on moto under the template's own names, for scenarios to play in."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from io import BytesIO
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.response import StreamingBody
from moto.ec2.models import ec2_backends
from moto.moto_api import state_manager

from functions.adapters.run_items import run_item
from functions.core.leasing import Outcome
from functions.core.ledger import Ledger
from functions.core.runs import Run
from functions.settings import Settings
from functions.wiring import Wiring
from tests.architecture.iam.needs import ACCOUNT, REGION
from tests.architecture.iam.scenarios import Stage
from tests.fakes.clock import FakeClock
from tests.functional.functions.aws import make_stack


class Account:
    """Everything that the stack's functions find, and two wirings over it.

    `actor` is what acts, with the environment of its function and nothing else; `scene` sets things up with the
    environments of all functions.
    """

    def __init__(self, stage: Stage) -> None:
        stack = stage.stack
        self.environment = {k: v for name in stack.functions() for k, v in stack.environment(name).items()}
        self.data, self.more_data = stack.value({"Ref": "DataBuckets"})
        make_stack(self.environment, self.data, self.more_data)
        self.clock = FakeClock()
        self.actor: Any = Wiring(stage.settings)
        self.scene: Any = Wiring(Settings(self.environment))
        for wiring in (self.actor, self.scene):
            wiring.clock = self.clock

    def put_run(self, run: Run) -> None:
        """Enter a run's row."""
        boto3.resource("dynamodb", REGION).Table(self.environment["RUNS_TABLE"]).put_item(Item=run_item(run))

    def put_ledger(self, ledger: Ledger) -> None:
        """Enter the ledger."""
        store = self.scene.ledger
        assert store.commit(store.read(), ledger) is Outcome.DONE

    @cached_property
    def _network(self) -> dict[str, Any]:
        ec2 = ec2_backends[ACCOUNT][REGION]  # not its client: that takes a second to make
        subnets = [subnet.id for subnet in ec2.get_default_subnets().values()][:1]
        group = ec2.get_security_group_from_name("default", ec2.get_default_vpc().id).id
        return {"awsvpcConfiguration": {"subnets": subnets, "securityGroups": [group]}}

    @cached_property
    def ecs(self) -> Any:
        """ECS with the cluster, the services and the family of the clients."""
        ecs, names = boto3.client("ecs", region_name=REGION), self.environment
        ecs.create_cluster(clusterName=names["CLUSTER"])
        container = {"name": "dispatch", "image": "image", "memory": 512, "essential": True}
        ecs.register_task_definition(
            family=names["CLIENT_FAMILY"], networkMode="awsvpc", containerDefinitions=[container]
        )
        for service in (names["SCHEDULER_SERVICE"], names["WORKER_SERVICE"]):
            ecs.create_service(cluster=names["CLUSTER"], serviceName=service, taskDefinition=names["CLIENT_FAMILY"])
        return ecs

    def start_task(self, run_id: str, stopped: bool = False) -> None:
        """Start a task of a run. To moto, which does not know whose a service's tasks are, it is of every role."""
        names = self.environment
        started = self.ecs.run_task(
            cluster=names["CLUSTER"],
            taskDefinition=names["CLIENT_FAMILY"],
            launchType="FARGATE",
            networkConfiguration=self._network,
            overrides={"containerOverrides": [{"name": "dispatch", "command": ["client", "--run-id", run_id]}]},
        )
        if stopped:
            self.ecs.stop_task(cluster=names["CLUSTER"], task=started["tasks"][0]["taskArn"])


@contextmanager
def tasks_that_stay() -> Iterator[None]:
    """ECS tasks run on; moto has them end as soon as somebody looks."""
    state_manager.set_transition("ecs::task", {"progression": "manual", "times": 1_000_000})
    try:
        yield
    finally:
        state_manager.unset_transition("ecs::task")


def answer_invoke(client: Any, document: Mapping[str, Any]) -> None:
    """Let the Lambda client's calls be answered with that: moto would want Docker for it."""
    content = json.dumps(document).encode()

    def answer(**_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        body = StreamingBody(BytesIO(content), len(content))
        return AWSResponse("https://lambda", 200, {}, None), {"StatusCode": 200, "Payload": body}

    client.meta.events.register("before-call.lambda.Invoke", answer)
