"""A stack on moto, in this process: table, buckets, state machine and schedules, and the wiring over them."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import product
from typing import Any

import boto3
from moto import mock_aws

from functions import submit
from functions.settings import Settings
from functions.wiring import Wiring
from tests.fakes.clock import FakeClock
from tests.fakes.stack import ENVIRONMENT

REGION = "us-east-1"
DATA = "data"


def make_runs_table(resource: Any, name: str) -> None:
    """The table as template.yaml has it."""
    resource.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": key, "AttributeType": "S"} for key in ("pk", "listed", "open", "created_at")
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": name,
                "KeySchema": [
                    {"AttributeName": key, "KeyType": "HASH"},
                    {"AttributeName": "created_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
            for name, key in (("by_time", "listed"), ("open_runs", "open"))
        ],
    )


def make_bucket(client: Any, name: str) -> None:
    """A bucket as template.yaml has it."""
    client.create_bucket(Bucket=name)
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})


def make_state_machine(client: Any, name: str) -> None:
    definition = {"StartAt": "Plan", "States": {"Plan": {"Type": "Succeed"}}}
    client.create_state_machine(
        name=name, definition=json.dumps(definition), roleArn="arn:aws:iam::123456789012:role/machine"
    )


def make_stack(environment: Mapping[str, str], *data: str) -> None:
    """What the functions find under the names of their environment, and buckets of twelve small files each."""
    make_runs_table(boto3.resource("dynamodb", REGION), environment["RUNS_TABLE"])
    s3 = boto3.client("s3", REGION)
    for name in (environment["SPECS_BUCKET"], environment["RESULTS_BUCKET"], *data):
        make_bucket(s3, name)
    for bucket, month in product(data, range(1, 13)):
        s3.put_object(Bucket=bucket, Key=f"trips/2018-{month:02}.csv", Body=b"x" * month)
    make_state_machine(boto3.client("stepfunctions", REGION), environment["STATE_MACHINE_ARN"].rsplit(":", 1)[-1])
    boto3.client("scheduler", REGION).create_schedule_group(Name=environment["SCHEDULE_GROUP"])


@contextmanager
def aws(**environment: str) -> Iterator[Any]:
    """A wiring whose adapters are the product's own. The clock is a fake; submit is called in this process."""
    with mock_aws():
        make_stack(ENVIRONMENT, DATA)
        wiring: Any = Wiring(Settings(ENVIRONMENT | environment))
        wiring.clock = FakeClock()
        wiring.submit_function = lambda document: json.loads(json.dumps(submit.handle(document, wiring)))
        yield wiring
