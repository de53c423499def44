"""The worker ledger's table on moto, in this process."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from moto import mock_aws

from functions.adapters.ledger_table import LedgerTable
from functions.adapters.run_items import run_item
from functions.core.leasing import Outcome
from functions.core.ledger import Ledger
from functions.core.runs import Run

REGION = "us-east-1"
TABLE = "runs"
KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}


def resource() -> Any:
    return boto3.resource("dynamodb", REGION, **KEYS)


@contextmanager
def runs_table() -> Iterator[Any]:
    """An empty table, and nothing else of AWS."""
    with mock_aws():
        dynamodb = resource()
        dynamodb.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )
        yield dynamodb


def ledger_table(dynamodb: Any, ledger: Ledger | None = None, runs: Iterable[Run] = ()) -> LedgerTable:
    """The adapter over a table that holds this and nothing else. Whoever is overtaken waits for nobody here."""
    table = dynamodb.Table(TABLE)
    for item in table.scan()["Items"]:
        table.delete_item(Key={"pk": item["pk"]})
    for run in runs:
        table.put_item(Item=run_item(run))
    store = LedgerTable(dynamodb, TABLE, None, lambda _: None)
    if ledger:
        assert store.commit(Ledger(cap=0), ledger) is Outcome.DONE
    return store
