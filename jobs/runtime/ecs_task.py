"""The ECS task that this process runs in, as the container's metadata endpoint tells it."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass

import urllib3

METADATA = "ECS_CONTAINER_METADATA_URI_V4"
_PATIENCE = urllib3.Timeout(connect=2.0, read=5.0)
_RETRIES = urllib3.Retry(5, backoff_factor=0.2, status_forcelist=(429, 500, 502, 503, 504))


@dataclass(frozen=True)
class EcsTask:
    """Who this task is and how much of a machine it has."""

    id: str
    vcpus: float | None
    memory_bytes: int | None


def this_task(environment: Mapping[str, str] = os.environ) -> EcsTask | None:
    """The task; None outside ECS.

    The sizes are asked for here because a container on Fargate may see more cores and memory than its task may use.
    Raises OSError where ECS does not answer or not with a task.
    """
    endpoint = environment.get(METADATA)
    if not endpoint:
        return None
    try:
        answer = urllib3.request("GET", f"{endpoint}/task", timeout=_PATIENCE, retries=_RETRIES)
        document = json.loads(answer.data)
        limits = document.get("Limits") or {}
        cpu, mebibytes = limits.get("CPU"), limits.get("Memory")
        return EcsTask(
            # arn:aws:ecs:<region>:<account>:task/<cluster>/<id>
            id=document["TaskARN"].rsplit("/", 1)[1],
            vcpus=None if cpu is None else float(cpu),
            memory_bytes=None if mebibytes is None else int(mebibytes) * 2**20,
        )
    except (urllib3.exceptions.HTTPError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise OSError(f"ECS does not say which task this is, at {endpoint}/task: {error}") from error
