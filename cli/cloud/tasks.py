"""ECS: what runs in a cluster."""

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal

import boto3

from jobspec import DispatchError

if TYPE_CHECKING:
    from types_boto3_ecs import ECSClient

STOP_SECONDS = 300  # a container has 120 s to stop in; ECS and the network take theirs
POLL_SECONDS = 5
DESCRIBED = 100  # tasks that one call describes
STATUSES: tuple[Literal["RUNNING", "STOPPED"], ...] = ("RUNNING", "STOPPED")


class Tasks:
    """The tasks of one region."""

    def __init__(self, region: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._ecs: ECSClient = boto3.client("ecs", region_name=region)
        self._sleep = sleep

    def stop_all(self, cluster: str, services: Iterable[str], reason: str) -> None:
        """Stop every task of the cluster and see that each has. Raises DispatchError for those that have not.

        Scaling in passes over tasks that protect themselves, so each is stopped by name: protection does not hold
        against StopTask, which only asks. Containers run on for up to two minutes, and write. A service with nothing
        wanted starts no others; that is said every time, in case somebody ordered some meanwhile. What is gone already
        has stopped.
        """
        for _ in range(STOP_SECONDS // POLL_SECONDS):
            for service in services:
                self._want_none(cluster, service)
            left = self._left(cluster)
            if not left:
                return
            for task in (arn for arn, is_asked_to_stop in left.items() if not is_asked_to_stop):
                self._stop(cluster, task, reason)
            self._sleep(POLL_SECONDS)
        raise DispatchError(f"{len(self._left(cluster))} tasks still run in {cluster} after {STOP_SECONDS} s")

    def deregister(self, family: str) -> int:
        """Deregister every revision of a task definition; returns how many there were."""
        ours = self._revisions(family)
        for arn in ours:
            self._ecs.deregister_task_definition(taskDefinition=arn)
        return len(ours)

    def tags(self, family: str, count: int) -> list[str]:
        """The image tags of a task definition's newest revisions, newest first, up to so many different ones."""
        found: dict[str, None] = {}
        for arn in self._revisions(family):
            definition = self._ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
            found[definition["containerDefinitions"][0]["image"].rsplit(":", 1)[1]] = None
            if len(found) == count:
                break
        return list(found)

    def _revisions(self, family: str) -> list[str]:
        """The active revisions of a task definition, newest first."""
        pages = self._ecs.get_paginator("list_task_definitions").paginate(familyPrefix=family, status="ACTIVE")
        found = [arn.rsplit(":", 1) for page in pages for arn in page["taskDefinitionArns"]]
        ours = [(int(revision), arn) for arn, revision in found if arn.rsplit("/", 1)[1] == family]
        return [f"{arn}:{revision}" for revision, arn in sorted(ours, reverse=True)]

    def _want_none(self, cluster: str, service: str) -> None:
        gone = self._ecs.exceptions
        try:
            self._ecs.update_service(cluster=cluster, service=service, desiredCount=0)
        except (gone.ClusterNotFoundException, gone.ServiceNotFoundException, gone.ServiceNotActiveException):
            return

    def _stop(self, cluster: str, task: str, reason: str) -> None:
        try:
            self._ecs.stop_task(cluster=cluster, task=task, reason=reason)
        except (self._ecs.exceptions.ClusterNotFoundException, self._ecs.exceptions.InvalidParameterException):
            return  # ECS knows no such task any more

    def _left(self, cluster: str) -> dict[str, bool]:
        """The tasks that have not stopped, each with whether it was asked to.

        ListTasks goes by what is wanted of a task, which StopTask changes at once; how far it is, DescribeTasks tells.
        """
        try:
            arns = [arn for wanted in STATUSES for arn in self._wanted(cluster, wanted)]
            tasks = [
                task
                for at in range(0, len(arns), DESCRIBED)
                for task in self._ecs.describe_tasks(cluster=cluster, tasks=arns[at : at + DESCRIBED])["tasks"]
            ]
        except self._ecs.exceptions.ClusterNotFoundException:
            return {}
        return {
            task["taskArn"]: task["desiredStatus"] == "STOPPED" for task in tasks if task["lastStatus"] != "STOPPED"
        }

    def _wanted(self, cluster: str, status: Literal["RUNNING", "STOPPED"]) -> list[str]:
        pages = self._ecs.get_paginator("list_tasks").paginate(cluster=cluster, desiredStatus=status)
        return [arn for page in pages for arn in page["taskArns"]]
