"""A Dask client with workers of its own: of a cluster on this machine, or claimed from one that others share.

On a shared scheduler a run claims as many unclaimed workers as it was given and sends its tasks to no other, because
Dask prefers older graphs to newer ones and would let one run take everything. For a worker that is lost it claims
another, and its tasks move there. Claims end with the run, or with its client.
"""

import contextlib
import queue
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import uuid4
from weakref import WeakSet

from jobs.runtime import tls
from jobs.runtime.answering import Asked
from jobs.runtime.code_version import code_version
from jobs.runtime.dask_settings import NEVER_HELD_UP, NO_WORKERS_SECONDS, WORKER_PROCESSES
from jobs.runtime.execution import DRAIN_SECONDS, Graph, Work, graph_of
from jobs.runtime.progress import Event, Progress
from jobs.runtime.tally import Tally
from jobs.runtime.tripfile import TripFile, Unit
from jobspec import LostWorkers, NoWorkers, OutOfMemory, Superseded

START_SECONDS = 300.0  # how long to wait for workers: Fargate needs about 70 s for an image of ours
LOST_SECONDS = NO_WORKERS_SECONDS  # how long a run goes on waiting when every worker is gone
_POLL_SECONDS = 2.0
_DRAIN_POLL_SECONDS = 0.1


class Cluster:
    """A client and its workers: all that its scheduler has, or, where that is shared, those that it claimed."""

    def __init__(self, client: Any, run_id: str, workers: Mapping[str, Any], wanted: int, shared: bool) -> None:
        self.client = client
        self.workers = list(workers)  # their addresses
        self.names = {str(name) for name in workers.values()}  # of all that it ever had
        self.wanted = wanted
        self._shared = shared
        # Two clients may do the same work, with results in two places, at once.
        self._name = f"{run_id}-{uuid4().hex[:8]}"
        self._submitted: WeakSet[Any] = WeakSet()  # to hold a future would hold what it has come to
        self._reading: dict[str, str | None] = {}  # which file a task reads
        self._alive_at = time.monotonic()

    def tally(self, work: Work, asked: Asked, progress: Progress) -> Tally:
        """The tally of all the work."""
        graph, units, whole = graph_of(work, asked, self._name)
        futures = self.start(graph, [whole, *units])
        whole_future = futures.pop(0)
        progress(Event("compute", 0, len(units)))
        # None of the units is held here, so that each goes as soon as it is merged.
        for done, _ in enumerate(self.as_completed(_taken(futures)), 1):
            progress(Event("compute", done, len(units)))
        for _ in self.as_completed([whole_future]):
            pass
        tally: Tally = self.result(whole_future)
        return tally

    def compute(self, lazy: list[Any]) -> Sequence[Any]:
        """The values of Dask collections."""
        futures = self.client.compute(lazy, **self._placement())
        for _ in self.as_completed(futures):
            pass
        return [self.result(future) for future in futures]

    def as_default(self) -> contextlib.AbstractContextManager[Any]:
        """Make Dask use this client; what a job computes by itself may run on any worker (see CONTRIBUTING.md)."""
        current: contextlib.AbstractContextManager[Any] = self.client.as_current()
        return current

    def start(self, graph: Graph, keys: Sequence[str]) -> list[Any]:
        """Start what the graph holds, on our workers; futures of the tasks with those keys."""
        self._reading.update({key: _file_read(arguments) for key, (_, *arguments) in graph.items()})
        futures: list[Any] = self.client.get(graph, list(keys), sync=False, **self._placement())
        self._submitted.update(futures)
        return futures

    def _placement(self) -> dict[str, Any]:
        """Where tasks may run. A worker that starts again is a new one to Dask: to name ours would shut it out."""
        return {"workers": self.workers, "allow_other_workers": False} if self._shared else {}

    def as_completed(self, futures: Iterable[Any]) -> Iterator[Any]:
        """The futures as they end, each let go then. Raises what a task raised, OutOfMemory or LostWorkers."""
        ended: queue.SimpleQueue[Any] = queue.SimpleQueue()
        left = 0
        for future in futures:
            future.add_done_callback(ended.put)
            left += 1
        checked_at = time.monotonic()
        while left:
            future = None
            with contextlib.suppress(queue.Empty):
                future = ended.get(timeout=_POLL_SECONDS)
                if future.status != "finished":
                    self.result(future)  # raises
                left -= 1
                yield future
            if time.monotonic() - checked_at >= _POLL_SECONDS:
                self._check_alive()
                checked_at = time.monotonic()

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
            uri = self._reading.get(error.task)
            raise OutOfMemory(
                f"a task{f' that reads {uri}' if uri else ''} was lost with its worker again and again, most likely "
                f"for memory: {error}"
            ) from error
        except (NoWorkerError, NoValidWorkerError, FutureCancelledError, CommClosedError) as error:
            raise LostWorkers(f"the workers are gone: {error}") from error

    def drain(self) -> None:
        """Start nothing more, and let what runs come to its end before whoever gave up tidies up: it may write.

        Waits DRAIN_SECONDS at most, also where nobody answers any more.
        """
        waiting = threading.Thread(target=self._drained, daemon=True)
        waiting.start()
        waiting.join(DRAIN_SECONDS)

    def _drained(self) -> None:
        with contextlib.suppress(Exception):  # the workers or the scheduler may be what is gone
            self.client.cancel(list(self._submitted), force=True)
            while any(self.client.run(_running, self._name, workers=self.workers, on_error="ignore").values()):
                time.sleep(_DRAIN_POLL_SECONDS)

    def _check_alive(self) -> None:
        """See which workers we have now. Raises LostWorkers when there has been none for LOST_SECONDS."""
        if self._shared:
            found = _on_scheduler(self.client, _claim, wanted=self.wanted, before=self.workers)
        else:
            found = _names(self._known())
        now = time.monotonic()
        if found:
            self.workers, self._alive_at = list(found), now
            self.names.update(map(str, found.values()))
        elif now - self._alive_at > LOST_SECONDS:
            raise LostWorkers(f"none of the {len(self.workers)} workers has been there for {LOST_SECONDS:g} s")

    def _known(self) -> dict[str, Any]:
        """What the scheduler knows of each worker, by its address."""
        try:
            known: dict[str, Any] = self.client.scheduler_info(n_workers=-1)["workers"]
        except (OSError, TimeoutError) as error:
            raise LostWorkers(f"the scheduler is gone: {error}") from error
        return known

    def describe(self) -> dict[str, Any]:
        """What the run ran on, for its result."""
        known = self._known()
        ours = [known[worker] for worker in self.workers if worker in known]
        return {
            "executor": "distributed",
            "workers": len(self.workers),
            "workers_wanted": self.wanted,
            "threads": sum(worker["nthreads"] for worker in ours),
            "worker_memory_bytes": min((worker["memory_limit"] or 0 for worker in ours), default=0),
        }


