"""Two runs from their grant to their receipts, by the functions and adapters as they are deployed, on moto."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ecs.models import ecs_backends
from moto.moto_api import state_manager

from functions import acquire_workers, await_workers, finish_run, janitor
from functions.adapters.run_items import run_item
from functions.core import keys
from functions.core.finishing import event_of
from functions.settings import Settings
from functions.wiring import Wiring
from jobspec import Cancelled, NoWorkers, RunState
from tests.chaos.world import NOON, run_row
from tests.fakes.clock import FakeClock
from tests.fakes.leases import NAMES
from tests.fakes.stack import ENVIRONMENT, RESULTS, SPECS
from tests.functional.functions.aws import REGION, make_bucket, make_runs_table

FIRST, SECOND = "vendor-summary-0123456789abcdef0123-1", "vendor-summary-0123456789abcdef0123-2"
MACHINE = {"StartAt": "Plan", "States": {"Plan": {"Type": "Succeed"}}}


class Stack:
    """A stack, and ECS's part in it: tasks that somebody starts."""

    def __init__(self) -> None:
        self.wiring: Any = Wiring(Settings(ENVIRONMENT | NAMES | {"MAX_WORKERS": "2"}))
        self.wiring.clock = FakeClock(NOON)
        self.wiring.finish_function = lambda ending: finish_run.handle(event_of(ending), self.wiring)
        self.dynamodb = boto3.resource("dynamodb", REGION)
        make_runs_table(self.dynamodb, ENVIRONMENT["RUNS_TABLE"])
        for bucket in (SPECS, RESULTS):
            make_bucket(boto3.client("s3", REGION), bucket)
        self.ecs = boto3.client("ecs", REGION)
        self.sqs = boto3.client("sqs", REGION)
        self._network()
        self._services()
        self.inbox = self._subscribed()

    def run(self, run_id: str, state: RunState = RunState.SUBMITTED, **fields: Any) -> None:
        """Enter a run and start its execution."""
        item = run_item(run_row(run_id, state, **fields))
        self.dynamodb.Table(ENVIRONMENT["RUNS_TABLE"]).put_item(Item=item)

    def start(self, role: str, at: Any, run_id: str | None = None) -> str:
        """Start a task, as the service or RunTask would, and give it the times that moto leaves out."""
        command = {"containerOverrides": [{"name": "dispatch", "command": ["client", "--run-id", run_id]}]}
        network = {"awsvpcConfiguration": {"subnets": [self.subnet], "securityGroups": [self.group]}}
        started = self.ecs.run_task(
            cluster="cluster",
            taskDefinition=role,
            launchType="FARGATE",
            networkConfiguration=network,
            **({"overrides": command} if run_id else {}),
        )
        arn: str = started["tasks"][0]["taskArn"]
        task = ecs_backends[DEFAULT_ACCOUNT_ID][REGION].tasks["cluster"][arn]
        task.created_at = task.pull_started_at = task.started_at = at
        return arn

    def desired(self) -> tuple[int, int]:
        """How many schedulers and workers are ordered."""
        services = self.ecs.describe_services(cluster="cluster", services=["scheduler", "worker"])["services"]
        found = {service["serviceName"]: service["desiredCount"] for service in services}
        return found["scheduler"], found["worker"]

    def row(self, run_id: str) -> Any:
        return self.wiring.ledger.run(run_id)

    def told(self) -> list[Any]:
        """What subscribers of the topic have had."""
        messages = self.sqs.receive_message(QueueUrl=self.inbox, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(json.loads(message["Body"])["Message"]) for message in messages]

    def _network(self) -> None:
        ec2 = boto3.client("ec2", REGION)
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
        self.subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
        self.group = ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc)["GroupId"]

    def _services(self) -> None:
        self.ecs.create_cluster(clusterName="cluster")
        for family in ("scheduler", "worker", "client"):
            self.ecs.register_task_definition(
                family=family,
                networkMode="awsvpc",
                cpu="1024",
                memory="4096",
                containerDefinitions=[{"name": "dispatch", "image": "i", "memory": 4096}],
            )
        for service in ("scheduler", "worker"):
            self.ecs.create_service(cluster="cluster", serviceName=service, taskDefinition=service, desiredCount=0)

    def _subscribed(self) -> str:
        sns = boto3.client("sns", REGION)
        topic = sns.create_topic(Name="runs")["TopicArn"]
        assert topic == NAMES["TOPIC_ARN"]
        queue: str = self.sqs.create_queue(QueueName="inbox")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        boto3.client("events", REGION).create_event_bus(Name="runs")
        states = boto3.client("stepfunctions", REGION)
        role = "arn:aws:iam::123456789012:role/machine"
        states.create_state_machine(name="run-job", definition=json.dumps(MACHINE), roleArn=role)
        return queue


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        # Left to itself moto takes a task one state nearer to its end each time it is looked at.
        state_manager.set_transition("ecs::task", {"progression": "manual", "times": 10_000})
        yield Stack()
        state_manager.unset_transition("ecs::task")


def acquire(stack: Stack, run_id: str, workers: int = 2) -> None:
    event = {"run_id": run_id, "workers": workers, "token": f"token of {run_id}", "timeout_seconds": 3600}
    acquire_workers.handle(event, stack.wiring)


def awaited(stack: Stack, run_id: str, workers: int = 2) -> Any:
    event = {"run_id": run_id, "workers": workers, "granted_at": NOON.isoformat(), "start_seconds": 600}
    event |= {"timeout_seconds": 3600, "paid_seconds": None}
    return await_workers.handle(event, stack.wiring)


