"""The image, but for Docker: its pinned install in a clean environment, its compiled loops, its roles started there."""

import json
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from benchmarks.image import BASE_MB, LIMIT_MB, PAGE, ROOT, install, megabytes, sizes
from jobs import JOBS
from tests.servers.certificates import dispatch_tls
from tests.servers.containers import container
from tests.servers.ecs_agent import ecs_agent

DOCKERFILE = (ROOT / "Dockerfile").read_text()
DATA = ROOT / "examples" / "data"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
TRIPLES = {"amd64": "x86_64-unknown-linux-gnu", "arm64": "aarch64-unknown-linux-gnu"}
HERE = ("--host", "127.0.0.1")


def variables(architecture: str) -> dict[str, str]:
    """What ENV sets in the final stage of the Dockerfile on that architecture."""
    stages: dict[str, dict[str, str]] = {}
    found: dict[str, str] = {}
    for line in DOCKERFILE.splitlines():
        if start := re.fullmatch(r"FROM (\S+)(?: AS (\S+))?", line):
            parent = start[1].replace("${TARGETARCH}", architecture)
            found = dict(stages.get(parent, {}))
            stages[start[2] or "final"] = found
        elif line.startswith("ENV "):
            found |= dict(pair.split("=", 1) for pair in line.removeprefix("ENV ").split())
    return {name: value.strip('"') for name, value in stages["final"].items()}


class Image:
    """What a container of the image would find."""

    def __init__(self, folder: Path) -> None:
        self.python = install(folder / "packages")
        self.home = folder / "home"
        self.home.mkdir()
        self.environment = variables(ARCHITECTURES[platform.machine()]) | {
            "PATH": f"{self.python.parent}:/usr/bin:/bin",
            "HOME": str(self.home),
            "NUMBA_CACHE_DIR": str(self.home / "numba"),
        }
        warm = re.search(r"^RUN python (-m jobs\.runtime\.warm)$", DOCKERFILE, re.MULTILINE)
        assert warm, "the Dockerfile does not warm the cache"
        self.run(*warm[1].split())

    def run(self, *arguments: str, **environment: str) -> str:
        """The standard output of its Python, far from this repository."""
        command = [str(self.python), *arguments]
        ended = subprocess.run(
            command, env=self.environment | environment, cwd=self.home, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def kept(self) -> dict[str, int]:
        """The compiled code: {file: when it was written}."""
        return {str(path): path.stat().st_mtime_ns for path in (self.home / "numba").rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return Image(tmp_path_factory.mktemp("image"))


# Runs every job on real trips in one process; prints how often compiled code was found and how often it was not.
EVERY_JOB = """
import gc, json, sys
from numba.core.dispatcher import Dispatcher
from jobs import JOBS
from jobs.runtime.run import run_spec
from jobspec import parse_spec
for name, trips in json.load(open(sys.argv[1])):
    for published in (False, True):
        spec = parse_spec({"job": name, "params": {"trips": trips, "as_published": published}}, JOBS)
        run_spec(spec, results=sys.argv[2], report=False)
found = [each.stats for each in gc.get_objects() if isinstance(each, Dispatcher)]
print(json.dumps({kind: sum(sum(getattr(s, f"cache_{kind}").values()) for s in found) for kind in ("hits", "misses")}))
"""
ONE_LOOP = """
import json, numpy
from jobs.runtime import kernels
kernels.count_non_finite(numpy.zeros(3))
print(json.dumps(sum(kernels.count_non_finite.stats.cache_misses.values())))
"""


def test_no_job_compiles_anything_in_a_new_process(image: Image, tmp_path: Path) -> None:
    yellow = [str(path) for path in sorted(DATA.glob("yellow_tripdata_*"))]
    green = [str(DATA / "green_tripdata_2021-01.parquet")]
    work = tmp_path / "work.json"
    work.write_text(json.dumps([(name, trips) for name in JOBS for trips in (yellow, green)]))
    before = image.kept()
    told: dict[str, Any] = json.loads(image.run("-c", EVERY_JOB, str(work), str(tmp_path)).splitlines()[-1])
    assert told["hits"] > 0
    assert told["misses"] == 0
    assert image.kept() == before


@pytest.mark.parametrize("change", [{}, {"NUMBA_CPU_NAME": "generic"}, {"NUMBA_CPU_FEATURES": "+sse2"}])
def test_compiled_code_is_for_one_named_processor(image: Image, change: dict[str, str], tmp_path: Path) -> None:
    """With another name, or without the name of this machine, code is compiled: so the names must be the image's."""
    if change:
        change = change | {"NUMBA_CACHE_DIR": str(tmp_path)}  # the image's own stays as it is
    assert json.loads(image.run("-c", ONE_LOOP, **change)) == (1 if change else 0)


@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_the_processors_are_known_to_the_compiler(architecture: str, image: Image) -> None:
    """LLVM takes a name that it does not know for the plainest processor, and only says so."""
    named = variables(architecture)
    assert named["NUMBA_CPU_FEATURES"] == ""  # else those of the machine that it is built on
    code = f"""
import llvmlite.binding as llvm
llvm.initialize_all_targets()
llvm.Target.from_triple({TRIPLES[architecture]!r}).create_target_machine(cpu={named["NUMBA_CPU_NAME"]!r})
"""
    command = [str(image.python), "-c", code]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, env=image.environment, cwd=image.home)
    assert ended.stderr == ""


def test_the_cache_belongs_to_the_user_that_the_image_runs_as() -> None:
    """Numba passes over a cache that it may not write to."""
    final = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]
    steps = [line.split()[0] for line in final.splitlines() if line.startswith(("USER", "RUN python"))]
    assert steps == ["USER", "RUN"]
    assert variables("amd64")["NUMBA_CACHE_DIR"].startswith("/home/dispatch/")
    assert 'ENTRYPOINT ["python", "-m", "jobs.runtime.container"]' in final


