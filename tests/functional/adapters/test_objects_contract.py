"""Buckets, executions and schedules, by the fakes and by AWS."""

import hashlib
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from functions.adapters.executions import Executions
from functions.adapters.functions_client import SubmitFunction
from functions.adapters.objects import Bucket, Buckets
from functions.adapters.schedules import Schedules
from functions.core.globs import Listed
from functions.core.schedules import Schedule
from jobspec import AlreadyExists, InputUnavailable, NotFound, Unanswered, UnreadableFile
from tests.fakes.executions import FakeExecutions
from tests.fakes.objects import FakeBucket, FakeBuckets
from tests.fakes.schedules import FakeSchedules
from tests.functional.functions.aws import REGION, make_bucket, make_state_machine

MACHINE = f"arn:aws:states:{REGION}:123456789012:stateMachine:run-job"


@pytest.fixture
def bucket(kind: str, request: pytest.FixtureRequest) -> Any:
    if kind == "fake":
        return FakeBucket()
    request.getfixturevalue("moto")
    client = boto3.client("s3", REGION)
    make_bucket(client, "own")
    return Bucket(client, "own")


def test_objects_of_a_bucket_of_ours(bucket: Any) -> None:
    assert not bucket.exists("a/b.json")
    assert bucket.read("a/b.json") is None
    assert bucket.write_new("a/b.json", b"one")
    assert not bucket.write_new("a/b.json", b"two")
    assert bucket.read("a/b.json") == b"one"
    bucket.write("a/b.json", b"three")
    assert bucket.exists("a/b.json")
    assert bucket.read("a/b.json", limit=2) == b"th"
    assert bucket.read("a/b.json", limit=100) == b"three"
    bucket.write("empty", b"")
    assert bucket.read("empty", limit=10) == b""
    for _ in range(2):
        bucket.remove("a/b.json")
        assert not bucket.exists("a/b.json")
    assert "a/c.json" in bucket.link("a/c.json", 60)


def test_a_version_stays_readable_behind_later_ones(bucket: Any) -> None:
    if isinstance(bucket, FakeBucket):
        versions = ["v1", "v2"]
        for version in versions:
            bucket.drop("k", version.encode(), version)
    else:
        put = bucket.client.put_object
        versions = [put(Bucket="own", Key="k", Body=body)["VersionId"] for body in (b"v1", b"v2")]
    assert [bucket.read("k", version) for version in versions] == [b"v1", b"v2"]
    bucket.remove("k")
    assert bucket.read("k", versions[0]) == b"v1"
    assert bucket.read("k") is None
    assert bucket.read("other", versions[0]) is None


@pytest.fixture
def buckets(kind: str, request: pytest.FixtureRequest) -> Any:
    content = {"in/a.csv": b"aa", "in/b.csv": b"", "in/x/c.csv": b"c", "in/x/y/d.csv": b"d", "other": b"o"}
    if kind == "fake":
        return FakeBuckets(data=content)
    request.getfixturevalue("moto")
    client = boto3.client("s3", REGION)
    client.create_bucket(Bucket="data")
    for key, body in content.items():
        client.put_object(Bucket="data", Key=key, Body=body)
    return Buckets(client)


def test_objects_of_a_bucket_that_a_spec_names(buckets: Any) -> None:
    etag = hashlib.md5(b"aa").hexdigest()
    assert buckets.head("data", "in/a.csv") == Listed("in/a.csv", 2, etag)
    assert buckets.head("data", "in") is buckets.head("data", "none") is buckets.head("none", "x") is None
    flat = list(buckets.listing("data", "in/", False))
    assert [one.key for one in flat] == ["in/a.csv", "in/b.csv", "in/x/"]
    assert [one.level for one in flat] == [False, False, True]
    assert flat[0] == Listed("in/a.csv", 2, etag)
    assert [one.key for one in buckets.listing("data", "in/x", True)] == ["in/x/c.csv", "in/x/y/d.csv"]
    assert list(buckets.listing("data", "zzz", True)) == list(buckets.listing("none", "", False)) == []


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("AccessDenied", 403, UnreadableFile),
        ("403", 403, UnreadableFile),
        ("SlowDown", 503, InputUnavailable),
        ("InternalError", 500, InputUnavailable),
        ("ThrottlingException", 400, InputUnavailable),
    ],
)
def test_what_s3_refuses_for_good_and_for_now(code: str, status: int, error: type[Exception], moto: Any) -> None:
    calls = {
        "head_object": lambda buckets: buckets.head("d", "k"),
        "list_objects_v2": lambda buckets: list(buckets.listing("d", "k", True)),
    }
    for method, call in calls.items():
        client = boto3.client("s3", REGION)
        with Stubber(client) as stub:
            stub.add_client_error(method, code, http_status_code=status)
            with pytest.raises(error, match="s3://d/k"):
                call(Buckets(client))


