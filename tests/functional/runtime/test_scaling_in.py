"""Workers that are asked to stop in mid-job lose no result and cost no finished work; real processes, over TLS."""

import contextlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from distributed import Client

from jobs.runtime import tls
from jobs.runtime.run import run_spec
from tests.functional.runtime.noting import counts, noted
from tests.functional.runtime.runs import spec_of, told
from tests.servers.certificates import dispatch_tls
from tests.servers.containers import Container, container
from tests.servers.ecs_agent import ecs_agent
from tests.servers.web import Gate, web_server

HERE = ("--host", "127.0.0.1")
NAMES = ("task-a", "task-b", "task-c", "task-d")
Files = dict[str, list[Path]]


class Cluster:
    """A scheduler and workers, each named after its task."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self.keys = dispatch_tls()
        self.agent = stack.enter_context(ecs_agent())
        self._stack = stack
        ports = ("--port", "0", "--http-port", "0")
        scheduler = stack.enter_context(container("scheduler", *HERE, *ports, DISPATCH_TLS=self.keys))
        self.address = str(scheduler.wait_for("listening")["address"])
        self._workers: dict[str, Container] = {}
        self._started = 0

    def workers(self, count: int) -> list[str]:
        """The names of that many workers; there are no others."""
        there = [name for name, worker in self._workers.items() if worker.process.poll() is None]
        self.end(*there[count:])
        names = there[:count]
        names += [self.start() for _ in range(count - len(names))]
        for name in names:
            self[name].wait_for("listening")
        return names

    def start(self) -> str:
        """The name of a worker that starts."""
        name = f"task-{self._started}"
        self._started += 1
        ecs = self.agent.environment(name)
        started = container("worker", *HERE, DISPATCH_TLS=self.keys, DISPATCH_SCHEDULER=self.address, **ecs)
        self._workers[name] = self._stack.enter_context(started)
        return name

    def __getitem__(self, name: str) -> Container:
        return self._workers[name]

    def end(self, *names: str) -> None:
        """Ask them all to stop and see them do so in good order."""
        for name in names:
            self[name].stop()
        assert [self[name].ended(100) for name in names] == [0] * len(names)

    @contextlib.contextmanager
    def client(self) -> Iterator[Client]:
        with Client(self.address, security=tls.security({tls.TLS: self.keys}), set_as_default=False) as client:
            yield client


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with contextlib.ExitStack() as stack:
        yield Cluster(stack)


def until(true: Callable[[], Any], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds:g} s"
        time.sleep(0.02)


def lost(client: Client) -> list[Any]:
    """What the scheduler says was computed and is lost."""
    events = client.get_events("all")
    return [event["lost-computed-tasks"] for _, event in events if event.get("lost-computed-tasks")]


def names(client: Client) -> list[str]:
    return [known["name"] for known in client.scheduler_info(n_workers=-1)["workers"].values()]


def test_a_worker_with_work_is_protected_and_an_idle_one_is_not(cluster: Cluster) -> None:
    busy, idle = cluster.workers(2)
    with cluster.client() as client:
        held = client.submit(lambda: 1, workers=[busy], pure=False)
        held.result()
        until(lambda: cluster.agent.protected(busy), 10)
        assert cluster.agent.of(busy)[-1].body == {"ProtectionEnabled": True, "ExpiresInMinutes": 10}
        assert not cluster.agent.protected(idle)
        del held
        until(lambda: not cluster.agent.protected(busy), 40)
        until(lambda: cluster.agent.of(idle), 40)
        assert {asked.protect for asked in cluster.agent.of(idle)} == {False}  # whatever was there before it


def test_from_four_workers_to_one_in_mid_job_no_task_is_run_twice(cluster: Cluster, tmp_path: Path) -> None:
    stays, *leave = cluster.workers(4)
    with cluster.client() as client:
        keys = range(60)
        futures = [client.submit(noted, str(tmp_path), key, 0.15, pure=False) for key in keys]
        until(lambda: counts(tmp_path, "ended").total() >= 20)
        cluster.end(*leave)
        assert client.gather(futures) == [bytes([key]) * 100_000 for key in keys]
        assert lost(client) == []
        assert counts(tmp_path, "ended") == counts(tmp_path, "begun") == Counter(keys)
        assert names(client) == [stays]


def test_a_run_goes_on_with_the_worker_that_is_left(cluster: Cluster, trip_files: Files, tmp_path: Path) -> None:
    """Each file is read as often as without the scaling: three of four workers go while they read."""
    stays, *leave = cluster.workers(4)
    with web_server() as web:
        paths = [(f"/{at}/{path.name}", path.read_bytes()) for at in range(3) for path in trip_files["csv"]]
        addresses = [web.put(path, content) for path, content in paths]
        spec = spec_of(addresses, "vendor-summary")
        undisturbed = run_spec(spec, results=str(tmp_path / "undisturbed"), report=False)
        reads = Counter(path for _, path, _ in web.asked)
        web.asked.clear()

        web.before_answer = gate = Gate(free=2 * len(paths))  # to plan, each file is looked at twice
        (tmp_path / "spec.json").write_text(json.dumps({"job": spec.job, "params": {"trips": addresses}}))
        options = ["--spec", str(tmp_path / "spec.json"), "--results", str(tmp_path), "--scheduler", cluster.address]
        with container("client", *options, "--workers", "4", DISPATCH_TLS=cluster.keys) as running:
            gate.wait_for(4)
            for name in leave:
                cluster[name].stop()
            for name in leave:
                cluster[name].wait_for("retiring")
            gate.open()
            assert running.ended() == 0, running.told()
        assert [cluster[name].ended() for name in leave] == [0, 0, 0]
    result = json.loads(next(tmp_path.glob("runs/*/result.json")).read_text())
    assert json.dumps([result["answers"], result["quality"]]) == told(undisturbed)
    assert Counter(path for _, path, _ in web.asked) == reads
    assert result["environment"]["worker_names"] == sorted([stays, *leave])


def test_spot_takes_a_worker_under_load(cluster: Cluster, tmp_path: Path) -> None:
    """SIGTERM while its only thread is busy, more waits, and it holds results: what runs is let finish."""
    _, taken = cluster.workers(2)
    with cluster.client() as client:
        held = client.map(lambda at: bytes([at]) * 3_000_000, range(12), pure=False)
        until(lambda: all(future.done() for future in held))
        assert {name for at in client.who_has(held).values() for name in at} == set(client.has_what())
        slow = [client.submit(noted, str(tmp_path), key, 2.0, pure=False) for key in range(6)]
        until(lambda: counts(tmp_path, "begun").total() == 2)
        cluster.end(taken)
        client.gather(slow)
        assert [len(block) for block in client.gather(held)] == [3_000_000] * 12
        assert lost(client) == []
        assert counts(tmp_path, "ended") == counts(tmp_path, "begun") == Counter(range(6))


def test_what_nobody_can_take_is_given_to_the_worker_that_comes_next(cluster: Cluster) -> None:
    """The only worker goes; its replacement is there before its time is up."""
    (only,) = cluster.workers(1)
    with cluster.client() as client:
        future = client.submit(pow, 7, 2, pure=False)
        future.result()
        cluster[only].stop()
        cluster[only].wait_for("retiring")
        cluster.start()
        assert cluster[only].ended(100) == 0
        assert lost(client) == []
        assert future.result() == 49
