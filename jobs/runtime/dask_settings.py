"""How Dask is set up wherever workers are processes: on this machine and in the image."""

from typing import Any

from jobs.runtime.memory import ENVIRONMENT

NO_WORKERS_SECONDS = 300.0  # how long tasks wait for any worker at all: to replace one on Fargate takes about 70 s

WORKER_PROCESSES: dict[str, Any] = {
    # Dask's own defaults among these variables would map each block of text anew.
    **{f"distributed.nanny.pre-spawn-environ.{name}": value for name, value in ENVIRONMENT.items()},
    "distributed.scheduler.no-workers-timeout": f"{NO_WORKERS_SECONDS:g}s",
    "distributed.worker.multiprocessing-method": "spawn",
}
