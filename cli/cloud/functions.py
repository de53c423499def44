"""Lambda: functions that are to do nothing any more."""

from typing import TYPE_CHECKING

import boto3

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient


class Functions:
    """The functions of one region."""

    def __init__(self, region: str) -> None:
        self._lambda: LambdaClient = boto3.client("lambda", region_name=region)

    def close(self, name: str) -> None:
        """Let no call in any more; those that are under way end by themselves. One that is gone counts as closed."""
        try:
            self._lambda.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
        except self._lambda.exceptions.ResourceNotFoundException:
            return