def _taken(items: list[Any]) -> Iterator[Any]:
    """The items, none of which the list holds once it is taken."""
    while items:
        yield items.pop()


def _file_read(arguments: Sequence[Any]) -> str | None:
    """The file that a task with these arguments reads."""
    match arguments:
        case [Unit(file=file), *_] | [TripFile() as file, *_]:
            return file.uri
    return None


@contextlib.contextmanager
def process_cluster(run_id: str, processes: int, progress: Progress) -> Iterator[Cluster]:
    """Worker processes of one thread each on this machine."""
    import dask
    import distributed  # noqa: F401 - first loaded within the settings below, it would lose its own with them

    options = {"n_workers": processes, "threads_per_worker": 1, "host": "127.0.0.1"}
    with dask.config.set(WORKER_PROCESSES), _started(run_id, processes, progress, options) as cluster:
        yield cluster


@contextlib.contextmanager
def thread_cluster(run_id: str, threads: int, progress: Progress) -> Iterator[Cluster]:
    """One worker in this process, with as much memory as the process may have: nobody could start it again."""
    import dask
    from distributed.system import MEMORY_LIMIT

    options = {"n_workers": 1, "threads_per_worker": threads, "processes": False, "memory_limit": MEMORY_LIMIT}
    with dask.config.set(NEVER_HELD_UP), _started(run_id, 1, progress, options) as cluster:
        yield cluster


@contextlib.contextmanager
def _started(run_id: str, workers: int, progress: Progress, options: dict[str, Any]) -> Iterator[Cluster]:
    from distributed import Client, LocalCluster

    progress(Event("workers", 0, workers))
    with (
        LocalCluster(
            dashboard_address=None,
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # even without one its port would be 8787
            silence_logs=40,
            **options,
        ) as cluster,
        Client(cluster) as client,
    ):
        found = _names(client.scheduler_info(n_workers=-1)["workers"])
        progress(Event("workers", len(found), workers))
        yield Cluster(client, run_id, found, workers, shared=False)


