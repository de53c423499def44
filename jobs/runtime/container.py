"""The image's entry point: `python -m jobs.runtime.container scheduler|worker|client ...`.

All three talk TLS (see `jobs.runtime.tls`) and log lines of JSON on standard error. `client` takes the arguments of
`python -m jobs.runtime`, and ends as it does. `scheduler` and `worker` end with 0 when they are asked to stop, by
SIGTERM, and with 1 when they cannot go on; ECS then starts another.

A worker is two processes: this one, a nanny, starts the one that works again should it die, in a second where a new
task would take a minute, and ends it before it takes more memory than the task has. Its name in Dask is the id of its
ECS task. It has a thread for each vCPU: the loops hold no interpreter lock.
"""

import argparse
import asyncio
import logging.config
import os
import signal
import sys
import time
from collections.abc import Sequence
from typing import Any

import dask

from jobs.runtime import __main__ as client
from jobs.runtime import ecs_task, log_lines, tls
from jobs.runtime.dask_settings import WORKER_PROCESSES
from jobspec import DispatchError

SCHEDULER = "DISPATCH_SCHEDULER"
TARGET_GROUP = "DISPATCH_TARGET_GROUP"
DEATH_SECONDS = 300.0  # how long a worker looks for its scheduler, which may start later, before it gives up
STOP_SECONDS = 110.0  # ECS kills what is left after 120
RESERVED_BYTES = 256 * 2**20  # of a task's memory for the nanny and what its agent needs

log = logging.getLogger("jobs.runtime.container")


def main(arguments: Sequence[str]) -> int:
    """Be the role that the arguments name until it ends; returns the exit code."""
    logging.config.dictConfig(log_lines.CONFIG)
    logging.captureWarnings(True)
    dask.config.set({"logging": log_lines.CONFIG})  # which `distributed` applies when it is loaded
    if arguments[:1] == ["client"]:
        return client.main(arguments[1:])
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # until the loop runs: process 1 would not hear of it
    try:
        security = tls.security()
        if security is None:
            raise DispatchError(f"{tls.TLS} is not set: without a key and certificate there is no cluster")
        os.environ.pop(tls.TLS)  # what jobs run must not see it
        _set_up_dask(options)
        return asyncio.run(options.role(options, security))
    except (DispatchError, OSError, TimeoutError) as error:
        log.error("%s", error)
        return 1


def _set_up_dask(options: argparse.Namespace) -> None:
    """Settings for this process and for every one that is started from it."""
    settings = WORKER_PROCESSES | {
        "distributed.comm.require-encryption": True,
        "distributed.worker.preload": ["jobs.runtime.protection", "jobs.runtime.retiring"],
        "distributed.scheduler.preload": ["dashboard.target_group"] if os.environ.get(TARGET_GROUP) else [],
    }
    if not options.dashboard:
        # No pages, which tell much and let everybody act; what is left tells whether all is well.
        settings["distributed.scheduler.http.routes"] = [
            "distributed.http.scheduler.prometheus",
            "distributed.http.health",
        ]
    dask.config.set(settings)
    os.environ["DASK_INTERNAL_INHERIT_CONFIG"] = dask.config.serialize(dask.config.global_config)


async def _scheduler(options: argparse.Namespace, security: Any) -> int:
    from distributed import Scheduler

    scheduler = Scheduler(
        protocol="tls",
        host=options.host,
        port=options.port,
        dashboard=options.dashboard,
        dashboard_address=f"{options.host or ''}:{options.http_port}",
        security=security,
    )
    told = _when_told_to_stop()
    async with scheduler:
        _listening(scheduler.address, http_port=scheduler.http_server.port)
        await _first(told.wait(), scheduler.finished())
        await scheduler.close(reason="asked-to-stop" if told.is_set() else "finished")
    return 0


