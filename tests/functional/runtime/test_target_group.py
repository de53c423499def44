"""The scheduler is in the dashboard's target group while it runs, and runs as well where that fails."""

from collections.abc import Iterator

import boto3
import pytest

from tests.servers.certificates import dispatch_tls
from tests.servers.containers import container
from tests.servers.s3 import CREDENTIALS, S3, s3_server

ARGUMENTS = ("--host", "127.0.0.1", "--port", "0", "--http-port", "0")


@pytest.fixture(scope="module")
def aws() -> Iterator[S3]:
    with s3_server() as server:  # moto, which is more than S3
        yield server


@pytest.fixture
def group(aws: S3) -> str:
    region = {
        "endpoint_url": aws.url,
        "region_name": "us-east-1",
        "aws_access_key_id": "x",
        "aws_secret_access_key": "x",
    }
    vpc = boto3.client("ec2", **region).create_vpc(CidrBlock="127.0.0.0/16")["Vpc"]["VpcId"]
    made = boto3.client("elbv2", **region).create_target_group(
        Name="dashboard", Protocol="TCP", Port=8787, VpcId=vpc, TargetType="ip"
    )
    return str(made["TargetGroups"][0]["TargetGroupArn"])


def targets(aws: S3, group: str) -> list[tuple[str, int]]:
    client = boto3.client(
        "elbv2", endpoint_url=aws.url, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    found = client.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return [(target["Target"]["Id"], target["Target"]["Port"]) for target in found]


def test_in_the_group_with_its_pages_while_it_runs(aws: S3, group: str) -> None:
    environment = CREDENTIALS | {"AWS_ENDPOINT_URL": aws.url, "DISPATCH_TARGET_GROUP": group}
    with container("scheduler", *ARGUMENTS, DISPATCH_TLS=dispatch_tls(), **environment) as running:
        running.wait_for("register_targets")
        port = running.wait_for("listening")["http_port"]
        assert targets(aws, group) == [("127.0.0.1", port)]
        running.stop()
        assert running.ended() == 0
    assert targets(aws, group) == []
    assert running.unreadable == []


def test_a_scheduler_that_may_not_register_runs_as_well(aws: S3) -> None:
    environment = CREDENTIALS | {"AWS_ENDPOINT_URL": aws.url, "DISPATCH_TARGET_GROUP": "arn:of:no:group"}
    with container("scheduler", *ARGUMENTS, DISPATCH_TLS=dispatch_tls(), **environment) as running:
        running.wait_for("listening")
        assert "could not register_targets" in running.told()
        running.stop()
        assert running.ended() == 0