@contextlib.contextmanager
def shared_cluster(
    address: str, run_id: str, wanted: int, progress: Progress, start_seconds: float = START_SECONDS
) -> Iterator[Cluster]:
    """Claimed workers of the scheduler at `address`.

    Waits up to `start_seconds` for `wanted` of them; then starts with at least half, or raises NoWorkers. Raises
    LostWorkers where no scheduler answers, or none that has the key and certificate of this process's environment, and
    Superseded where workers have another version of the code.
    """
    from distributed import Client

    deadline = time.monotonic() + start_seconds
    security = tls.security()
    if security is None and address.startswith("tls://"):
        raise LostWorkers(f"the scheduler at {address} talks TLS, and {tls.TLS} is not set")
    try:
        client = Client(address, timeout=min(start_seconds, 60.0), set_as_default=False, security=security)
    except (OSError, TimeoutError, ValueError, RuntimeError) as error:  # RuntimeError: refused for want of encryption
        raise LostWorkers(f"no scheduler answers at {address}: {error}") from error
    with client:  # with it end its claims
        while True:
            claimed = _on_scheduler(client, _claim, wanted=wanted)
            progress(Event("workers", len(claimed), wanted))
            late = time.monotonic() >= deadline
            if len(claimed) >= wanted or (late and claimed and 2 * len(claimed) >= wanted):
                break
            if late:
                raise NoWorkers(wanted, start_seconds)
            time.sleep(min(0.5, max(0.0, deadline - time.monotonic())))
        _check_versions(client, list(claimed))
        cluster = Cluster(client, run_id, claimed, wanted, shared=True)
        try:
            yield cluster
        except BaseException:
            cluster.drain()
            raise


def _check_versions(client: Any, workers: Sequence[str]) -> None:
    """Raise Superseded unless all of the workers run the code that this process runs."""
    ours = code_version()
    found = client.run(code_version, workers=list(workers), on_error="return")  # older code may not know the question
    theirs = sorted({each if isinstance(each, str) else "unknown" for each in found.values()} - {ours})
    if theirs:
        raise Superseded(ours, theirs)


def _running(name: str, dask_worker: Any = None) -> int:
    """How many tasks of that name occupy a thread of the worker, those among them that are cancelled already."""
    return sum(1 for task in dask_worker.state.all_running_tasks if name in str(task.key))


def _on_scheduler(client: Any, function: Any, **arguments: Any) -> Any:
    """What the function returns, run on the scheduler for this client. Raises LostWorkers where it is gone."""
    try:
        return client.run_on_scheduler(function, client=client.id, **arguments)
    except (OSError, TimeoutError) as error:
        raise LostWorkers(f"the scheduler is gone: {error}") from error


def _claims(dask_scheduler: Any) -> dict[str, str]:
    """Which client holds which worker: {worker: client}. Where either is gone, or retires, the claim is void."""
    claims: dict[str, str] = dask_scheduler.extensions.setdefault("dispatch-claims", {})
    for worker, client in list(claims.items()):
        state = dask_scheduler.workers.get(worker)
        if state is None or _retires(state) or client not in dask_scheduler.clients:
            del claims[worker]
    return claims


def _retires(worker: Any) -> bool:
    return bool(worker.status.name == "closing_gracefully")


def _names(known: Mapping[str, Any]) -> dict[str, Any]:
    """{address: name} of what the scheduler knows of workers."""
    return {address: worker["name"] for address, worker in known.items()}


def _claim(client: str, wanted: int, before: Sequence[str] = (), dask_scheduler: Any = None) -> dict[str, Any]:
    """The client's workers, {address: name}, up to as many as wanted; `before` are those that it has sent its tasks to.

    Runs on the scheduler, whose event loop lets one claim happen at a time.
    """
    claims = _claims(dask_scheduler)
    ours = [worker for worker, holder in claims.items() if holder == client]
    free = [worker for worker, state in dask_scheduler.workers.items() if worker not in claims and not _retires(state)]
    new = free[: max(0, wanted - len(ours))]
    claims |= dict.fromkeys(new, client)
    ours += new
    # Without any worker the tasks stay bound to those that were lost: unbound, they would run on anybody's.
    if before and ours and set(ours) != set(before):
        for task in dask_scheduler.tasks.values():
            if task.worker_restrictions and not task.worker_restrictions.isdisjoint(before):
                task.worker_restrictions = set(ours)
        for worker in ours:
            state = dask_scheduler.workers[worker]
            runnable = dask_scheduler.bulk_schedule_unrunnable_after_adding_worker(state)
            dask_scheduler.transitions(runnable, f"dispatch-claim-{client}")
    return {worker: dask_scheduler.workers[worker].name for worker in ours}
