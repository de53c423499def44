"""The scheduler service, the worker service and the client tasks in ECS."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError

from functions.core.scaling import Role, Task

if TYPE_CHECKING:
    from types_boto3_ecs import ECSClient

_DESCRIBED_AT_ONCE = 100


@dataclass(frozen=True)
class DaskServices:
    """`functions.core.scaling.DaskServices` on one ECS cluster."""

    client: "ECSClient"
    cluster: str
    scheduler_service: str
    worker_service: str
    client_family: str  # of task definitions

    def want_workers(self, count: int) -> None:
        """Order this many workers, whatever was ordered before."""
        self.client.update_service(cluster=self.cluster, service=self.worker_service, desiredCount=count)

    def want_scheduler(self, count: int) -> None:
        """Order a scheduler, or none."""
        self.client.update_service(cluster=self.cluster, service=self.scheduler_service, desiredCount=count)

    def tasks(self, role: Role) -> Sequence[Task]:
        """The tasks that are meant to run: starting or running."""
        return self._listed(role, "RUNNING")

    def stopped(self, role: Role) -> Sequence[Task]:
        """The tasks that are meant to stop: stopping, or stopped within about the last hour."""
        return self._listed(role, "STOPPED")

    def stop(self, task: Task, reason: str) -> None:
        """Stop a task, protected or not. One that is gone is stopped."""
        try:
            self.client.stop_task(cluster=self.cluster, task=task.arn, reason=reason)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "InvalidParameterException":  # no such task any more
                raise

    def _listed(self, role: Role, status: Literal["RUNNING", "STOPPED"]) -> list[Task]:
        # Without a filter of its own, a role would list the tasks of all others.
        filters: dict[Role, dict[str, str]] = {
            "scheduler": {"serviceName": self.scheduler_service},
            "worker": {"serviceName": self.worker_service},
            "client": {"family": self.client_family},
        }
        pages = self.client.get_paginator("list_tasks").paginate(
            cluster=self.cluster,
            desiredStatus=status,
            **filters[role],  # type: ignore[arg-type]
        )
        arns = [arn for page in pages for arn in page["taskArns"]]
        found = []
        for start in range(0, len(arns), _DESCRIBED_AT_ONCE):
            described = self.client.describe_tasks(cluster=self.cluster, tasks=arns[start : start + _DESCRIBED_AT_ONCE])
            found += [_task(role, task) for task in described["tasks"]]
        return found


def _task(role: Role, task: Mapping[str, Any]) -> Task:
    return Task(
        arn=task["taskArn"],
        role=role,
        status=task["lastStatus"],
        spot=task.get("capacityProviderName") == "FARGATE_SPOT",
        created_at=_utc(task.get("createdAt")),
        pull_started_at=_utc(task.get("pullStartedAt")),
        started_at=_utc(task.get("startedAt")),
        stopped_at=_utc(task.get("stoppedAt")),
        address=_address(task),
        run_id=_run_id(task),
    )


def _address(task: Mapping[str, Any]) -> str | None:
    """The private IPv4 address of its network interface, once it is attached."""
    return next(
        (
            detail["value"]
            for attachment in task.get("attachments", [])
            for detail in attachment.get("details", [])
            if detail["name"] == "privateIPv4Address"
        ),
        None,
    )


def _run_id(task: Mapping[str, Any]) -> str | None:
    """The run that the task's command names."""
    for override in task.get("overrides", {}).get("containerOverrides", []):
        command = override.get("command", [])
        if "--run-id" in command[:-1]:
            return str(command[command.index("--run-id") + 1])
    return None


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)
