"""The image's roles as processes that talk TLS on loopback: who may join, what they show, and how they end."""

import contextlib
import json
import os
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import urllib3
from distributed import Client

from jobs.runtime import tls
from tests.functional.runtime.runs import spec_of
from tests.servers.certificates import dispatch_tls
from tests.servers.containers import Container, container
from tests.servers.ecs_agent import EcsAgent, ecs_agent

Files = dict[str, list[Path]]
HERE = ("--host", "127.0.0.1")
ANY_PORT = ("--port", "0", "--http-port", "0")


@pytest.fixture(scope="module")
def keys() -> str:
    return dispatch_tls()


@pytest.fixture(scope="module")
def agent() -> Iterator[EcsAgent]:
    with ecs_agent() as running:
        yield running


@pytest.fixture(scope="module")
def scheduler(keys: str) -> Iterator[Container]:
    with container("scheduler", *HERE, *ANY_PORT, DISPATCH_TLS=keys) as running:
        running.wait_for("listening")
        yield running


@pytest.fixture(scope="module")
def address(scheduler: Container) -> str:
    return str(scheduler.wait_for("listening")["address"])


@pytest.fixture(scope="module")
def worker(address: str, keys: str, agent: EcsAgent) -> Iterator[Container]:
    ecs = agent.environment("task-one")
    with container("worker", *HERE, DISPATCH_TLS=keys, DISPATCH_SCHEDULER=address, **ecs) as running:
        running.wait_for("listening")
        yield running


@pytest.fixture
def inside(address: str, keys: str) -> Iterator[Client]:
    """Somebody who has the key."""
    with Client(address, security=tls.security({tls.TLS: keys}), set_as_default=False) as client:
        yield client


def run(address: str | None, trips: list[Path], results: Path, **environment: str) -> Container:
    """The role `client`, ended."""
    results.mkdir(exist_ok=True)
    (results / "spec.json").write_text(spec_of(trips, "trip-duration").model_dump_json(include={"job", "params"}))
    options = ["--spec", str(results / "spec.json"), "--results", str(results), "--start-seconds", "2"]
    if address:
        options += ["--scheduler", address, "--workers", "1"]
    with container("client", *options, **environment) as client:
        client.ended()
    return client


def outcome(client: Container) -> dict[str, Any]:
    assert client.process.stdout is not None
    told: dict[str, Any] = json.loads(client.process.stdout.read().splitlines()[-1])
    return told


def test_a_run_over_tls_names_its_workers(
    worker: Container, address: str, keys: str, trip_files: Files, tmp_path: Path
) -> None:
    client = run(address, trip_files["csv"], tmp_path, DISPATCH_TLS=keys)
    told = outcome(client)
    assert (client.process.returncode, told["state"]) == (0, "SUCCEEDED"), client.told()
    environment = json.loads(Path(told["result"]).read_text())["environment"]
    assert environment["worker_names"] == ["task-one"]
    assert client.unreadable == []
    assert environment["workers"] == 1


def test_every_line_that_is_logged_is_json_and_none_holds_the_key(
    worker: Container, scheduler: Container, keys: str, inside: Client
) -> None:
    inside.submit(pow, 2, 3).result()
    lines = [line for line in json.loads(keys)["key"].splitlines() if "-----" not in line]
    for role in (worker, scheduler):
        assert role.unreadable == []
        assert {"time", "level", "logger", "message"} <= set.intersection(*(set(line) for line in role.lines))
        assert not [line for line in lines if line in json.dumps(role.lines)]


