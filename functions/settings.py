"""Every setting of the functions: an environment variable each, read when it is first asked for.

A function's environment in `template.yaml` holds just those that it uses; asking for another raises KeyError.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from functions.core.planning import TaskSize
from functions.core.prices import Prices


@dataclass(frozen=True)
class Settings:
    """What the template tells the functions."""

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def __getitem__(self, name: str) -> str:
        """One setting as text."""
        return self.environment[name]

    @cached_property
    def runs_table(self) -> str:
        """The name of the runs table."""
        return self["RUNS_TABLE"]

    @cached_property
    def specs_bucket(self) -> str:
        """The bucket that specs are dropped into and answers are written to."""
        return self["SPECS_BUCKET"]

    @cached_property
    def results_bucket(self) -> str:
        """The bucket of the results."""
        return self["RESULTS_BUCKET"]

    @cached_property
    def state_machine(self) -> str:
        """The ARN of the state machine run_job."""
        return self["STATE_MACHINE_ARN"]

    @cached_property
    def image_tag(self) -> str:
        """The immutable tag of the image: the version of the code, and so part of every run's identity."""
        return self["IMAGE_TAG"]

    @cached_property
    def max_workers(self) -> int:
        """The cap: how many workers the stack ever runs at once."""
        return int(self["MAX_WORKERS"])

    @cached_property
    def worker(self) -> TaskSize:
        """The size of a worker's task."""
        return self._size("WORKER")

    @cached_property
    def client(self) -> TaskSize:
        """The size of a client's task."""
        return self._size("CLIENT")

    @cached_property
    def scheduler(self) -> TaskSize:
        """The size of the scheduler's task."""
        return self._size("SCHEDULER")

    @cached_property
    def prices(self) -> Prices:
        """The prices of the processors that the tasks run on."""
        architecture = self["ARCHITECTURE"]
        return Prices("X86_64" if architecture == "X86_64" else "ARM64")

    @cached_property
    def spot_share(self) -> float:
        """Which part of the workers is Fargate Spot, from 0 to 1; the environment says it in per cent."""
        return int(self["SPOT_SHARE"]) / 100

    @cached_property
    def submit_function(self) -> str:
        """The name or ARN of the function submit."""
        return self["SUBMIT_FUNCTION"]

    @cached_property
    def max_receives(self) -> int:
        """How often the queue of submissions hands out a message before it is given up."""
        return int(self["MAX_RECEIVES"])

    @cached_property
    def submit_queue(self) -> str:
        """The ARN of the queue that schedules send to."""
        return self["SUBMIT_QUEUE_ARN"]

    @cached_property
    def schedule_group(self) -> str:
        """The name of the group of the stack's schedules."""
        return self["SCHEDULE_GROUP"]

    @cached_property
    def schedule_role(self) -> str:
        """The ARN of the role by which schedules send to the queue."""
        return self["SCHEDULE_ROLE_ARN"]

    @cached_property
    def cluster(self) -> str:
        """The name of the ECS cluster."""
        return self["CLUSTER"]

    @cached_property
    def scheduler_service(self) -> str:
        """The name of the ECS service of the scheduler."""
        return self["SCHEDULER_SERVICE"]

    @cached_property
    def worker_service(self) -> str:
        """The name of the ECS service of the workers."""
        return self["WORKER_SERVICE"]

    @cached_property
    def client_family(self) -> str:
        """The family of the clients' task definitions; empty for functions that look at no client."""
        return self.environment.get("CLIENT_FAMILY", "")

    @cached_property
    def public_ips(self) -> bool:
        """Whether tasks have public addresses, which are billed; the environment says it in ECS's words."""
        return self["ASSIGN_PUBLIC_IP"] == "ENABLED"

    @cached_property
    def topic(self) -> str:
        """The ARN of the topic that is told of every finished run."""
        return self["TOPIC_ARN"]

    @cached_property
    def bus(self) -> str:
        """The name of the event bus that is told of every finished run."""
        return self["BUS_NAME"]

    @cached_property
    def finish_function(self) -> str:
        """The name or ARN of the function finish_run."""
        return self["FINISH_FUNCTION"]

    def _size(self, what: str) -> TaskSize:
        return TaskSize(vcpus=float(self[f"{what}_VCPUS"]), gb=float(self[f"{what}_GB"]))
