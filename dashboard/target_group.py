"""Puts the scheduler into the target group of the dashboard's load balancer while it runs.

A preload of the scheduler where DISPATCH_TARGET_GROUP names one. Whatever goes wrong is logged and nothing more: no run
is to fail for want of a dashboard.
"""

import asyncio
import logging
import os
from collections.abc import Callable
from typing import Any

import botocore.session
from botocore.config import Config
from distributed import Scheduler
from distributed.comm import get_address_host

TARGET_GROUP = "DISPATCH_TARGET_GROUP"
_CALLS = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 5})

log = logging.getLogger(__name__)


async def dask_setup(scheduler: Scheduler) -> None:
    """Add the scheduler to the group; it does not wait for the load balancer."""
    await _quietly("register_targets", scheduler)


async def dask_teardown(scheduler: Scheduler) -> None:
    """Take it out again."""
    await _quietly("deregister_targets", scheduler)


async def _quietly(operation: str, scheduler: Scheduler) -> None:
    fields = {"event": operation}
    try:
        await asyncio.to_thread(_call, operation, scheduler)
    except Exception as error:
        log.warning("could not %s: %s; the dashboard is only missing", operation, error, extra={"fields": fields})
    else:
        log.info("done: %s", operation, extra={"fields": fields})


def _call(operation: str, scheduler: Scheduler) -> None:
    client = botocore.session.Session().create_client("elbv2", config=_CALLS)
    call: Callable[..., Any] = getattr(client, operation)
    target = {"Id": get_address_host(scheduler.address), "Port": scheduler.http_server.port}
    call(TargetGroupArn=os.environ[TARGET_GROUP], Targets=[target])
