"""Keeps ECS from taking this worker away while it has what others wait for.

A worker that runs Dask tasks, or holds results, asks the ECS agent for scale-in protection of its own task: ten minutes
at a time, so that a worker that dies leaves none behind for long, and renewed half-way. It lets go when it has had
nothing for a while; not at once, as the next task is often near and ECS limits how often it may be asked. When the
agent refuses or does not answer, the worker goes on and asks again: what is lost is only that ECS may choose this
worker, which then retires gracefully (see `jobs.runtime.retiring`).

The endpoint: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection-endpoint.html
"""

import asyncio
import json
import logging
import os
import time
from typing import Any

from distributed import Worker
from distributed.diagnostics.plugin import WorkerPlugin
from tornado.httpclient import AsyncHTTPClient, HTTPError, HTTPRequest

AGENT = "ECS_AGENT_URI"
MINUTES = 10
RENEW_SECONDS = 300.0  # asked anew when less than this is left
IDLE_SECONDS = 15.0
RETRY_SECONDS = 60.0  # the longest between two tries; the first comes after one second
_POLL_SECONDS = 1.0

log = logging.getLogger(__name__)


class Protection:
    """What ECS has been told, and so what to tell it next; `now` is in seconds on any one clock."""

    def __init__(self, idle_seconds: float = IDLE_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        # At first unknown: a worker process that died may have left its task protected.
        self._protected: bool | None = None
        self._until = 0.0
        self._idle_since: float | None = None
        self._failures = 0
        self._not_before = 0.0

    def to_tell(self, busy: bool, now: float) -> bool | None:
        """True to ask for protection, False to let it go, None for nothing."""
        if busy:
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = now
        if now < self._not_before:
            return None
        if self._idle_since is None:
            return None if self._protected and self._until - now > RENEW_SECONDS else True
        if now - self._idle_since < self._idle_seconds or self._protected is False:
            return None
        return False

    def told(self, protected: bool, now: float) -> None:
        """ECS has agreed."""
        self._protected, self._until = protected, now + MINUTES * 60
        self._failures = 0

    def failed(self, now: float) -> float:
        """ECS has not; returns in how many seconds it is to be asked again."""
        wait = min(RETRY_SECONDS, 2.0**self._failures)
        self._failures += 1
        self._not_before = now + wait
        return wait


class RefusedError(Exception):
    """Raised when the agent does not do as it is asked."""


class KeepTask(WorkerPlugin):
    """Protects the task of the worker that it is added to."""

    name = "keep-task"

    def __init__(self, agent: str, idle_seconds: float = IDLE_SECONDS) -> None:
        self._endpoint = f"{agent}/task-protection/v1/state"
        self._protection = Protection(idle_seconds)
        self._watching: asyncio.Task[None] | None = None

    def setup(self, worker: Worker) -> None:
        """Begin to watch the worker."""
        self._watching = asyncio.get_running_loop().create_task(self._watch(worker))

    def teardown(self, worker: Worker) -> None:  # noqa: ARG002
        """Watch it no more; ECS forgets the protection when its time is up, or with the task."""
        if self._watching is not None:
            self._watching.cancel()

    async def _watch(self, worker: Worker) -> None:
        while True:
            protect = self._protection.to_tell(is_busy(worker), time.monotonic())
            if protect is not None:
                await self._tell(protect)
            await asyncio.sleep(_POLL_SECONDS)

    async def _tell(self, protect: bool) -> None:
        fields = {"event": "protection", "protected": protect}
        try:
            await tell(self._endpoint, protect)
        except Exception as error:  # whatever it is, the worker goes on
            wait = self._protection.failed(time.monotonic())
            told = "could not %s this task's scale-in protection: %s; the worker goes on, again in %g s"
            log.warning(told, "get" if protect else "give up", error, wait, extra={"fields": fields | {"failed": True}})
        else:
            self._protection.told(protect, time.monotonic())
            log.info(
                "this task is %s against scale-in",
                "protected" if protect else "not protected",
                extra={"fields": fields},
            )


def is_busy(worker: Worker) -> bool:
    """Whether the worker runs, awaits or holds anything."""
    return any(task.state not in ("released", "forgotten", "error") for task in worker.state.tasks.values())


async def tell(endpoint: str, protect: bool) -> None:
    """Turn protection on, for MINUTES, or off. Raises RefusedError, or OSError where nobody answers."""
    wanted: dict[str, Any] = {"ProtectionEnabled": protect}
    if protect:
        wanted["ExpiresInMinutes"] = MINUTES
    headers = {"Content-Type": "application/json"}
    request = HTTPRequest(endpoint, "PUT", headers, json.dumps(wanted), connect_timeout=5.0, request_timeout=10.0)
    try:
        answer = await AsyncHTTPClient().fetch(request, raise_error=False)
    except HTTPError as error:
        raise OSError(f"the ECS agent does not answer: {error}") from error
    # An answer holds one of `protection`, `failure` (with a status of 200) and `error`.
    text = answer.body.decode(errors="replace")
    try:
        agreed = json.loads(text)["protection"]["ProtectionEnabled"] is protect
    except (ValueError, KeyError, TypeError):
        agreed = False
    if answer.code != 200 or not agreed:
        raise RefusedError(f"HTTP {answer.code}: {text[:500]}")


async def dask_setup(worker: Worker) -> None:
    """As a preload of workers."""
    if agent := os.environ.get(AGENT):
        await worker.plugin_add(KeepTask(agent))
