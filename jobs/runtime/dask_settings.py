"""How Dask is set up: where workers are processes, on this machine and in the image; and where one is a thread."""

from typing import Any

from jobs.runtime.memory import ENVIRONMENT

NO_WORKERS_SECONDS = 300.0  # how long tasks wait for any worker at all: to replace one on Fargate takes about 70 s

WORKER_PROCESSES: dict[str, Any] = {
    # Dask's own defaults among these variables would map each block of text anew.
    **{f"distributed.nanny.pre-spawn-environ.{name}": value for name, value in ENVIRONMENT.items()},
    "distributed.scheduler.no-workers-timeout": f"{NO_WORKERS_SECONDS:g}s",
    "distributed.worker.multiprocessing-method": "spawn",
}

NEVER_HELD_UP: dict[str, Any] = {
    # A worker that is its run's own process knows the limit, for whoever looks, and neither spills nor waits at it.
    f"distributed.worker.memory.{at}": False
    for at in ("target", "spill", "pause")
}
