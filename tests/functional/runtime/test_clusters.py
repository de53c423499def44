"""A run answers the same on threads, on processes of its own and on a shared cluster, whatever befalls the workers."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dask
import pytest
from distributed import Client, LocalCluster

from jobs.runtime import cluster, execution
from jobs.runtime.code_version import CODE_VERSION
from jobs.runtime.progress import Event, silent
from jobs.runtime.run import Outcome, run_spec
from jobs.runtime.tripfile import TripFile, Unit
from jobspec import InputFile, LostWorkers, NoWorkers, OutOfMemory, Superseded
from tests.functional.runtime.runs import spec_of, told
from tests.servers.web import Gate, web_server

Files = dict[str, list[Path]]


def a_cluster(workers: int, **options: Any) -> LocalCluster:
    return LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=None,
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
        silence_logs=50,
        **options,
    )


@pytest.fixture(scope="module")
def four() -> Iterator[LocalCluster]:
    """A cluster of four workers that runs share."""
    with a_cluster(4) as shared:
        yield shared


@pytest.fixture
def seen(four: LocalCluster) -> Iterator[Client]:
    """Somebody who looks at the cluster."""
    with Client(four, set_as_default=False) as client:
        yield client


def claims(client: Client) -> dict[str, str]:
    return dict(client.run_on_scheduler(cluster._claims))


def assert_unclaimed(shared: LocalCluster) -> None:
    """All four workers can be had."""
    with cluster.shared_cluster(shared.scheduler_address, "looks", 4, silent, 20) as all_of_them:
        assert len(all_of_them.workers) == 4


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_same_answers_from_workers_that_are_shared(
    form: str, four: LocalCluster, trip_files: Files, expected: dict[str, str], tmp_path: Path
) -> None:
    outcome = run_spec(
        spec_of(trip_files[form]), results=str(tmp_path), scheduler=four.scheduler_address, workers=3, report=False
    )
    assert told(outcome) == expected[form]
    environment = outcome.result.environment
    assert (environment["executor"], environment["workers"], environment["workers_wanted"]) == ("distributed", 3, 3)
    assert_unclaimed(four)


def test_the_same_answers_from_processes_of_its_own_with_dasks_report(
    trip_files: Files, expected: dict[str, str], tmp_path: Path
) -> None:
    """However few trips there are: they were asked for."""
    events: list[Event] = []
    outcome = run_spec(spec_of(trip_files["csv"]), results=str(tmp_path), workers=2, progress=events.append)
    assert told(outcome) == expected["csv"]
    environment = outcome.result.environment
    assert (environment["executor"], environment["workers"], environment["threads"]) == ("distributed", 2, 2)
    assert_reported(outcome, events)


def test_a_process_may_run_more_than_one_spec(trip_files: Files, tmp_path: Path) -> None:
    """A fresh one, in which the run itself is the first to load what it needs of Dask."""
    code = f"""
from jobs.runtime.run import run_spec
from tests.functional.runtime.runs import spec_of
if __name__ == "__main__":
    for _ in range(2):
        spec = spec_of([{str(trip_files["csv"][0])!r}], "vendor-summary")
        print(run_spec(spec, results={str(tmp_path)!r}, report=False, workers=1).result.answers["trips"], flush=True)
"""
    script = tmp_path / "twice.py"
    script.write_text(code)
    ended = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=120, env=os.environ | {"PYTHONPATH": "."}
    )
    assert ended.returncode == 0, ended.stderr
    first, second = ended.stdout.split()
    assert first == second


def test_the_same_answers_from_threads_with_dasks_report(
    trip_files: Files, expected: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there are many trips and few cores."""
    monkeypatch.setattr(execution, "LARGE", 0)
    monkeypatch.setattr(execution, "FEW_CORES", 1000)
    events: list[Event] = []
    outcome = run_spec(spec_of(trip_files["csv"]), results=str(tmp_path), progress=events.append)
    assert told(outcome) == expected["csv"]
    environment = outcome.result.environment
    assert (environment["executor"], environment["workers"]) == ("distributed", 1)
    assert environment["threads"] == len(os.sched_getaffinity(0))
    assert environment["worker_memory_bytes"] > 2**28
    assert_reported(outcome, events)
    assert "Memory: 0 B" not in (Path(outcome.result_path).parent / "dask-report.html").read_text()


