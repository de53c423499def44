"""What the tasks on Fargate call: client and workers through s3fs, the scheduler for its dashboard, ECS for a worker.

Client and workers live in one process here. Who calls is known all the same: what a worker's task does, and what s3fs
does for it on a thread of its own, runs in a context in which Dask names the worker. What pyarrow's own threads read of
Parquet counts as the client's, which reads the same objects.
"""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import s3fs
from distributed import LocalCluster, Scheduler, get_worker

from dashboard import target_group
from jobs.runtime import protection
from jobs.runtime.__main__ import main
from jobs.runtime.outputs import RunFolder
from jobs.runtime.storage import open_source, resolve
from jobspec import InputChanged, InputFile
from tests.architecture.iam.calls import Call
from tests.architecture.iam.scenarios import Stage, scenario
from tests.oracle.hostile_parquet import parquet
from tests.oracle.sheet import Sheet
from tests.servers.ecs_agent import ecs_agent
from tests.servers.s3 import S3, s3_server

CLIENT, WORKER, SCHEDULER = "ClientRole", "WorkerRole", "SchedulerRole"
TALLY, EXPORT = "explore-trips", "prepare-trips"  # jobs that count, and jobs that write trips


def _who() -> str:
    try:
        get_worker()
    except ValueError:
        return CLIENT
    return WORKER


class Storage:
    """S3 with the stack's results and its data: trips in every bucket that may hold some."""

    def __init__(self, stage: Stage, server: S3, folder: Path) -> None:
        self._server, self._stage = server, stage
        self.results = stage.stack.physical("ResultsBucket")
        self.data = stage.stack.value({"Ref": "DataBuckets"})
        for bucket in (self.results, *self.data):
            server.client.create_bucket(Bucket=bucket)
        sheet = Sheet.real("2018-01", rows=40)
        content = sheet.csv(folder / "trips.csv").read_bytes() + b"no trip\n"  # a line to be set aside
        for bucket in self.data:
            server.put(bucket, "in/trips.csv", content)
        server.put(self.data[0], "in/bad.csv", b"a,b\n1,2\n")
        server.put(self.results, "runs/earlier-1/a.parquet", parquet(sheet.table(), folder / "a.parquet").read_bytes())
        self.trips = [*(f"s3://{bucket}/in/trips.csv" for bucket in self.data), self.uri("earlier-1/a.parquet")]

    def uri(self, name: str) -> str:
        return f"s3://{self.results}/runs/{name}"

    def refuse(self, method: str, name: str) -> None:
        self._server.refused[f"{method} /{self.results}/runs/{name}"] = ("403 Forbidden", "AccessDenied")

    def prepare(self, run_id: str, job: str, trips: list[str]) -> list[str]:
        """Lay down what submit lays down; the client's arguments, as the state machine gives them."""
        spec = {"job": job, "params": {"trips": trips}}
        inputs = [pinned.model_dump() for pinned in resolve(trips)]
        for name, document in (("spec.json", spec), ("inputs.json", inputs)):
            self._server.put(self.results, f"runs/{run_id}/{name}", json.dumps(document).encode())
        places = ["--spec", self.uri(f"{run_id}/spec.json"), "--inputs", self.uri(f"{run_id}/inputs.json")]
        return [*places, "--results", f"s3://{self.results}", "--run-id", run_id]


@contextmanager
def _storage(stage: Stage) -> Iterator[Storage]:
    with s3_server() as server, TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", server.url)
        s3fs.S3FileSystem.clear_instance_cache()  # those that were made before are not recorded
        try:
            yield Storage(stage, server, Path(folder))
        finally:
            s3fs.S3FileSystem.clear_instance_cache()


@contextmanager
def _cluster() -> Iterator[list[str]]:
    """One worker; the client's arguments for it."""
    with LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        processes=False,
        protocol="tcp",
        host="127.0.0.1",
        dashboard_address=None,
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
        silence_logs=50,
    ) as cluster:
        yield ["--scheduler", cluster.scheduler_address, "--workers", "1", "--start-seconds", "20"]


# ---- client, and workers for it


@scenario(CLIENT)
def runs_of_every_kind_and_one_that_fails(stage: Stage) -> None:
    with _storage(stage) as storage, _cluster() as cluster:
        for job in (TALLY, EXPORT):
            arguments = storage.prepare(f"{job}-1", job, storage.trips)
            with stage.recorder.acting_as(_who):
                assert main([*arguments, *cluster]) == 0
        arguments = storage.prepare("bad-1", EXPORT, [*storage.trips, f"s3://{storage.data[0]}/in/bad.csv"])
        with stage.recorder.acting_as(_who):
            assert main([*arguments, *cluster]) == 3
    assert {call.actor for call in stage.recorder.calls} == {CLIENT, WORKER}


# ---- either of them


def inputs_that_are_gone(stage: Stage) -> None:
    """S3 says so to whoever may list the bucket, and 403 to others."""
    with _storage(stage) as storage:
        for bucket in (*storage.data, storage.results):
            pinned = InputFile(uri=f"s3://{bucket}/runs/gone/trips.csv", bytes=1, etag="e")
            with stage.acting(), pytest.raises(InputChanged):
                open_source(pinned)


def files_so_large_that_they_go_up_in_parts(stage: Stage) -> None:
    content = bytes(100 * 2**20)  # from here on s3fs uploads in parts
    with _storage(stage) as storage:
        folder = RunFolder(f"s3://{storage.results}", "large-1")
        with stage.acting():
            folder.put("large.parquet", content)
        storage.refuse("PUT", "large-1/refused.parquet")
        with stage.acting(), pytest.raises(PermissionError):
            folder.put("refused.parquet", content)
    assert stage.recorder.calls[-1].operation == "AbortMultipartUpload"


for _role in (CLIENT, WORKER):
    for _play in (inputs_that_are_gone, files_so_large_that_they_go_up_in_parts):
        scenario(_role)(_play)


# ---- worker


@scenario(WORKER)
def a_task_that_is_protected_and_then_not(stage: Stage) -> None:
    """ECS's agent asks for it in the name of the task's role: "Amazon ECS task scale-in protection endpoint"."""
    cluster = stage.stack.physical("Cluster")
    with ecs_agent() as agent:
        for protect in (True, False):
            asyncio.run(protection.tell(f"{agent.url}/task-a/task-protection/v1/state", protect))
    for asked in agent.asked:
        parameters: dict[str, Any] = {"cluster": cluster, "tasks": [asked.task], "protectionEnabled": asked.protect}
        stage.recorder.calls.append(Call("ecs", "UpdateTaskProtection", parameters, stage.actor))


# ---- scheduler


@scenario(SCHEDULER)
def a_dashboard_that_is_found_and_lost(stage: Stage) -> None:
    (container,) = stage.stack.properties("SchedulerTask")["ContainerDefinitions"]
    environment = {each["Name"]: each["Value"] for each in container["Environment"]}

    async def come_and_go() -> None:
        quiet = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
        async with Scheduler(host="127.0.0.1", port=0, **quiet) as scheduler:
            await target_group.dask_setup(scheduler)
            await target_group.dask_teardown(scheduler)

    with pytest.MonkeyPatch.context() as patch, stage.acting():
        patch.setenv(target_group.TARGET_GROUP, environment[target_group.TARGET_GROUP])
        asyncio.run(come_and_go())
    assert [call.operation for call in stage.recorder.calls] == ["RegisterTargets", "DeregisterTargets"]
