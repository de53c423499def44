"""A Dask client with workers of its own: of a cluster on this machine, or claimed from one that others share.

On a shared scheduler a run claims as many unclaimed workers as it was given and sends its tasks to no other, because
Dask prefers older graphs to newer ones and would let one run take everything. Claims end with the run, or with its
client.
"""

import contextlib
import time
from collections.abc import Iterator, Sequence
from typing import Any

from jobs.runtime.progress import Event, Progress
from jobspec import LostWorkers, NoWorkers, OutOfMemory

START_SECONDS = 300.0  # how long to wait for workers: Fargate needs about 70 s for an image of ours
LOST_SECONDS = 300.0  # how long a run goes on waiting when every worker is gone
_POLL_SECONDS = 2.0


class Cluster:
    """A client and the workers whose tasks it may run."""

    def __init__(self, client: Any, run_id: str, workers: Sequence[str], wanted: int) -> None:
        self.client = client
        self.workers = list(workers)
        self.wanted = wanted
        self._prefix = run_id
        self._tasks = 0
        self._alive_at = time.monotonic()

    def submit(self, function: Any, *arguments: Any) -> Any:
        """A future on our workers."""
        self._tasks += 1
        return self.client.submit(
            function,
            *arguments,
            key=f"{function.__name__.strip('_')}-{self._prefix}-{self._tasks}",
            pure=False,
            workers=self.workers,
            allow_other_workers=False,
        )

    def as_completed(self, futures: Sequence[Any]) -> Iterator[Any]:
        """The futures as they end. Raises what a task raised, OutOfMemory or LostWorkers."""
        from distributed import wait

        pending = set(futures)
        while pending:
            with contextlib.suppress(TimeoutError):
                done, _ = wait(list(pending), timeout=_POLL_SECONDS, return_when="FIRST_COMPLETED")
                for future in done:
                    self.result(future)
                    pending.discard(future)
                    yield future
            self._check_alive()

    def result(self, future: Any) -> Any:
        """What the future holds. Raises what its task raised, OutOfMemory or LostWorkers."""
        from distributed.client import FutureCancelledError
        from distributed.comm import CommClosedError
        from distributed.scheduler import KilledWorker, NoValidWorkerError, NoWorkerError

        try:
            return future.result()
        except MemoryError as error:
            raise OutOfMemory(f"a worker ran out of memory: {error}") from error
        except KilledWorker as error:
            # Dask gives up on a task that took several workers with it: the nanny kills at 95 % of the memory limit.
            raise OutOfMemory(
                f"a task was lost with its worker again and again, most likely for memory: {error}"
            ) from error
        except (NoWorkerError, NoValidWorkerError, FutureCancelledError, CommClosedError) as error:
            raise LostWorkers(f"the workers are gone: {error}") from error

    def _check_alive(self) -> None:
        """Raise LostWorkers when none of our workers has been there for LOST_SECONDS."""
        try:
            known = self.client.scheduler_info(n_workers=-1)["workers"]
        except OSError as error:
            raise LostWorkers(f"the scheduler is gone: {error}") from error
        now = time.monotonic()
        if any(worker in known for worker in self.workers):
            self._alive_at = now
        elif now - self._alive_at > LOST_SECONDS:
            raise LostWorkers(f"none of the {len(self.workers)} workers has been there for {LOST_SECONDS:g} s")

    def describe(self) -> dict[str, Any]:
        """What the run ran on, for its result."""
        known = self.client.scheduler_info(n_workers=-1)["workers"]
        ours = [known[worker] for worker in self.workers if worker in known]
        return {
            "executor": "distributed",
            "workers": len(self.workers),
            "workers_wanted": self.wanted,
            "threads": sum(worker["nthreads"] for worker in ours),
            "worker_memory_bytes": min((worker["memory_limit"] or 0 for worker in ours), default=0),
        }


@contextlib.contextmanager
def local_cluster(run_id: str, workers: int, progress: Progress) -> Iterator[Cluster]:
    """Worker processes of one thread each on this machine."""
    import dask
    from distributed import Client, LocalCluster

    progress(Event("workers", 0, workers))
    settings = {
        "distributed.scheduler.no-workers-timeout": "300s",
        "distributed.worker.multiprocessing-method": "spawn",
    }
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=workers, threads_per_worker=1, dashboard_address=None, silence_logs=40, host="127.0.0.1"
        ) as cluster,
        Client(cluster) as client,
    ):
        found = list(client.scheduler_info(n_workers=-1)["workers"])
        progress(Event("workers", len(found), workers))
        yield Cluster(client, run_id, found, workers)


@contextlib.contextmanager
def shared_cluster(
    address: str, run_id: str, wanted: int, progress: Progress, start_seconds: float = START_SECONDS
) -> Iterator[Cluster]:
    """Claimed workers of the scheduler at `address`.

    Waits up to `start_seconds` for `wanted` of them; then starts with at least half, or raises NoWorkers. Raises
    LostWorkers where no scheduler answers.
    """
    from distributed import Client

    deadline = time.monotonic() + start_seconds
    try:
        client = Client(address, timeout=min(start_seconds, 60.0), set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise LostWorkers(f"no scheduler answers at {address}: {error}") from error
    with client:
        claimed: list[str] = []
        try:
            while True:
                claimed = client.run_on_scheduler(_claim, run_id=run_id, client=client.id, wanted=wanted)
                progress(Event("workers", len(claimed), wanted))
                late = time.monotonic() >= deadline
                if len(claimed) >= wanted or (late and claimed and 2 * len(claimed) >= wanted):
                    break
                if late:
                    raise NoWorkers(wanted, start_seconds)
                time.sleep(min(0.5, max(0.0, deadline - time.monotonic())))
            yield Cluster(client, run_id, claimed, wanted)
        finally:
            with contextlib.suppress(OSError, TimeoutError):
                client.run_on_scheduler(_release, run_id=run_id)


def _claims(dask_scheduler: Any) -> dict[str, tuple[str, str]]:
    """Who holds which worker: {worker: (run, client)}; the claims of clients and workers that are gone are void."""
    claims: dict[str, tuple[str, str]] = dask_scheduler.extensions.setdefault("dispatch-claims", {})
    for worker, (_, client) in list(claims.items()):
        if worker not in dask_scheduler.workers or client not in dask_scheduler.clients:
            del claims[worker]
    return claims


def _claim(run_id: str, client: str, wanted: int, dask_scheduler: Any = None) -> list[str]:
    """Runs on the scheduler, whose event loop lets one claim happen at a time."""
    claims = _claims(dask_scheduler)
    ours = [worker for worker, (run, _) in claims.items() if run == run_id]
    free = [worker for worker in dask_scheduler.workers if worker not in claims]
    for worker in free[: max(0, wanted - len(ours))]:
        claims[worker] = (run_id, client)
        ours.append(worker)
    return ours


def _release(run_id: str, dask_scheduler: Any = None) -> None:
    claims = _claims(dask_scheduler)
    for worker, (run, _) in list(claims.items()):
        if run == run_id:
            del claims[worker]
