"""How Dask is set up wherever workers are processes: on this machine and in the image."""

from typing import Any

NO_WORKERS_SECONDS = 300.0  # how long tasks wait for any worker at all: to replace one on Fargate takes about 70 s

WORKER_PROCESSES: dict[str, Any] = {
    # The nanny sets glibc's trim threshold, which freezes its mmap threshold at 128 KiB: every block of text would
    # be mapped anew and its pages fetched one by one.
    "distributed.nanny.pre-spawn-environ.MALLOC_MMAP_THRESHOLD_": 2**25,
    # What a unit has used the next one needs again: it stays ours, in one allocator that Arrow shares.
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": 2**28,
    "distributed.nanny.pre-spawn-environ.ARROW_DEFAULT_MEMORY_POOL": "system",
    "distributed.scheduler.no-workers-timeout": f"{NO_WORKERS_SECONDS:g}s",
    "distributed.worker.multiprocessing-method": "spawn",
}
