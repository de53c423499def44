"""What ECS and DynamoDB are asked, where moto would answer alike whatever is asked."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber

from functions.adapters.dask_services import DaskServices
from functions.adapters.drained import is_drained
from functions.adapters.ledger_table import LedgerTable
from functions.adapters.runs_table import RunsTable
from functions.core.scaling import Task
from tests.fakes.clock import FakeClock
from tests.functional.functions.aws import REGION

TASK = Task("arn:aws:ecs:us-east-1:1:task/c/t", "worker", "RUNNING", False, None)


@pytest.mark.parametrize(
    ("code", "is_gone"),
    [("InvalidParameterException", True), ("ClusterNotFoundException", False), ("ThrottlingException", False)],
)
def test_only_a_task_that_is_gone_counts_as_stopped(code: str, is_gone: bool, moto: Any) -> None:
    client = boto3.client("ecs", REGION)
    services = DaskServices(client, "c", "s", "w", "client")
    with Stubber(client) as stub:
        stub.add_client_error("stop_task", code, expected_params={"cluster": "c", "task": TASK.arn, "reason": "why"})
        if is_gone:
            services.stop(TASK, "why")
        else:
            with pytest.raises(ClientError, match=code):
                services.stop(TASK, "why")


def test_every_row_is_read_as_it_is_now(moto: Any) -> None:
    """An eventually consistent read would grant workers that are taken, or miss the run that does the same work."""
    resource = boto3.resource("dynamodb", REGION)
    runs, ledger = RunsTable(resource, "runs", FakeClock()), LedgerTable(resource, "runs", 5, lambda _: None)
    reads = [
        lambda: runs.find("a"),
        lambda: runs.last_attempt("a"),
        lambda: runs.known_event("a"),
        ledger.read,
        lambda: ledger.run("a"),
        lambda: is_drained(resource.Table("runs")),
    ]
    for read in reads:
        with Stubber(resource.meta.client) as stub:
            stub.add_response("get_item", {}, {"TableName": "runs", "Key": ANY, "ConsistentRead": True})
            read()
            stub.assert_no_pending_responses()