def test_jobs_do_not_see_the_key_and_have_the_memory_settings(worker: Container, inside: Client) -> None:
    environment = inside.submit(lambda: dict(os.environ), pure=False).result()
    assert tls.TLS not in environment
    assert {"MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "ARROW_DEFAULT_MEMORY_POOL"} <= environment.keys()


def test_a_worker_is_as_large_as_its_task(address: str, keys: str) -> None:
    """Whatever the machine below it has."""
    with ecs_agent() as large:
        large.vcpus, large.memory_mebibytes = 4, 1024
        ecs = large.environment("task-large")
        with container("worker", *HERE, "--scheduler", address, DISPATCH_TLS=keys, **ecs) as running:
            told = running.wait_for("listening")
    assert (told["name"], told["threads"], told["memory_bytes"]) == ("task-large", 4, (1024 - 256) * 2**20)


def test_the_scheduler_shows_its_health_and_its_metrics_and_no_pages(scheduler: Container, worker: Container) -> None:
    url = f"http://127.0.0.1:{scheduler.wait_for('listening')['http_port']}"
    assert urllib3.request("GET", f"{url}/health", timeout=60).data == b"ok"
    assert b"\ndask_scheduler_workers{" in urllib3.request("GET", f"{url}/metrics", timeout=60).data
    for page in ("/status", "/info/main/workers.html", "/json/identity.json"):
        assert urllib3.request("GET", url + page, timeout=60).status == 404


def test_the_dashboard_where_it_is_asked_for(keys: str) -> None:
    with container("scheduler", *HERE, *ANY_PORT, "--dashboard", DISPATCH_TLS=keys) as running:
        url = f"http://127.0.0.1:{running.wait_for('listening')['http_port']}"
        assert urllib3.request("GET", f"{url}/status", timeout=60).status == 200
        assert urllib3.request("GET", f"{url}/health", timeout=60).data == b"ok"
        running.stop()
        assert running.ended() == 0


def test_a_worker_process_that_dies_is_replaced_under_the_same_name(worker: Container, inside: Client) -> None:
    (before,) = inside.run(os.getpid).values()
    os.kill(before, signal.SIGKILL)
    after = inside.submit(os.getpid, pure=False).result(timeout=30)
    assert after != before
    assert [known["name"] for known in inside.scheduler_info(n_workers=-1)["workers"].values()] == ["task-one"]
    assert worker.process.poll() is None


# ------------------------------------------------------------------------------------------------------ who is let in


def test_a_client_without_the_key_is_refused(
    worker: Container, address: str, trip_files: Files, tmp_path: Path
) -> None:
    foreign = run(address, trip_files["csv"], tmp_path / "foreign", DISPATCH_TLS=dispatch_tls())
    keyless = run(address, trip_files["csv"], tmp_path / "keyless")
    plain = run(address.replace("tls://", "tcp://"), trip_files["csv"], tmp_path / "plain")
    for client in (foreign, keyless, plain):
        told = outcome(client)
        assert (client.process.returncode, told["error"]["type"]) == (5, "urn:dispatch:error:lost-workers")
        if client is keyless:
            assert "DISPATCH_TLS is not set" in told["error"]["detail"]


def test_a_client_with_the_key_does_not_talk_in_the_clear(keys: str, trip_files: Files, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as open_to_all:
        port = open_to_all.getsockname()[1]
        client = run(f"tcp://127.0.0.1:{port}", trip_files["csv"], tmp_path, DISPATCH_TLS=keys)
    assert client.process.returncode == 5
    assert "encryption" in outcome(client)["error"]["detail"]


def test_the_schedulers_port_takes_no_plain_bytes_and_no_old_tls(address: str) -> None:
    host, port = address.removeprefix("tls://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as plain:
        plain.sendall(b"hello, in the clear\n" * 100)
        with contextlib.suppress(ConnectionResetError):
            assert b"hello" not in plain.recv(1000)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection((host, int(port)), timeout=10) as old, pytest.raises((ssl.SSLError, OSError)):
        context.wrap_socket(old)


def test_a_worker_with_a_foreign_key_does_not_join(worker: Container, address: str, inside: Client) -> None:
    with container("worker", *HERE, "--scheduler", address, DISPATCH_TLS=dispatch_tls()) as foreign:
        assert foreign.ended() == 1
    assert foreign.unreadable == []
    assert len(inside.scheduler_info(n_workers=-1)["workers"]) == 1


@pytest.mark.parametrize("role", ["scheduler", "worker"])
def test_without_a_key_there_is_no_cluster(role: str) -> None:
    arguments = ANY_PORT if role == "scheduler" else ("--scheduler", "tls://127.0.0.1:1")
    with container(role, *HERE, *arguments) as refused:
        assert refused.ended() == 1
    assert "DISPATCH_TLS is not set" in refused.told()


# ------------------------------------------------------------------------------------------------------ how they end


def test_a_worker_waits_for_a_scheduler_that_starts_later(keys: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with container("worker", *HERE, "--scheduler", f"tls://127.0.0.1:{port}", DISPATCH_TLS=keys) as early:
        early.wait_for("looking")
        time.sleep(1)
        with container("scheduler", *HERE, "--port", str(port), "--http-port", "0", DISPATCH_TLS=keys) as late:
            early.wait_for("listening")
            late.stop()
            assert late.ended() == 0
        early.stop()
        assert early.ended() in (0, 1)  # without its scheduler it may have gone first


def test_sigterm_while_a_worker_looks_for_its_scheduler(keys: str) -> None:
    with container("worker", *HERE, "--scheduler", "tls://127.0.0.1:1", DISPATCH_TLS=keys) as alone:
        alone.wait_for("looking")
        alone.stop()
        assert alone.ended(10) == 0


def test_a_worker_that_is_told_to_stop_leaves_no_process_behind(address: str, keys: str) -> None:
    with container("worker", *HERE, "--scheduler", address, DISPATCH_TLS=keys) as running:
        running.wait_for("listening")
        family = psutil.Process(running.process.pid).children(recursive=True)
        assert family
        running.stop()
        assert running.ended(30) == 0
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
