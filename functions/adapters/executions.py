"""Executions of the state machine in Step Functions, and the tokens by which they wait."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from types_boto3_stepfunctions import SFNClient

_MAX_CAUSE = 32_768  # characters that Step Functions takes


@dataclass(frozen=True)
class Executions:
    """The executions of one state machine; an execution's name is its run's id."""

    client: "SFNClient"
    state_machine: str

    def start(self, name: str, document: str) -> None:
        """Start the execution of that name with that input; one that runs or has ended already counts as started."""
        try:
            self.client.start_execution(stateMachineArn=self.state_machine, name=name, input=document)
        except ClientError as error:
            if _code(error) != "ExecutionAlreadyExists":
                raise

    def stop(self, name: str, reason: str) -> bool:
        """Abort the execution; False where there is none. One that has ended counts as stopped."""
        try:
            self.client.stop_execution(executionArn=self.arn(name), error="Cancelled", cause=reason)
        except ClientError as error:
            if _code(error) == "ExecutionDoesNotExist":
                return False
            raise
        return True

    def status(self, name: str) -> str | None:
        """RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED or PENDING_REDRIVE; None where there is no such execution."""
        try:
            return self.client.describe_execution(executionArn=self.arn(name))["status"]
        except ClientError as error:
            if _code(error) == "ExecutionDoesNotExist":
                return None
            raise

    def succeed(self, token: str, output: dict[str, Any]) -> bool:
        """Let the execution go on that waits by this token; False where none does any more."""
        return self._answer(lambda: self.client.send_task_success(taskToken=token, output=json.dumps(output)))

    def fail(self, token: str, error: str, cause: str) -> bool:
        """Let the execution fail that waits by this token; False where none does any more."""
        cause = cause[:_MAX_CAUSE]
        return self._answer(lambda: self.client.send_task_failure(taskToken=token, error=error, cause=cause))

    def arn(self, name: str) -> str:
        """The ARN of the execution of that name."""
        return f"{self.state_machine.replace(':stateMachine:', ':execution:')}:{name}"

    @staticmethod
    def _answer(send: Any) -> bool:
        try:
            send()
        except ClientError as error:
            if _code(error) in {"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"}:
                return False
            raise
        return True


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
