"""A worker and the ECS agent's endpoint: protected in time, and no worse off when the agent is."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from distributed import Client, Scheduler, Worker

from jobs.runtime.protection import KeepTask
from tests.servers.ecs_agent import BROKEN, FAILED, THROTTLED, EcsAgent, ecs_agent

TASK = "task-a"


@pytest.fixture
def agent() -> Iterator[EcsAgent]:
    with ecs_agent() as running:
        yield running


@asynccontextmanager
async def a_client(url: str) -> AsyncIterator[Client]:
    """Of a cluster whose only worker keeps its task, and lets go after half a second."""
    async with (
        Scheduler(host="127.0.0.1", port=0, dashboard_address="127.0.0.1:0", dashboard=False) as scheduler,
        Worker(scheduler.address, nthreads=1, host="127.0.0.1", dashboard_address="127.0.0.1:0") as worker,
        Client(scheduler.address, asynchronous=True, set_as_default=False) as client,
    ):
        await worker.plugin_add(KeepTask(f"{url}/{TASK}", idle_seconds=0.5))
        yield client


async def until(true: Callable[[], Any]) -> None:
    async with asyncio.timeout(15):
        while not true():
            await asyncio.sleep(0.02)


def on_loopback(url: str, act: Callable[[Client], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with a_client(url) as client:
            await act(client)

    asyncio.run(whole())


def test_while_it_runs_while_it_holds_and_not_after(agent: EcsAgent) -> None:
    async def act(client: Client) -> None:
        future = client.submit(time.sleep, 3)
        await until(lambda: agent.protected(TASK))
        assert not future.done()
        assert agent.of(TASK)[-1].body == {"ProtectionEnabled": True, "ExpiresInMinutes": 10}
        await future
        await asyncio.sleep(2)  # it has done its work long since, and holds the result
        assert agent.protected(TASK)
        future.release()
        await until(lambda: not agent.protected(TASK))
        assert [asked.body for asked in agent.of(TASK)][-1] == {"ProtectionEnabled": False}

    on_loopback(agent.url, act)


@pytest.mark.parametrize("refusal", [THROTTLED, FAILED, BROKEN], ids=["throttled", "failed", "broken"])
def test_an_agent_that_refuses_costs_no_work_and_is_asked_again(
    refusal: tuple[int, Any], agent: EcsAgent, caplog: pytest.LogCaptureFixture
) -> None:
    agent.refuses = refusal

    async def act(client: Client) -> None:
        future = client.submit(pow, 2, 5)
        assert await future == 32
        await until(lambda: len(agent.of(TASK)) >= 2)
        agent.refuses = None
        await until(lambda: agent.protected(TASK))

    caplog.set_level(logging.INFO, "jobs.runtime.protection")
    on_loopback(agent.url, act)
    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warned
    assert all(f"HTTP {refusal[0]}" in message and "the worker goes on" in message for message in warned)


def test_an_agent_that_is_not_there_costs_no_work(caplog: pytest.LogCaptureFixture) -> None:
    async def act(client: Client) -> None:
        assert await client.submit(pow, 2, 5) == 32
        await until(lambda: "the worker goes on" in caplog.text)

    on_loopback("http://127.0.0.1:1", act)