def test_each_role_runs_from_it_over_tls(image: Image, tmp_path: Path) -> None:
    keys = {"DISPATCH_TLS": dispatch_tls()}
    options: dict[str, Any] = {"python": image.python, "folder": image.home, **image.environment, **keys}
    spec = tmp_path / "spec.json"
    trips = [str(path) for path in sorted(DATA.glob("yellow_tripdata_2018-*.csv"))]
    spec.write_text(json.dumps({"job": "explore-trips", "params": {"trips": trips}}))
    before = image.kept()
    with ecs_agent() as agent, container("scheduler", *HERE, "--port", "0", "--http-port", "0", **options) as scheduler:
        address = scheduler.wait_for("listening")["address"]
        with container("worker", *HERE, "--scheduler", address, **options, **agent.environment("task-a")) as worker:
            worker.wait_for("listening")
            arguments = ["--spec", str(spec), "--results", str(tmp_path), "--scheduler", address, "--workers", "1"]
            with container("client", *arguments, **options) as client:
                assert client.ended(120) == 0, client.told()
            worker.stop()
            assert worker.ended() == 0
        scheduler.stop()
        assert scheduler.ended() == 0
    result = json.loads(next(tmp_path.glob("runs/*/result.json")).read_text())
    assert result["environment"]["worker_names"] == ["task-a"]
    assert {output["name"] for output in result["outputs"]} >= {"report", "dask-report"}
    assert image.kept() == before


def test_it_is_as_small_as_it_is_said_to_be(image: Image) -> None:
    found = sizes(image.python)
    code = sum(path.stat().st_size for path in (image.home / "numba").rglob("*") if path.is_file())
    assert megabytes(sum(found.values()) + code) + BASE_MB < LIMIT_MB


def test_the_page_and_the_requirements_are_of_the_same_pins() -> None:
    pins = dict(re.findall(r"^([a-z0-9-]+)==([^ ]+)", (ROOT / "requirements-image.txt").read_text(), re.MULTILINE))
    shown = re.findall(r"^\| (\S+) \| (\S+) \| [\d.]+ \|$", PAGE.read_text(), re.MULTILINE)
    assert shown
    for name, version in shown:
        assert pins[name.lower().replace("_", "-")] == version, f"{name}: run `make image-size`"


def test_nothing_in_it_is_for_development_only() -> None:
    pinned = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements-image.txt").read_text(), re.MULTILINE))
    assert not pinned & {"boto3", "moto", "pytest", "duckdb", "polars", "rich", "hatchling", "scikit-learn", "cfn-lint"}
