"""CloudFormation: stacks, as far as they go."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3

from jobspec import DispatchError

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient

POLL_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack that is there, in whatever state."""

    name: str
    status: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]


class Stacks:
    """The stacks of one region."""

    def __init__(self, region: str) -> None:
        self._cloudformation: CloudFormationClient = boto3.client("cloudformation", region_name=region)

    def find(self, name: str) -> Stack | None:
        """The stack of that name; None if there is none, or only a change set that was never executed."""
        try:
            found = self._cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        except self._cloudformation.exceptions.ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        if found["StackStatus"] == "REVIEW_IN_PROGRESS":
            return None
        return Stack(
            name=name,
            status=found["StackStatus"],
            outputs={output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])},
            parameters={each["ParameterKey"]: each.get("ParameterValue", "") for each in found.get("Parameters", [])},
        )

    def resources(self, name: str) -> dict[str, str]:
        """What the stack holds: physical names by logical ones. Of half a stack, what was made and is not gone yet.

        Outputs tell less: a stack that was never whole has none.
        """
        pages = self._cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
        return {
            each["LogicalResourceId"]: each["PhysicalResourceId"]
            for page in pages
            for each in page["StackResourceSummaries"]
            if each.get("PhysicalResourceId") and each["ResourceStatus"] != "DELETE_COMPLETE"
        }

    def delete(self, name: str) -> None:
        """Delete the stack and wait until it is gone. Raises DispatchError with the resources that would not go."""
        self._cloudformation.delete_stack(StackName=name)
        waiter = self._cloudformation.get_waiter("stack_delete_complete")
        try:
            waiter.wait(StackName=name, WaiterConfig={"Delay": POLL_SECONDS, "MaxAttempts": 240})
        except Exception as error:
            left = [
                f"{event.get('LogicalResourceId')}: {event.get('ResourceStatusReason', 'no reason given')}"
                for event in self._cloudformation.describe_stack_events(StackName=name)["StackEvents"]
                if event.get("ResourceStatus") == "DELETE_FAILED"
            ]
            raise DispatchError(f"{name} was not deleted: {'; '.join(left) or error}") from error
