"""A worker that is asked to stop, by SIGTERM on scale-in or before Spot takes its machine, loses no work.

It takes no new task, ends those that it runs, gives what it holds to other workers, and leaves. Dask's own way out of a
SIGTERM drops everything; its `close_gracefully` drops what runs, and may lose a result that is finished in the same
moment. All of it fits into ECS's stopTimeout of at most 120 s; what does not end in time is done again elsewhere.
"""

import asyncio
import logging
import signal
import time

from distributed import Status, Worker

FINISH_SECONDS = 60.0  # for what runs: a unit takes seconds
GRACE_SECONDS = 105.0  # for that, and for giving away what is held
_RETRY_SECONDS = 2.0  # where there is no worker yet that could take it

log = logging.getLogger(__name__)


async def retire(worker: Worker, finish: float = FINISH_SECONDS, grace: float = GRACE_SECONDS) -> None:
    """Close the worker, and its nanny, once nothing would be lost, or at the end of its grace."""
    deadline = time.monotonic() + grace
    worker.status = Status.closing_gracefully  # the scheduler sends it no more tasks, and it begins none
    _say("retiring", worker)
    await _until_nothing_runs(worker, time.monotonic() + finish)
    try:
        async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
            await _give_away(worker)
        _say("retired", worker)
    except TimeoutError:
        log.warning("not all that this worker holds could be given away in %g s: it will be computed again", grace)
    except (OSError, RuntimeError) as error:  # RuntimeError: this worker has closed by itself, as its scheduler is gone
        log.warning("the scheduler is gone, and with it whoever waits for what this worker holds: %s", error)
    await worker.close(nanny=True, executor_wait=False, reason="asked-to-stop")


async def _until_nothing_runs(worker: Worker, deadline: float) -> None:
    while worker.state.executing_count or worker.state.long_running:
        if time.monotonic() > deadline:
            log.warning("%d tasks take too long to end: they will be run again", worker.state.executing_count)
            return
        await asyncio.sleep(0.05)


async def _give_away(worker: Worker) -> None:
    """Returns when others hold all that this worker holds. Raises OSError where the scheduler is gone."""
    # A result that was finished just now may not have been heard of yet: messages take another connection than calls.
    while not set(worker.data) <= set((await worker.scheduler.has_what(workers=[worker.address]))[worker.address]):
        await asyncio.sleep(0.05)
    while True:
        # Empty where there is nobody to take it: a replacement may be on its way.
        if worker.address in await worker.scheduler.retire_workers(
            workers=[worker.address], close_workers=False, remove=True, stimulus_id=f"retire-{time.time()}"
        ):
            return
        await asyncio.sleep(_RETRY_SECONDS)


def _say(event: str, worker: Worker) -> None:
    state = worker.state
    fields = {"event": event, "running": state.executing_count, "held": len(worker.data)}
    log.info("this worker is %s", event, extra={"fields": fields})


_retirements: set[asyncio.Task[None]] = set()  # asyncio itself keeps no hold of its tasks


def dask_setup(worker: Worker) -> None:
    """As a preload of workers: SIGTERM retires this one, once."""

    def told() -> None:
        if not _retirements:
            _retirements.add(loop.create_task(retire(worker)))

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, told)