@pytest.fixture
def executions(kind: str, request: pytest.FixtureRequest) -> Any:
    if kind == "fake":
        return FakeExecutions()
    request.getfixturevalue("moto")
    client = boto3.client("stepfunctions", REGION)
    make_state_machine(client, "run-job")
    return Executions(client, MACHINE)


def test_an_execution_starts_once_and_stops_for_good(executions: Any) -> None:
    assert executions.status("a-1") is None
    assert executions.stop("a-1", "why") is False
    executions.start("a-1", '{"run_id":"a-1"}')
    executions.start("a-1", '{"run_id":"a-1"}')
    assert executions.status("a-1") == "RUNNING"
    assert executions.stop("a-1", "why") is True
    assert executions.stop("a-1", "why") is True
    executions.start("a-1", '{"run_id":"a-1"}')
    assert executions.status("a-1") == "ABORTED"


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_nobody_waits_by_a_token_any_more(code: str, moto: Any) -> None:
    client = boto3.client("stepfunctions", REGION)
    with Stubber(client) as stub:
        stub.add_client_error("send_task_success", code)
        stub.add_client_error("send_task_failure", code)
        stub.add_response("send_task_success", {}, {"taskToken": "t", "output": '{"workers": 2}'})
        stub.add_response("send_task_failure", {}, {"taskToken": "t", "error": "no-capacity", "cause": "c" * 32_768})
        executions = Executions(client, MACHINE)
        assert executions.succeed("t", {"workers": 2}) is False
        assert executions.fail("t", "e", "c") is False
        assert executions.succeed("t", {"workers": 2}) is True
        assert executions.fail("t", "no-capacity", "c" * 40_000) is True


@pytest.fixture
def schedules(kind: str, request: pytest.FixtureRequest) -> Any:
    if kind == "fake":
        return FakeSchedules()
    request.getfixturevalue("moto")
    client = boto3.client("scheduler", REGION)
    client.create_schedule_group(Name="group")
    account = f"{REGION}:123456789012"
    return Schedules(client, "group", f"arn:aws:sqs:{account}:submit", "arn:aws:iam::123456789012:role/schedule")


def schedule(name: str = "monthly", **more: Any) -> Schedule:
    spec = {"job": "explore-trips", "params": {"trips": ["s3://d/{scheduled:%Y-%m}-ü.csv"]}}
    return Schedule(**{"name": name, "when": "cron(0 6 5 * ? *)", "timezone": "Europe/Berlin", "spec": spec} | more)


def test_schedules(schedules: Any) -> None:
    assert schedules.page(10) == ([], None)
    schedules.create(schedule())
    assert schedules.find("monthly") == schedule()
    with pytest.raises(AlreadyExists, match="'monthly'"):
        schedules.create(schedule())
    changed = schedule(paused=True, description="why", when="rate(1 day)", timezone="UTC", spec={"job": "x"})
    schedules.replace(changed)
    assert schedules.find("monthly") == changed
    schedules.create(schedule("b"))
    found, following = schedules.page(10)
    assert sorted(one.name for one in found) == ["b", "monthly"]
    assert following is None
    schedules.delete("monthly")
    for call in (schedules.find, schedules.delete, lambda name: schedules.replace(schedule(name))):
        with pytest.raises(NotFound, match="no schedule 'monthly'"):
            call("monthly")


@pytest.mark.parametrize("call", ["get_schedule", "delete_schedule"])
def test_a_name_that_the_service_does_not_take_names_no_schedule(call: str, moto: Any) -> None:
    client = boto3.client("scheduler", REGION)
    adapter = Schedules(client, "group", "queue", "role")
    with Stubber(client) as stub:
        stub.add_client_error(call, "ValidationException", "name failed to satisfy constraint", 400)
        with pytest.raises(NotFound):
            (adapter.find if call == "get_schedule" else adapter.delete)("a b")


def test_the_function_submit_answers_or_breaks_off(moto: Any) -> None:
    from io import BytesIO

    from botocore.response import StreamingBody

    def payload(raw: bytes) -> StreamingBody:
        return StreamingBody(BytesIO(raw), len(raw))

    client = boto3.client("lambda", REGION, config=SubmitFunction.config())
    with Stubber(client) as stub:
        asked = {"FunctionName": "submit", "Payload": b'{"trigger": "api"}'}
        stub.add_response("invoke", {"StatusCode": 200, "Payload": payload(b'{"run": {}}')}, asked)
        failed = {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": payload(b'{"errorMessage": "x"}')}
        stub.add_response("invoke", failed, asked)
        submit = SubmitFunction(client, "submit")
        assert submit({"trigger": "api"}) == {"run": {}}
        with pytest.raises(Unanswered, match="broke off"):
            submit({"trigger": "api"})
