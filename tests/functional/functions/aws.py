"""A stack on moto, in this process: table, buckets, state machine and schedules, and the wiring over them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from moto import mock_aws

from functions import submit
from functions.settings import Settings
from functions.wiring import Wiring
from tests.fakes.clock import FakeClock
from tests.fakes.stack import ENVIRONMENT, RESULTS, SPECS

REGION = "us-east-1"
DATA = "data"


def make_runs_table(resource: Any, name: str) -> None:
    """The table as template.yaml has it."""
    keys = {"pk": "HASH"}
    resource.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "listed", "created_at")],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys.items()],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by_time",
                "KeySchema": [
                    {"AttributeName": "listed", "KeyType": "HASH"},
                    {"AttributeName": "created_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )


def make_bucket(client: Any, name: str) -> None:
    """A bucket as template.yaml has it."""
    client.create_bucket(Bucket=name)
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})


def make_state_machine(client: Any) -> None:
    definition = {"StartAt": "Plan", "States": {"Plan": {"Type": "Succeed"}}}
    client.create_state_machine(
        name="run-job", definition=json.dumps(definition), roleArn="arn:aws:iam::123456789012:role/machine"
    )


@contextmanager
def aws(**environment: str) -> Iterator[Any]:
    """A wiring whose adapters are the product's own. The clock is a fake; submit is called in this process."""
    with mock_aws():
        make_runs_table(boto3.resource("dynamodb", REGION), ENVIRONMENT["RUNS_TABLE"])
        s3 = boto3.client("s3", REGION)
        for name in (SPECS, RESULTS, DATA):
            make_bucket(s3, name)
        for month in range(1, 13):
            s3.put_object(Bucket=DATA, Key=f"trips/2018-{month:02}.csv", Body=b"x" * month)
        make_state_machine(boto3.client("stepfunctions", REGION))
        boto3.client("scheduler", REGION).create_schedule_group(Name=ENVIRONMENT["SCHEDULE_GROUP"])
        wiring: Any = Wiring(Settings(ENVIRONMENT | environment))
        wiring.clock = FakeClock()
        wiring.submit_function = lambda document: json.loads(json.dumps(submit.handle(document, wiring)))
        yield wiring
