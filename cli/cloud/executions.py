"""Step Functions: executions that still run."""

from typing import TYPE_CHECKING

import boto3

if TYPE_CHECKING:
    from types_boto3_stepfunctions import SFNClient


class Executions:
    """The executions of one region."""

    def __init__(self, region: str) -> None:
        self._states: SFNClient = boto3.client("stepfunctions", region_name=region)

    def stop_all(self, state_machine: str, reason: str) -> int:
        """Stop every execution that runs; returns how many there were. A state machine that is gone has none."""
        gone = self._states.exceptions
        pages = self._states.get_paginator("list_executions").paginate(
            stateMachineArn=state_machine, statusFilter="RUNNING"
        )
        try:
            running = [execution["executionArn"] for page in pages for execution in page["executions"]]
        except (gone.StateMachineDoesNotExist, gone.ResourceNotFound):
            return 0
        for arn in running:
            try:
                self._states.stop_execution(executionArn=arn, cause=reason)
            except gone.ExecutionDoesNotExist:
                continue
        return len(running)
