"""Workers that are asked to stop in mid-job lose no result and cost no finished work; real processes, over TLS."""

import contextlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from distributed import Client

from jobs.runtime import tls
from jobs.runtime.run import run_spec
from tests.functional.runtime.runs import spec_of, told
from tests.servers.certificates import dispatch_tls
from tests.servers.containers import Container, container
from tests.servers.ecs_agent import EcsAgent, ecs_agent
from tests.servers.web import Gate, web_server

HERE = ("--host", "127.0.0.1")
NAMES = ("task-a", "task-b", "task-c", "task-d")
Files = dict[str, list[Path]]


class Stack:
    """A scheduler and workers that are named after their tasks."""

    def __init__(self, keys: str, agent: EcsAgent, address: str, workers: dict[str, Container]) -> None:
        self.keys, self.agent, self.address, self.workers = keys, agent, address, workers

    @contextlib.contextmanager
    def client(self) -> Iterator[Client]:
        security = tls.security({tls.TLS: self.keys})
        with Client(self.address, security=security, set_as_default=False) as client:
            yield client

    def stop(self, *names: str) -> None:
        for name in names:
            self.workers[name].stop()

    def ended(self, *names: str) -> list[int]:
        return [self.workers[name].ended(100) for name in names]


@contextlib.contextmanager
def stack(*names: str) -> Iterator[Stack]:
    keys = dispatch_tls()
    with contextlib.ExitStack() as running:
        agent = running.enter_context(ecs_agent())
        ports = ("--port", "0", "--http-port", "0")
        scheduler = running.enter_context(container("scheduler", *HERE, *ports, DISPATCH_TLS=keys))
        address = scheduler.wait_for("listening")["address"]
        environment = {"DISPATCH_TLS": keys, "DISPATCH_SCHEDULER": address}
        workers = {
            name: running.enter_context(container("worker", *HERE, **environment, **agent.environment(name)))
            for name in names
        }
        for worker in workers.values():
            worker.wait_for("listening")
        yield Stack(keys, agent, address, workers)


def until(true: Callable[[], Any], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds:g} s"
        time.sleep(0.02)


def noted(folder: str, key: int, seconds: float) -> bytes:
    """A task that leaves a line when it begins and one when it ends."""
    with Path(folder, "begun").open("a") as file:
        file.write(f"{key}\n")
    time.sleep(seconds)
    with Path(folder, "ended").open("a") as file:
        file.write(f"{key}\n")
    return bytes([key]) * 100_000


def counts(folder: Path, what: str) -> Counter[int]:
    path = folder / what
    return Counter(map(int, path.read_text().split())) if path.exists() else Counter()


def lost(client: Client) -> list[Any]:
    """What the scheduler says was computed and is lost."""
    events = client.get_events("all")
    return [event["lost-computed-tasks"] for _, event in events if event.get("lost-computed-tasks")]


def test_from_four_workers_to_one_in_mid_job_no_task_is_run_twice(tmp_path: Path) -> None:
    with stack(*NAMES) as cluster, cluster.client() as client:
        keys = range(60)
        futures = [client.submit(noted, str(tmp_path), key, 0.15, pure=False, key=f"noted-{key}") for key in keys]
        until(lambda: counts(tmp_path, "ended").total() >= 20)
        cluster.stop(*NAMES[1:])
        assert cluster.ended(*NAMES[1:]) == [0, 0, 0]
        assert client.gather(futures) == [bytes([key]) * 100_000 for key in keys]
        assert lost(client) == []
        assert counts(tmp_path, "ended") == counts(tmp_path, "begun") == Counter(keys)
        assert [known["name"] for known in client.scheduler_info(n_workers=-1)["workers"].values()] == ["task-a"]


def test_a_run_goes_on_with_the_worker_that_is_left(trip_files: Files, tmp_path: Path) -> None:
    """Each file is read as often as without the scaling: three of four workers go while they read."""
    with stack(*NAMES) as cluster, web_server() as web:
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
            cluster.stop(*NAMES[1:])
            for name in NAMES[1:]:
                cluster.workers[name].wait_for("retiring")
            gate.open()
            assert running.ended() == 0, running.told()
        assert cluster.ended(*NAMES[1:]) == [0, 0, 0]
    result = json.loads(next(tmp_path.glob("runs/*/result.json")).read_text())
    assert json.dumps([result["answers"], result["quality"]]) == told(undisturbed)
    assert Counter(path for _, path, _ in web.asked) == reads
    assert result["environment"]["worker_names"] == list(NAMES)


def test_spot_takes_a_worker_under_load(tmp_path: Path) -> None:
    """SIGTERM while its only thread is busy, more waits, and it holds results: what runs is let finish."""
    with stack("task-a", "task-b") as cluster, cluster.client() as client:
        held = client.map(lambda at: bytes([at]) * 3_000_000, range(12), pure=False)
        client.gather(held, direct=False)
        slow = [client.submit(noted, str(tmp_path), key, 3.0, pure=False) for key in range(6)]
        until(lambda: counts(tmp_path, "begun").total() == 2)
        cluster.stop("task-b")
        assert cluster.ended("task-b") == [0]
        assert sum(counts(tmp_path, "ended").values()) >= 2
        client.gather(slow)
        assert [len(block) for block in client.gather(held)] == [3_000_000] * 12
        assert lost(client) == []
        assert counts(tmp_path, "ended") == counts(tmp_path, "begun") == Counter(range(6))


def test_what_nobody_could_take_is_given_to_the_worker_that_comes_next(tmp_path: Path) -> None:
    """The only worker goes; its replacement is there before its time is up."""
    with stack("task-a") as cluster, cluster.client() as client:
        (result,) = client.map(lambda at: at, [7], pure=False)
        result.result()
        cluster.stop("task-a")
        cluster.workers["task-a"].wait_for("retiring")
        environment = {"DISPATCH_TLS": cluster.keys, "DISPATCH_SCHEDULER": cluster.address}
        with container("worker", *HERE, **environment, **cluster.agent.environment("task-b")):
            assert cluster.ended("task-a") == [0]
            assert lost(client) == []
            assert result.result() == 7


def test_a_worker_with_work_is_protected_and_an_idle_one_is_not() -> None:
    with stack("task-a", "task-b") as cluster, cluster.client() as client:
        (a,) = (w for w, known in client.scheduler_info(n_workers=-1)["workers"].items() if known["name"] == "task-a")
        held = client.submit(lambda: 1, workers=[a], pure=False)
        held.result()
        until(lambda: cluster.agent.protected("task-a"), 10)
        assert cluster.agent.of("task-a")[-1].body == {"ProtectionEnabled": True, "ExpiresInMinutes": 10}
        assert not cluster.agent.protected("task-b")
        del held
        until(lambda: not cluster.agent.protected("task-a"), 40)
        until(lambda: cluster.agent.of("task-b"), 20)
        assert [asked.protect for asked in cluster.agent.of("task-b")] == [False]  # whatever was there before it
