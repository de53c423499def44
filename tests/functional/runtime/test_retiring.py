"""The four steps in which a worker leaves, each against what would be lost without it; in one process."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from distributed import Client, Scheduler, Status, Worker

from jobs.runtime.retiring import retire
from tests.functional.runtime.noting import counts, held_up, let_go, noted

HERE: dict[str, Any] = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}


@asynccontextmanager
async def two_workers() -> AsyncIterator[tuple[Scheduler, Client, Worker, Worker]]:
    async with (
        Scheduler(port=0, dashboard=False, **HERE) as scheduler,
        Worker(scheduler.address, nthreads=1, name="leaves", **HERE) as leaves,
        Worker(scheduler.address, nthreads=1, name="stays", **HERE) as stays,
        Client(scheduler.address, asynchronous=True, set_as_default=False) as client,
    ):
        yield scheduler, client, leaves, stays


def on_loopback(act: Callable[[Scheduler, Client, Worker, Worker], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with two_workers() as everything:
            await act(*everything)

    asyncio.run(whole())


def lost(scheduler: Scheduler) -> list[Any]:
    events = scheduler.get_events("all")
    return [event["lost-computed-tasks"] for _, event in events if event.get("lost-computed-tasks")]


async def runs(worker: Worker) -> None:
    async with asyncio.timeout(20):
        while not worker.state.executing_count:
            await asyncio.sleep(0.01)


def test_what_runs_ends_first() -> None:
    async def act(scheduler: Scheduler, client: Client, leaves: Worker, stays: Worker) -> None:
        slow = client.submit(time.sleep, 1.5, workers=[leaves.address], allow_other_workers=True)
        await runs(leaves)
        await retire(leaves)
        assert slow.status == "finished"  # before anybody could have run it again
        assert list(scheduler.workers) == [stays.address]
        assert leaves.status is Status.closed
        await slow

    on_loopback(act)


def test_what_takes_too_long_is_run_by_another(tmp_path: Path) -> None:
    async def act(scheduler: Scheduler, client: Client, leaves: Worker, stays: Worker) -> None:
        slow = client.submit(held_up, str(tmp_path), 1, workers=[leaves.address], allow_other_workers=True)
        await runs(leaves)
        await retire(leaves, finish=0.3)
        assert not slow.done()
        await runs(stays)
        assert counts(tmp_path, "begun") == {1: 2}
        let_go(tmp_path)
        await slow

    on_loopback(act)


def test_a_result_that_the_scheduler_has_not_heard_of_is_not_lost(tmp_path: Path) -> None:
    """The worker's messages are slow: it has ended a task, and the scheduler thinks that it still runs."""

    async def act(scheduler: Scheduler, client: Client, leaves: Worker, stays: Worker) -> None:
        leaves.batched_stream.interval = 1.5  # between one message and the next
        await client.submit(pow, 1, 1, workers=[leaves.address])
        note = (noted, str(tmp_path), 27, 0.0)
        quick = client.submit(*note, workers=[leaves.address], allow_other_workers=True, key="quick")
        async with asyncio.timeout(20):
            while "quick" not in leaves.data:
                await asyncio.sleep(0.001)
        await retire(leaves)
        await quick
        assert counts(tmp_path, "begun") == {27: 1}

    on_loopback(act)


def test_what_nobody_takes_in_time_is_computed_again() -> None:
    async def act(scheduler: Scheduler, client: Client, leaves: Worker, stays: Worker) -> None:
        await stays.close()
        held = client.submit(pow, 3, 3)
        await held
        begun = time.monotonic()
        await retire(leaves, grace=1.0)
        assert time.monotonic() - begun > 0.9
        async with Worker(scheduler.address, nthreads=1, **HERE):
            assert await held == 27
        assert lost(scheduler)

    on_loopback(act)


def test_without_a_scheduler_it_just_ends() -> None:
    async def act(scheduler: Scheduler, client: Client, leaves: Worker, stays: Worker) -> None:
        await client.submit(pow, 3, 3, workers=[leaves.address])
        await scheduler.close()
        await asyncio.wait_for(retire(leaves), 60)
        assert leaves.status is Status.closed

    on_loopback(act)