def assert_reported(outcome: Outcome, events: list[Event]) -> None:
    assert Event("compute", 3, 3) in events
    assert events[-1] == Event("done")
    pages = {output.name: output for output in outcome.result.outputs if output.media_type == "text/html"}
    assert set(pages) == {"report", "dask-report"}
    page = (Path(outcome.result_path).parent / "dask-report.html").read_text()
    assert "Content-Security-Policy" in page
    assert outcome.run_id in page or "answer" in page


def test_no_dask_report_where_none_was_asked_for(four: LocalCluster, trip_files: Files, tmp_path: Path) -> None:
    spec = spec_of(trip_files["csv"][:1], "trip-duration")
    outcome = run_spec(spec, results=str(tmp_path), scheduler=four.scheduler_address, workers=1, report=False)
    assert not [output for output in outcome.result.outputs if output.media_type == "text/html"]


def test_what_a_run_holds_does_not_grow_with_its_units(trip_files: Files, tmp_path: Path) -> None:
    """They are merged as they come, and Dask knows how large what is left is."""
    for number in range(64):
        shutil.copy(trip_files["csv"][0], tmp_path / f"part-{number:02}_2018-01.csv")
    held: list[int] = []
    with a_cluster(2, processes=False, protocol="tcp://") as two:

        def look(event: Event) -> None:
            if event.stage == "compute" and event.done:
                sizes = [task.nbytes for task in list(two.scheduler.tasks.values()) if task.state == "memory"]
                assert all(size > 10_000 for size in sizes)
                held.append(len(sizes))

        options: dict[str, Any] = {"scheduler": two.scheduler_address, "workers": 2, "report": False}
        outcome = run_spec(
            spec_of([tmp_path / "part-*.csv"]), results=str(tmp_path / "results"), progress=look, **options
        )
    assert len(outcome.result.inputs) == len(held) == 64
    # A level of the tree waits for fewer than it merges at a time; beside them is what two workers do just now.
    assert max(held) <= 2 * execution.FAN_IN + 8


def test_workers_of_another_version_of_the_code_are_refused(
    four: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CODE_VERSION, "v2")
    waited = cluster.shared_cluster(four.scheduler_address, "waited", 2, silent, 20)
    with pytest.raises(Superseded, match="submit the spec again") as caught, waited:
        pass
    monkeypatch.delenv(CODE_VERSION)
    assert (caught.value.ours, caught.value.theirs) == ("v2", [version("dispatch-jobs")])
    assert_unclaimed(four)


def test_half_of_the_workers_will_do(four: LocalCluster, trip_files: Files, tmp_path: Path) -> None:
    outcome = run_spec(
        spec_of(trip_files["csv"][:1], "trip-duration"),
        results=str(tmp_path),
        scheduler=four.scheduler_address,
        workers=8,
        start_seconds=1,
        report=False,
    )
    environment = outcome.result.environment
    assert (environment["workers"], environment["workers_wanted"]) == (4, 8)


def test_less_than_half_will_not(four: LocalCluster, trip_files: Files, tmp_path: Path) -> None:
    with pytest.raises(NoWorkers, match="waited 1 s for 9 workers"):
        run_spec(
            spec_of(trip_files["csv"]),
            results=str(tmp_path),
            scheduler=four.scheduler_address,
            workers=9,
            start_seconds=1,
        )
    assert_unclaimed(four)
    ((error,),) = ([json.loads(path.read_text()) for path in tmp_path.rglob("error.json")],)
    assert error["type"] == "urn:dispatch:error:no-workers"


@pytest.mark.parametrize(("asked", "wanted"), [("auto", 1), (2, 2)])
def test_the_spec_says_how_many_workers(
    asked: Any, wanted: int, four: LocalCluster, trip_files: Files, tmp_path: Path
) -> None:
    spec = spec_of(trip_files["csv"][:1], "trip-duration")
    spec = spec.model_copy(update={"cluster": spec.cluster.model_copy(update={"workers": asked})})
    outcome = run_spec(spec, results=str(tmp_path), scheduler=four.scheduler_address, report=False)
    assert outcome.result.environment["workers_wanted"] == wanted