async def _worker(options: argparse.Namespace, security: Any) -> int:
    from dask.system import CPU_COUNT
    from distributed import Nanny, Status
    from distributed.system import MEMORY_LIMIT

    task = ecs_task.this_task()
    threads = max(1, int(task.vcpus)) if task and task.vcpus else CPU_COUNT
    memory = max(task.memory_bytes - RESERVED_BYTES, RESERVED_BYTES) if task and task.memory_bytes else MEMORY_LIMIT
    told = _when_told_to_stop()
    await _first(told.wait(), _found(options.scheduler, security))
    if told.is_set():
        return 0
    nanny = Nanny(
        options.scheduler,
        name=task.id if task else None,
        nthreads=threads,
        memory_limit=memory,
        host=options.host,
        protocol="tls",
        security=security,
        death_timeout=DEATH_SECONDS,
        dashboard=False,
    )
    async with nanny:
        _listening(nanny.worker_address, name=nanny.name, threads=threads, memory_bytes=memory)
        await _first(told.wait(), nanny.finished())
        if told.is_set() and nanny.is_alive():
            nanny.close_gracefully(reason="asked-to-stop")  # do not start it again
            os.kill(nanny.pid, signal.SIGTERM)  # it retires: see jobs.runtime.retiring
            await asyncio.wait([asyncio.ensure_future(nanny.finished())], timeout=STOP_SECONDS)
        gave_up = nanny.status is Status.failed or not told.is_set()
    return 1 if gave_up else 0


async def _found(scheduler: str, security: Any) -> None:
    """Return when the scheduler answers: it may start later than this, and its name be known later still.

    Raises OSError after DEATH_SECONDS, or at once where it has another key.
    """
    from distributed.comm import connect
    from distributed.comm.core import FatalCommClosedError

    log.info("looking for the scheduler at %s", scheduler, extra={"fields": {"event": "looking"}})
    deadline = time.monotonic() + DEATH_SECONDS
    while True:
        try:
            # Within one call Dask waits longer and longer between its tries.
            comm = await connect(scheduler, timeout=5.0, **security.get_connection_args("worker"))
            await comm.close()
            return
        except FatalCommClosedError:
            raise
        except OSError:
            if time.monotonic() > deadline:
                raise


def _when_told_to_stop() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    return told


async def _first(told: Any, other: Any) -> Any:
    """What the other returns; None where the first comes first."""
    waits = [asyncio.ensure_future(each) for each in (told, other)]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        return waits[1].result() if waits[1].done() else None
    finally:
        for each in waits:
            each.cancel()


def _listening(address: str, **more: Any) -> None:
    fields = {"event": "listening", "address": address} | more
    log.info("listening at %s", address, extra={"fields": fields})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m jobs.runtime.container", description="A part of the Dask cluster.")
    roles = parser.add_subparsers(required=True)
    scheduler = roles.add_parser("scheduler", help="the scheduler that runs share")
    scheduler.add_argument("--port", type=int, default=8786, help="0 for any that is free")
    scheduler.add_argument("--http-port", type=int, default=8787, help="of /health, /metrics and the dashboard")
    scheduler.add_argument(
        "--dashboard",
        action="store_true",
        default=bool(os.environ.get(TARGET_GROUP)),
        help=f"serve Dask's pages; also where {TARGET_GROUP} is set",
    )
    scheduler.set_defaults(role=_scheduler)
    worker = roles.add_parser("worker", help="a worker of the scheduler")
    address = os.environ.get(SCHEDULER)
    worker.add_argument("--scheduler", default=address, required=not address, help=f"tls://...; default: {SCHEDULER}")
    worker.set_defaults(role=_worker, dashboard=False)
    for role in (scheduler, worker):
        role.add_argument("--host", help="the address to listen at; default: all, known by that of the main interface")
    roles.add_parser("client", help="run one spec: the arguments of `python -m jobs.runtime`", add_help=False)
    return parser


if __name__ == "__main__":
    code = main(sys.argv[1:])
    client.leave(code)