def test_two_runs_one_after_the_other(stack: Stack) -> None:
    stack.run(FIRST, spec_key="specs/a.json", plan={"usd": 0.1})
    stack.run(SECOND)
    acquire(stack, FIRST)
    acquire(stack, SECOND)
    assert (stack.row(FIRST).state, stack.row(SECOND).state) == (RunState.SCALING, RunState.QUEUED)
    assert stack.row(SECOND).task_token == f"token of {SECOND}"
    assert stack.desired() == (1, 2)

    assert awaited(stack, FIRST) == {"ready": False, "scheduler": None, "count": 0, "timeout_seconds": 3600}
    scheduler, worker = stack.start("scheduler", NOON), stack.start("worker", NOON + timedelta(minutes=1))
    found = awaited(stack, FIRST)
    assert found["ready"] is True  # moto lists the tasks of all services for each: two here, one on ECS
    assert found["scheduler"].startswith("tls://") and found["scheduler"].endswith(":8786")
    assert stack.row(FIRST).state is RunState.RUNNING

    client = stack.start("client", NOON + timedelta(minutes=2), FIRST)
    names = [worker.rsplit("/", 1)[-1]]
    result = json.dumps({"environment": {"worker_names": names}}).encode()
    stack.wiring.results.write(keys.run_file(FIRST, keys.RESULT), result)
    stack.wiring.clock.at = NOON + timedelta(minutes=31)
    assert finish_run.handle({"run_id": FIRST, "input": {"run_id": FIRST}}, stack.wiring) == {"state": "SUCCEEDED"}

    assert stack.row(SECOND).state is RunState.SCALING
    ledger = stack.wiring.ledger.read()
    assert (list(ledger.leases), stack.desired()) == ([SECOND], (1, 2))
    receipt = json.loads(stack.wiring.results.read(keys.run_file(FIRST, keys.RECEIPT)))
    seconds = {line["what"].split(",")[0]: line["seconds"] for line in receipt["bill"]}
    assert (seconds["client"], seconds["worker"]) == (29 * 60, 30 * 60)
    assert receipt["plan"] == {"usd": 0.1}
    assert receipt["total_usd"] == stack.row(FIRST).cost_usd > 0
    answer = json.loads(stack.wiring.specs.read(keys.run_answer("specs/a.json")))
    assert (answer["run_id"], answer["state"], answer["cost_usd"]) == (FIRST, "SUCCEEDED", receipt["total_usd"])
    assert stack.told() == [answer]
    described = stack.ecs.describe_tasks(cluster="cluster", tasks=[client])["tasks"][0]
    assert described["stoppedReason"] == f"{FIRST} is SUCCEEDED"
    assert scheduler in stack.ecs.list_tasks(cluster="cluster", desiredStatus="RUNNING")["taskArns"]


def test_a_run_that_is_cancelled_gives_everything_back(stack: Stack) -> None:
    stack.run(FIRST)
    acquire(stack, FIRST)
    stack.run(FIRST, RunState.SCALING, cancelling=True)
    with pytest.raises(Cancelled):
        stack.start("scheduler", NOON), stack.start("worker", NOON)
        awaited(stack, FIRST)
    detail = {"name": FIRST, "status": "ABORTED"}
    assert finish_run.handle({"detail": detail}, stack.wiring) == {"state": "CANCELLED"}
    assert stack.desired() == (1, 0)
    with pytest.raises(Cancelled, match="no workers any more"):
        awaited(stack, FIRST)


def test_a_wrong_order_is_put_right_by_the_next_look_at_the_workers(stack: Stack) -> None:
    stack.run(FIRST)
    acquire(stack, FIRST)
    for service in ("scheduler", "worker"):
        stack.ecs.update_service(cluster="cluster", service=service, desiredCount=0)  # whoever ordered last knew less
    assert not awaited(stack, FIRST)["ready"]
    assert stack.desired() == (1, 2)


def test_workers_that_never_come_end_the_wait(stack: Stack) -> None:
    stack.run(FIRST)
    acquire(stack, FIRST)
    stack.wiring.clock.at += timedelta(minutes=10)
    with pytest.raises(NoWorkers, match="waited 600 s for 2 workers"):
        awaited(stack, FIRST)


def test_the_janitor_ends_what_has_no_execution_and_leaves_nothing_running(stack: Stack) -> None:
    stack.run(FIRST)
    acquire(stack, FIRST)
    worker = stack.start("worker", NOON)
    stack.wiring.clock.at += timedelta(minutes=5)
    janitor.handle(stack.wiring)
    assert stack.row(FIRST).state is RunState.FAILED
    assert stack.desired() == (1, 0)
    stack.wiring.clock.at += timedelta(minutes=10)
    assert janitor.handle(stack.wiring)["stopped"] == 1
    described = stack.ecs.describe_tasks(cluster="cluster", tasks=[worker])["tasks"][0]
    assert described["stoppedReason"] == "no run holds a lease any more"
    janitor.handle(stack.wiring)
    assert stack.desired() == (0, 0), "the scheduler goes when the last worker has gone"


def test_what_does_not_fit_is_refused_by_the_token(stack: Stack) -> None:
    stack.run(FIRST)
    failed: list[tuple[str, str, str]] = []

    class Executions:
        def fail(self, token: str, error: str, cause: str) -> bool:
            failed.append((token, error, json.loads(cause)["detail"]))
            return True

    stack.wiring.executions = Executions()
    acquire(stack, FIRST, workers=3)
    assert failed == [
        (f"token of {FIRST}", "too-many-workers", "/cluster/workers: 3 workers; this stack runs at most 2")
    ]