def test_two_runs_of_the_same_work_share_no_worker(
    four: LocalCluster, seen: Client, trip_files: Files, expected: dict[str, str], tmp_path: Path
) -> None:
    with web_server() as web:
        addresses = [web.put(f"/{path.name}", path.read_bytes()) for path in trip_files["csv"]]
        web.before_answer = gate = Gate(free=2 * 3 * 2)  # both runs look at each file twice

        def go(name: str) -> Any:
            return run_spec(
                spec_of(addresses),
                results=str(tmp_path / name),
                scheduler=four.scheduler_address,
                workers=2,
                report=False,
            )

        with ThreadPoolExecutor(2) as pool:
            runs = [pool.submit(go, name) for name in ("one", "other")]
            gate.wait_for(4)
            held = claims(seen)
            gate.open()
            outcomes = [each.result(timeout=60) for each in runs]
    assert len(held) == 4
    assert sorted(list(held.values()).count(client) for client in set(held.values())) == [2, 2]
    assert [told(outcome) for outcome in outcomes] == [expected["csv"]] * 2
    assert_unclaimed(four)


@pytest.mark.parametrize("killed", [1, 2])
def test_workers_that_are_killed_are_replaced(
    killed: int, four: LocalCluster, seen: Client, trip_files: Files, expected: dict[str, str], tmp_path: Path
) -> None:
    """One, or all, of the two workers of a run."""
    with web_server() as web:
        addresses = [web.put(f"/{path.name}", path.read_bytes()) for path in trip_files["csv"]]
        web.before_answer = gate = Gate(free=2 * 3)
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(
                run_spec,
                spec_of(addresses),
                results=str(tmp_path),
                scheduler=four.scheduler_address,
                workers=2,
                report=False,
            )
            gate.wait_for(2)
            for process in list(seen.run(os.getpid, workers=list(claims(seen))[:killed]).values()):
                os.kill(process, signal.SIGKILL)
            gate.open()
            outcome = running.result(timeout=60)
    assert told(outcome) == expected["csv"]


def test_the_claims_of_a_client_that_died_are_void(four: LocalCluster, seen: Client) -> None:
    seen.wait_for_workers(4, timeout=30)
    code = f"""
import time
from jobs.runtime.cluster import shared_cluster
from jobs.runtime.progress import silent
with shared_cluster({four.scheduler_address!r}, "dies-1", 4, silent, 30):
    print("claimed", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "claimed\n"
        assert len(claims(seen)) == 4
        process.kill()
    assert_unclaimed(four)


def test_a_task_that_takes_its_workers_memory_ends_as_out_of_memory() -> None:
    """Dask gives a task up when it has cost two workers; the second is the first one, started again."""
    file = TripFile(InputFile(uri="s3://trips/greedy.parquet", bytes=1, etag=""), "parquet")

    def hoard(unit: Unit) -> None:
        import time

        kept = []
        while True:
            kept.append(b"x" * 50_000_000)
            time.sleep(0.02)

    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        a_cluster(1, memory_limit="300MB") as small,
        cluster.shared_cluster(small.scheduler_address, "hoard-1", 1, silent) as ours,
        pytest.raises(OutOfMemory, match=r"reads s3://trips/greedy\.parquet"),
    ):
        list(ours.as_completed(ours.start({"hoard": (hoard, Unit(file, 0, 1, 1))}, ["hoard"])))


@pytest.mark.parametrize("gone", ["workers", "scheduler"])
def test_when_everything_is_gone_the_run_ends(gone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "LOST_SECONDS", 0.5)
    monkeypatch.setattr(cluster, "_POLL_SECONDS", 0.2)
    with (
        a_cluster(1, processes=False, protocol="tcp://") as small,
        cluster.shared_cluster(small.scheduler_address, "lost-1", 1, silent) as ours,
    ):
        small.scale(0)
        ours.client.retire_workers()
        tasks = ours.start({"lost": (os.getpid,)}, ["lost"])
        if gone == "scheduler":
            small.close()
        with pytest.raises(LostWorkers):
            list(ours.as_completed(tasks))


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://x"])
def test_no_scheduler(address: str, trip_files: Files, tmp_path: Path) -> None:
    with pytest.raises(LostWorkers, match=address):
        run_spec(spec_of(trip_files["csv"]), results=str(tmp_path), scheduler=address, start_seconds=1)
