"""ECS: what runs in a cluster."""

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import boto3

from jobspec import DispatchError

if TYPE_CHECKING:
    from types_boto3_ecs import ECSClient

STOP_SECONDS = 300  # a container has 120 s to stop in; ECS and the network take theirs


class Tasks:
    """The tasks of one region."""

    def __init__(self, region: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._ecs: ECSClient = boto3.client("ecs", region_name=region)
        self._sleep = sleep

    def stop_all(self, cluster: str, services: Iterable[str], reason: str) -> None:
        """Stop every task of the cluster and see that they are gone. Raises DispatchError for those that are not.

        Scaling in passes over tasks that protect themselves, so each is stopped by name: protection does not hold
        against StopTask. A service with nothing wanted starts no others.
        """
        for service in services:
            self._ecs.update_service(cluster=cluster, service=service, desiredCount=0)
        for _ in range(STOP_SECONDS // 5):
            running = self._running(cluster)
            if not running:
                return
            for task in running:
                self._ecs.stop_task(cluster=cluster, task=task, reason=reason)
            self._sleep(5)
        raise DispatchError(f"{len(self._running(cluster))} tasks still run in {cluster} after {STOP_SECONDS} s")

    def deregister(self, family: str) -> int:
        """Deregister every revision of a task definition; returns how many there were."""
        pages = self._ecs.get_paginator("list_task_definitions").paginate(familyPrefix=family, status="ACTIVE")
        found = [arn for page in pages for arn in page["taskDefinitionArns"]]
        ours = [arn for arn in found if arn.rsplit("/", 1)[1].rsplit(":", 1)[0] == family]
        for arn in ours:
            self._ecs.deregister_task_definition(taskDefinition=arn)
        return len(ours)

    def _running(self, cluster: str) -> list[str]:
        pages = self._ecs.get_paginator("list_tasks").paginate(cluster=cluster, desiredStatus="RUNNING")
        return [arn for page in pages for arn in page["taskArns"]]
