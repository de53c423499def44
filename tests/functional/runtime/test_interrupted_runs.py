"""Runs that fail, are stopped or are killed leave no half of a result and no process behind."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from distributed import Client, LocalCluster

from jobs import JOBS
from jobs.runtime import cluster as cluster_module
from jobs.runtime.progress import Event
from jobs.runtime.run import run_spec
from jobspec import BadResults, Cancelled, Registry, RunState, UnreadableFile
from tests.functional.runtime.runs import spec_of, told
from tests.servers.s3 import S3
from tests.servers.web import Gate, Web, web_server

Files = dict[str, list[Path]]
PATH = "/yellow_tripdata_2018-01.csv"


@pytest.fixture
def web() -> Iterator[Web]:
    with web_server() as server:
        yield server


def held_up(web: Web, trips: bytes, paths: Sequence[str] = (PATH,)) -> tuple[list[str], Gate]:
    """The addresses of trips that can be planned but not read before the gate is opened."""
    addresses = [web.put(path, trips) for path in paths]
    web.before_answer = gate = Gate(free=2 * len(paths))  # of each its first bytes, then its head
    return addresses, gate


def started(
    tmp_path: Path, addresses: list[str], *options: str, job: str = "vendor-summary"
) -> tuple[subprocess.Popen[str], Path]:
    """A run in a process of its own and where its folder will be."""
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps({"job": job, "params": {"trips": addresses}}))
    results = tmp_path / "results"
    command = [sys.executable, "-m", "jobs.runtime", "--spec", str(spec), "--results", str(results), *options]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # whatever these tests are run by ignores
    )
    return process, results / "runs"


def a_cluster() -> LocalCluster:
    """A scheduler and a worker that runs may share, in a process of its own."""
    nowhere = {"dashboard_address": "127.0.0.1:0"}
    return LocalCluster(
        n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, scheduler_kwargs=nowhere
    )


def assert_nothing_runs(cluster: LocalCluster) -> None:
    def running(dask_worker: Any) -> int:
        return len(dask_worker.state.all_running_tasks)

    with Client(cluster.scheduler_address, set_as_default=False) as client:
        deadline = time.monotonic() + 30
        while any(client.run(running).values()):
            assert time.monotonic() < deadline, "a task does not end"
            time.sleep(0.05)


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def assert_gone(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=15)
    assert alive == []


def files_of(runs: Path) -> dict[str, list[str]]:
    return {run.name: sorted(str(file.relative_to(run)) for file in run.rglob("*")) for run in runs.iterdir()}


@pytest.mark.parametrize(
    ("files", "options"),
    [(1, ()), (2, ()), (1, ("--workers", "2"))],
    ids=["the main thread", "threads", "worker processes"],
)
def test_sigterm_ends_with_143_and_takes_everything_back(
    files: int, options: tuple[str, ...], web: Web, trip_files: Files, tmp_path: Path
) -> None:
    paths = [f"/yellow_tripdata_2018-0{month}.csv" for month in range(1, files + 1)]
    addresses, gate = held_up(web, trip_files["csv"][0].read_bytes(), paths)
    process, runs = started(tmp_path, addresses, *options)
    gate.wait_for(1)
    children = family(process)
    assert len(children) >= (2 if options else 0)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=60)
    gate.open()
    assert process.returncode == 143
    last = json.loads(out.splitlines()[-1])
    assert (last["exit_code"], last["error"]["type"]) == (143, "urn:dispatch:error:cancelled")
    assert list(files_of(runs).values()) == [["error.json", "spec.json"]]
    assert_gone(children)


@pytest.mark.parametrize("results", ["here", "in S3"])
def test_a_cancelled_run_waits_for_its_tasks_on_a_shared_cluster(
    results: str, web: Web, trip_files: Files, tmp_path: Path, s3: S3
) -> None:
    """Their parts would be written after everything was tidied up, and stay."""
    addresses, gate = held_up(web, trip_files["csv"][0].read_bytes())
    place = "s3://results/team" if results == "in S3" else str(tmp_path / "results")
    with a_cluster() as cluster:
        command = ["--scheduler", cluster.scheduler_address, "--results", place, "--workers", "1"]
        process, runs = started(tmp_path, addresses, *command, job="prepare-trips")
        gate.wait_for(1)
        process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=2)
        gate.open()
        process.communicate(timeout=60)
        assert process.returncode == 143
        assert_nothing_runs(cluster)
    if results == "in S3":
        left = sorted(key.rsplit("/", 1)[-1] for key in s3.keys("results"))
    else:
        (left,) = files_of(runs).values()
    assert left == ["error.json", "spec.json"]


def test_a_task_that_outlives_its_run_writes_nothing(
    web: Web, trip_files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_module, "DRAIN_SECONDS", 0.2)
    addresses, gate = held_up(web, trip_files["csv"][0].read_bytes())

    def stop(event: Event) -> None:
        if event.stage == "compute":
            gate.wait_for(1)
            raise Cancelled("enough")

    with a_cluster() as cluster:
        options: dict[str, Any] = {"results": str(tmp_path), "scheduler": cluster.scheduler_address, "workers": 1}
        with pytest.raises(Cancelled):
            run_spec(spec_of(addresses, "prepare-trips"), progress=stop, **options)
        gate.open()
        assert_nothing_runs(cluster)
    assert list(files_of(tmp_path / "runs").values()) == [["error.json", "spec.json"]]


def test_ctrl_c_ends_with_130_and_takes_everything_back(web: Web, trip_files: Files, tmp_path: Path) -> None:
    addresses, gate = held_up(web, trip_files["csv"][0].read_bytes())
    process, runs = started(tmp_path, addresses)
    gate.wait_for(1)
    process.send_signal(signal.SIGINT)
    gate.open()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    told = json.loads(out.splitlines()[-1])
    assert (told["state"], told["error"]["type"]) == ("CANCELLED", "urn:dispatch:error:interrupted")
    assert list(files_of(runs).values()) == [["error.json", "spec.json"]]


def test_sigterm_before_the_run_has_begun(tmp_path: Path) -> None:
    """While the spec is being read; it must not be lost, as it would be for process 1 of a container."""
    spec = tmp_path / "spec.json"
    os.mkfifo(spec)
    command = [sys.executable, "-m", "jobs.runtime", "--spec", str(spec), "--results", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process, spec.open("wb"):
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 143
    assert json.loads(out)["error"]["type"] == "urn:dispatch:error:cancelled"


def test_sigkill_leaves_no_result_and_the_next_attempt_is_the_second(
    web: Web, trip_files: Files, tmp_path: Path
) -> None:
    addresses, gate = held_up(web, trip_files["csv"][0].read_bytes())
    process, runs = started(tmp_path, addresses)
    gate.wait_for(1)
    process.kill()
    process.communicate(timeout=60)
    assert list(files_of(runs).values()) == [["spec.json"]]
    gate.open()
    outcome = run_spec(spec_of(addresses, "vendor-summary"), results=str(tmp_path / "results"), report=False)
    assert outcome.run_id.endswith("-2")
    assert outcome.state is RunState.SUCCEEDED


def test_a_failed_run_leaves_its_spec_and_its_error(tmp_path: Path, trip_files: Files) -> None:
    bad = tmp_path / "yellow_tripdata_2018-04.parquet"
    bad.write_bytes(trip_files["parquet"][0].read_bytes()[:-2000])
    with pytest.raises(UnreadableFile):
        run_spec(spec_of([*trip_files["csv"], bad]), results=str(tmp_path / "results"))
    ((run, left),) = files_of(tmp_path / "results" / "runs").items()
    assert left == ["error.json", "spec.json"]
    error = json.loads((tmp_path / "results" / "runs" / run / "error.json").read_text())
    assert error["type"] == "urn:dispatch:error:unreadable-file"
    assert bad.name in error["detail"]


def test_a_run_that_fails_at_its_report_takes_its_tables_back(tmp_path: Path, trip_files: Files) -> None:
    def report(answers: Any) -> Any:
        assert list(tmp_path.rglob("tables/vendors.csv"))
        raise ZeroDivisionError("a plot of nothing")

    registry = Registry([replace(JOBS["vendor-summary"], report=report)])
    with pytest.raises(ZeroDivisionError):
        run_spec(spec_of(trip_files["csv"], "vendor-summary"), registry, results=str(tmp_path))
    assert list(files_of(tmp_path / "runs").values()) == [["error.json", "spec.json"]]
    (error,) = [json.loads(path.read_text()) for path in tmp_path.rglob("error.json")]
    assert error["detail"] == "ZeroDivisionError: a plot of nothing"


def test_a_full_disk_holds_the_error_and_nothing_of_the_run(
    tmp_path: Path, trip_files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_bytes, room = Path.write_bytes, 3000

    def write_what_fits(path: Path, content: bytes) -> int:
        free = room - sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file())
        if len(content) > free:
            write_bytes(path, content[:free])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write_bytes(path, content)

    monkeypatch.setattr(Path, "write_bytes", write_what_fits)
    with pytest.raises(OSError, match="No space left"):
        run_spec(spec_of(trip_files["csv"], "top-fares"), results=str(tmp_path), report=False)
    assert list(files_of(tmp_path / "runs").values()) == [["error.json", "spec.json"]]
    room = 10
    with pytest.raises(BadResults, match="No space left"):
        run_spec(spec_of(trip_files["csv"], "top-fares"), results=str(tmp_path / "full"), report=False)
    assert list((tmp_path / "full" / "runs").iterdir()) == []


def test_another_try_at_the_same_run_leaves_nothing_of_the_first(tmp_path: Path, trip_files: Files) -> None:
    folder = tmp_path / "runs" / "mine-1"
    (folder / "tables").mkdir(parents=True)
    for name in ("inputs.json", "error.json", "result.json", "tables/old.csv"):
        (folder / name).write_text("{}")
    options: dict[str, Any] = {"results": str(tmp_path), "run_id": "mine-1", "report": False}
    outcome = run_spec(spec_of(trip_files["csv"][:1], "trip-duration"), **options)
    assert outcome.run_id == "mine-1"
    assert json.loads((folder / "result.json").read_text())["run_id"] == "mine-1"
    left = files_of(tmp_path / "runs")["mine-1"]
    assert "error.json" not in left
    assert "tables/old.csv" not in left
    assert {"inputs.json", "spec.json"} < set(left)


def test_attempts_at_the_same_work_are_counted(tmp_path: Path, trip_files: Files, expected: dict[str, str]) -> None:
    outcomes = [run_spec(spec_of(trip_files["csv"]), results=str(tmp_path), report=False) for _ in range(3)]
    assert [outcome.run_id[-2:] for outcome in outcomes] == ["-1", "-2", "-3"]
    assert {told(outcome) for outcome in outcomes} == {expected["csv"]}


def test_signals_are_as_before_when_a_run_has_ended(tmp_path: Path, trip_files: Files) -> None:
    before = signal.getsignal(signal.SIGTERM)
    run_spec(spec_of(trip_files["csv"][:1], "trip-duration"), results=str(tmp_path), report=False)
    assert signal.getsignal(signal.SIGTERM) is before
