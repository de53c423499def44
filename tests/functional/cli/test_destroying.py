"""A stack goes: on moto, with runs under way, tasks that take their time, and functions that write meanwhile.

What moto leaves out is played: tasks stop at once there, nobody calls FinishRun, and a bucket goes with what it holds.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from cli.cloud.buckets import Buckets
from cli.cloud.executions import Executions
from cli.cloud.functions import Functions
from cli.cloud.stacks import Stacks
from cli.cloud.tasks import Tasks
from cli.destroying import BEGIN_RUNS, END_SECONDS, Removal
from cli.draining import ledger_in
from cli.stage import Stage
from functions.core.ledger import Lease, Ledger, Ticket, release
from jobspec import DispatchError, Refused
from tests.fakes.clock import FakeClock

REGION, NAME = "us-east-1", "dispatch-dev"
STAGE = Stage("dev", NAME, REGION, {})
ROLE = {"Fn::GetAtt": ["Role", "Arn"]}
FUNCTIONS = (*BEGIN_RUNS, "FinishRunFunction")
RUNS_TABLE = {
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
}


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def service(name: str) -> dict[str, Any]:
    return resource(
        "AWS::ECS::Service",
        Cluster={"Ref": "Cluster"},
        TaskDefinition={"Ref": "Task"},
        DesiredCount=2,
        ServiceName=name,
    )


TEMPLATE: dict[str, Any] = {
    "Resources": {
        "Role": resource(
            "AWS::IAM::Role",
            AssumeRolePolicyDocument={
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Principal": {"Service": f"{each}.amazonaws.com"}, "Action": "sts:AssumeRole"}
                    for each in ("lambda", "states")
                ],
            },
        ),
        "SpecsBucket": resource("AWS::S3::Bucket"),
        "ResultsBucket": resource("AWS::S3::Bucket"),
        "RunsTable": resource("AWS::DynamoDB::Table", **RUNS_TABLE),
        "RunJob": resource(
            "AWS::StepFunctions::StateMachine",
            RoleArn=ROLE,
            DefinitionString=json.dumps({"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 9, "End": True}}}),
        ),
        "Cluster": resource("AWS::ECS::Cluster"),
        "Task": resource(
            "AWS::ECS::TaskDefinition", Family="task", ContainerDefinitions=[{"Name": "d", "Image": "i", "Memory": 64}]
        ),
        "SchedulerService": service("scheduler"),
        "WorkerService": service("workers"),
        **{
            name: resource(
                "AWS::Lambda::Function", Role=ROLE, Runtime="python3.13", Handler="a.b", Code={"ZipFile": "pass"}
            )
            for name in FUNCTIONS
        },
    }
}


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield


@pytest.fixture
def there() -> dict[str, str]:
    boto3.client("cloudformation").create_stack(StackName=NAME, TemplateBody=json.dumps(TEMPLATE))
    found = Stacks(REGION).resources(NAME)
    for bucket in ("SpecsBucket", "ResultsBucket"):
        fill(found[bucket])
    return found


def fill(bucket: str) -> None:
    s3 = boto3.client("s3")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})  # moto's stacks do not
    for _ in range(2):
        s3.put_object(Bucket=bucket, Key="runs/a/result.json", Body=b"{}")
    s3.delete_object(Bucket=bucket, Key="runs/a/result.json")
    s3.create_multipart_upload(Bucket=bucket, Key="runs/a/tables/big.parquet")


def versions(bucket: str) -> list[Any]:
    found = boto3.client("s3").list_object_versions(Bucket=bucket)
    return found.get("Versions", []) + found.get("DeleteMarkers", [])


def is_closed(function: str) -> bool:
    found = boto3.client("lambda").get_function_concurrency(FunctionName=function)
    return found.get("ReservedConcurrentExecutions") == 0


class StrictStacks(Stacks):
    """CloudFormation deletes no bucket that holds anything; moto does."""

    def __init__(self, writing: Callable[[], None] = lambda: None) -> None:
        super().__init__(REGION)
        self.tries, self._writing = 0, writing

    def delete(self, name: str) -> None:
        self.tries += 1
        self._writing()
        held = self.resources(name)
        full = [bucket for bucket in ("SpecsBucket", "ResultsBucket") if bucket in held and versions(held[bucket])]
        if full:
            raise DispatchError(f"{name} was not deleted: {full}")
        super().delete(name)


@dataclass
class Ecs:
    """ECS with tasks that protect themselves, and take two looks to stop; moto has neither."""

    tasks: dict[str, str] = field(default_factory=lambda: dict.fromkeys(("t1", "t2", "t3"), "RUNNING"))
    asked: list[str] = field(default_factory=list)
    wanted: dict[str, int] = field(default_factory=dict)
    stubborn: bool = False
    exceptions: Any = field(default_factory=lambda: boto3.client("ecs", REGION).exceptions)

    def update_service(self, cluster: str, service: str, desiredCount: int) -> None:  # noqa: N803
        self.wanted[service] = desiredCount

    def stop_task(self, cluster: str, task: str, reason: str) -> None:
        self.asked.append(task)

    def get_paginator(self, name: str) -> "Ecs":
        assert name == "list_tasks"
        return self

    def paginate(self, cluster: str, desiredStatus: str) -> list[dict[str, list[str]]]:  # noqa: N803
        """As AWS has it: by what is wanted of a task, never by how far it is."""
        return [{"taskArns": [t for t in self.tasks if (t in self.asked) == (desiredStatus == "STOPPED")]}]

    def describe_tasks(self, cluster: str, tasks: list[str]) -> dict[str, Any]:
        found = [
            {"taskArn": t, "lastStatus": self.tasks[t], "desiredStatus": "STOPPED" if t in self.asked else "RUNNING"}
            for t in tasks
        ]
        for task in self.asked if not self.stubborn else []:
            self.tasks[task] = {"RUNNING": "DEACTIVATING", "DEACTIVATING": "STOPPING"}.get(self.tasks[task], "STOPPED")
        return {"tasks": found, "failures": []}


def tasks_on(ecs: Any) -> Tasks:
    tasks = Tasks(REGION, lambda _: None)
    tasks._ecs = ecs
    return tasks


# ---- The order


def lease(there: dict[str, str], *run_ids: str) -> None:
    store = ledger_in(REGION, there["RunsTable"])
    now = FakeClock().now()
    held = {run_id: Lease(2, now, now + timedelta(hours=1)) for run_id in run_ids}
    store.commit(store.read(), Ledger(cap=20, leases=held, queue=(Ticket("waits", 3, now, 60),)))
    for run_id in (*run_ids, "waits"):
        boto3.client("stepfunctions").start_execution(stateMachineArn=there["RunJob"], name=run_id)


def executions(there: dict[str, str]) -> dict[str, str]:
    found = boto3.client("stepfunctions").list_executions(stateMachineArn=there["RunJob"])["executions"]
    return {each["name"]: each["status"] for each in found}


def test_what_runs_ends_and_writes_its_last_words_before_anything_is_emptied(
    there: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    lease(there, "a", "b")
    store, ecs = ledger_in(REGION, there["RunsTable"]), Ecs()
    seen: list[Any] = []

    class Clock(FakeClock):
        def sleep(self, seconds: float) -> None:
            """EventBridge calls FinishRun, for one run at a time: it gives back, then writes."""
            assert all(is_closed(there[name]) for name in BEGIN_RUNS)
            assert not is_closed(there["FinishRunFunction"])
            assert set(executions(there).values()) == {"ABORTED"}
            assert store.read().draining
            assert ecs.asked == [], "FinishRun would order workers anew for whoever has a lease still"
            old = store.read()
            names = [*old.leases, *(ticket.run_id for ticket in old.queue)]
            store.commit(old, release(old, names[0], self.now()))
            boto3.client("s3").put_object(Bucket=there["ResultsBucket"], Key=f"runs/{names[0]}/receipt.json", Body=b"")
            seen.append(names)
            super().sleep(seconds)

    class Watched(StrictStacks):
        def delete(self, name: str) -> None:
            assert is_closed(there["FinishRunFunction"])
            assert set(ecs.tasks.values()) == {"STOPPED"}
            assert ecs.wanted == {there["WorkerService"]: 0, there["SchedulerService"]: 0}
            super().delete(name)

    stacks = Watched()
    removal = replace(Removal.of(STAGE), stacks=stacks, tasks=tasks_with_families(ecs), clock=Clock())
    assert removal.destroy()
    assert seen == [["a", "b", "waits"], ["b", "waits"], ["waits"]]
    assert stacks.tries == 1
    assert Stacks(REGION).find(NAME) is None
    assert boto3.client("s3").list_buckets()["Buckets"] == []
    assert "stopped 3 runs" in capsys.readouterr().out


def tasks_with_families(ecs: Ecs) -> Tasks:
    """Tasks that stop as `ecs` says; task definitions as moto has them."""
    tasks = tasks_on(ecs)
    tasks.deregister = Tasks(REGION).deregister  # type: ignore[method-assign]
    return tasks


def removal_of(stacks: Stacks, ecs: Any = None) -> Removal:
    return replace(Removal.of(STAGE), stacks=stacks, tasks=tasks_with_families(ecs or Ecs()), clock=FakeClock())


def test_what_is_written_meanwhile_is_emptied_too(there: dict[str, str]) -> None:
    late = [b"receipt", b"answer"]

    def writing() -> None:  # a function that was under way as it was closed
        if late:
            boto3.client("s3").put_object(Bucket=there["ResultsBucket"], Key="runs/a/receipt.json", Body=late.pop())

    stacks = StrictStacks(writing)
    assert removal_of(stacks).destroy()
    assert stacks.tries == 3
    assert Stacks(REGION).find(NAME) is None


def test_what_is_written_for_ever_is_told_of(there: dict[str, str]) -> None:
    stacks = StrictStacks(lambda: fill(there["ResultsBucket"]))
    with pytest.raises(DispatchError, match="ResultsBucket"):
        removal_of(stacks).destroy()


def test_runs_that_do_not_end_hold_nobody_up_for_ever(
    there: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    lease(there, "a")
    removal = removal_of(StrictStacks())
    start = removal.clock.now()
    assert removal.destroy()
    assert END_SECONDS <= (removal.clock.now() - start).total_seconds() < END_SECONDS + 10
    assert "2 runs have not ended" in capsys.readouterr().err


# ---- Again, and on half a stack


def test_a_second_try_takes_what_is_gone_for_done(there: dict[str, str]) -> None:
    """As after DELETE_FAILED, when CloudFormation still lists what somebody deleted by hand."""
    ecs = boto3.client("ecs")
    for name in ("WorkerService", "SchedulerService"):
        ecs.delete_service(cluster=there["Cluster"], service=there[name], force=True)
    ecs.delete_cluster(cluster=there["Cluster"])
    boto3.client("stepfunctions").delete_state_machine(stateMachineArn=there["RunJob"])
    for name in FUNCTIONS:
        boto3.client("lambda").delete_function(FunctionName=there[name])
    Buckets(REGION).empty(there["SpecsBucket"])
    boto3.client("s3").delete_bucket(Bucket=there["SpecsBucket"])

    class Gone(StrictStacks):
        def delete(self, name: str) -> None:
            assert versions(there["ResultsBucket"]) == []

    removal = replace(Removal.of(STAGE), stacks=Gone(), tasks=Tasks(REGION, lambda _: None), clock=FakeClock())
    assert removal.destroy()


def test_half_a_stack_goes_too() -> None:
    half = {"Resources": {name: TEMPLATE["Resources"][name] for name in ("SpecsBucket", "Cluster")}}
    boto3.client("cloudformation").create_stack(StackName=NAME, TemplateBody=json.dumps(half))
    fill(Stacks(REGION).resources(NAME)["SpecsBucket"])
    removal = removal_of(StrictStacks())
    assert removal.destroy()
    assert not removal.destroy()


@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"])
def test_a_stack_that_is_being_changed_is_left_alone(there: dict[str, str], status: str) -> None:
    class Busy(StrictStacks):
        def find(self, name: str) -> Any:
            found = super().find(name)
            assert found is not None
            return replace(found, status=status)

    with pytest.raises(Refused, match=status):
        removal_of(Busy()).destroy()
    assert not is_closed(there["SubmitFunction"])


def test_resources_that_are_gone_or_were_never_made_are_not_there() -> None:
    stacks = Stacks(REGION)
    listed = {
        "StackResourceSummaries": [
            {"LogicalResourceId": "A", "PhysicalResourceId": "a", "ResourceStatus": "DELETE_COMPLETE"},
            {"LogicalResourceId": "B", "PhysicalResourceId": "b", "ResourceStatus": "DELETE_FAILED"},
            {"LogicalResourceId": "C", "ResourceStatus": "CREATE_FAILED"},
        ]
    }

    class Pages:
        def get_paginator(self, _: str) -> "Pages":
            return self

        def paginate(self, **_: str) -> list[Any]:
            return [listed]

    stacks._cloudformation = Pages()  # type: ignore[assignment]
    assert stacks.resources(NAME) == {"B": "b"}


# ---- One service at a time


def test_a_task_has_stopped_when_its_containers_have(there: dict[str, str]) -> None:
    ecs = Ecs()
    tasks_on(ecs).stop_all("c", ["workers", "scheduler"], "bye")
    assert set(ecs.tasks.values()) == {"STOPPED"}
    assert ecs.wanted == {"workers": 0, "scheduler": 0}
    assert ecs.asked == ["t1", "t2", "t3"], "by name, which protection does not hold against, and once"


def test_tasks_that_do_not_stop_are_told_of() -> None:
    with pytest.raises(DispatchError, match="3 tasks still run in c"):
        tasks_on(Ecs(stubborn=True)).stop_all("c", ["workers"], "bye")


def test_more_tasks_than_one_call_describes() -> None:
    ecs = Ecs(tasks=dict.fromkeys((f"t{number}" for number in range(230)), "RUNNING"))
    asked: list[int] = []
    describe = ecs.describe_tasks
    ecs.describe_tasks = lambda cluster, tasks: asked.append(len(tasks)) or describe(cluster, tasks)  # type: ignore
    tasks_on(ecs).stop_all("c", [], "bye")
    assert set(ecs.tasks.values()) == {"STOPPED"}
    assert max(asked) == 100


def test_a_bucket_is_emptied_of_every_version_marker_and_upload(there: dict[str, str]) -> None:
    bucket = there["ResultsBucket"]
    assert len(versions(bucket)) == 3
    Buckets(REGION).empty(bucket)
    assert versions(bucket) == []
    assert "Uploads" not in boto3.client("s3").list_multipart_uploads(Bucket=bucket)


def test_every_revision_of_a_family_goes_and_no_others_do() -> None:
    ecs = boto3.client("ecs")
    for family in (f"{NAME}-worker", f"{NAME}-worker", f"{NAME}-worker-2"):
        ecs.register_task_definition(family=family, containerDefinitions=[{"name": "d", "image": "i", "memory": 64}])
    Removal.of(STAGE).destroy()
    left = ecs.list_task_definitions(status="ACTIVE")["taskDefinitionArns"]
    assert [arn.rsplit("/", 1)[1] for arn in left] == [f"{NAME}-worker-2:1"]


def test_every_execution_that_runs_is_stopped(there: dict[str, str]) -> None:
    lease(there, "a", "b")
    assert Executions(REGION).stop_all(there["RunJob"], "bye") == 3
    assert Executions(REGION).stop_all(there["RunJob"], "bye") == 0
    assert set(executions(there).values()) == {"ABORTED"}


def test_a_function_that_is_closed_takes_no_call(there: dict[str, str]) -> None:
    Functions(REGION).close(there["SubmitFunction"])
    assert is_closed(there["SubmitFunction"])
    assert not is_closed(there["FinishRunFunction"])
    Functions(REGION).close("another")


def test_every_resource_that_is_dealt_with_is_in_the_template() -> None:
    from cli.destroying import BUCKETS, SERVICES
    from tests.architecture.stack_template import RESOURCES

    named = {*FUNCTIONS, *BUCKETS, *SERVICES, "RunsTable", "RunJob", "Cluster"}
    assert named <= RESOURCES.keys()
    assert named <= TEMPLATE["Resources"].keys()
    kinds = {name for name, each in RESOURCES.items() if each["Type"] == "AWS::S3::Bucket"}
    assert kinds == set(BUCKETS), "a bucket that is not emptied keeps its stack"
