"""`dispatch`, as people and scripts see it."""

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.main import main
from jobs import JOBS
from jobs.runtime import run
from jobspec import Registry
from tests.oracle.sheet import DATA

YELLOW = DATA / "yellow_tripdata_2018-01.csv"
SPEC = {"job": "vendor-summary", "params": {"trips": [str(YELLOW)]}}


def dispatch(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, list(arguments), input=stdin)


@pytest.fixture
def spec(tmp_path: Path) -> str:
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(SPEC))
    return str(path)


def test_jobs_are_listed() -> None:
    lines = dispatch("jobs").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(JOBS)
    listed = json.loads(dispatch("jobs", "--json").stdout)
    assert listed == [{"name": job.name, "description": job.description} for job in JOBS.values()]


@pytest.mark.parametrize("name", JOBS)
def test_a_job_is_described_with_all_its_params(name: str) -> None:
    shown = dispatch("jobs", name)
    assert shown.exit_code == 0
    assert JOBS[name].description in shown.stdout
    for param, field in JOBS[name].params.model_fields.items():
        assert f"  {param}  (" in shown.stdout
        assert str(field.description) in shown.stdout
    described = json.loads(dispatch("jobs", name, "--json").stdout)
    assert described["name"] == name
    assert described["spec"]["properties"]["job"]


def test_an_unknown_job_is_met_with_a_suggestion() -> None:
    shown = dispatch("jobs", "vendor-sumary")
    assert shown.exit_code == 7
    assert "did you mean 'vendor-summary'?" in shown.stderr
    told = json.loads(dispatch("jobs", "vendor-sumary", "--json").stdout)
    assert told["state"] == "FAILED"
    assert told["error"]["type"] == "urn:dispatch:error:not-found"
    assert told["error"]["suggestion"] == "vendor-summary"


def test_a_good_spec(spec: str) -> None:
    assert dispatch("validate", spec).stdout == f"{spec}: a good spec of vendor-summary\n"
    canonical = json.loads(dispatch("validate", "-", "--json", stdin=json.dumps(SPEC)).stdout)
    assert canonical["params"]["keep"] == "plausible"
    assert canonical["limits"]["timeout_minutes"] == 60


def test_a_bad_spec_hears_of_everything_at_once() -> None:
    bad = {"job": "vendor-summary", "params": {"trip": ["x.csv"], "keep": "some"}, "limits": {"timeout_minutes": 0}}
    shown = dispatch("validate", "-", stdin=json.dumps(bad))
    assert shown.exit_code == 2
    for pointer in ("/params/trip:", "/params/keep:", "/params/trips:", "/limits/timeout_minutes:"):
        assert pointer in shown.stderr
    assert 'did you mean "trips"?' in shown.stderr
    assert "Traceback" not in shown.stderr


@pytest.mark.parametrize("missing", ["no-such-file.json", "/", "ftp://host/spec.json"])
def test_a_spec_that_cannot_be_read(missing: str) -> None:
    shown = dispatch("run", missing, "--results", "nowhere", "--json")
    assert shown.exit_code == 2
    assert missing in json.loads(shown.stdout)["error"]["detail"]
    assert not Path("nowhere").exists()


@pytest.mark.parametrize(
    ("results", "reason"),
    [
        ("https://host/results", "nothing is written through https://"),
        ("gs://bucket", "nothing is written through gs://"),
        ("s3://", "it names no bucket"),
        ("s3:///x", "it names no bucket"),
        ("", "it names no folder"),
        ("file://", "it names no folder"),
        ("/dev/null", "Not a directory"),
        ("/proc/x", "No such file or directory"),
        (str(YELLOW), "exists|Not a directory"),
    ],
)
def test_results_can_be_written_to_folders_and_s3_only(
    results: str, reason: str, spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = dispatch("run", spec, "--results", results, "--json")
    assert shown.exit_code == 2
    told = json.loads(shown.stdout)["error"]
    assert told["type"] == "urn:dispatch:error:bad-results"
    assert re.search(reason, told["detail"])
    assert json.dumps(results) in told["detail"]
    assert "Traceback" not in shown.stderr
    assert os.listdir() == ["spec.json"]  # noqa: PTH208


def test_a_spec_that_is_too_large_is_told_its_size(tmp_path: Path) -> None:
    (tmp_path / "big.json").write_bytes(b" " * 10_000_000)
    shown = dispatch("validate", str(tmp_path / "big.json"))
    assert shown.exit_code == 2
    assert "too large, got 10,000,000 bytes; allowed: at most 262,144 bytes" in shown.stderr


def test_a_run_for_people(spec: str, tmp_path: Path) -> None:
    """Progress as lines of JSON where standard error is no terminal; the outcome on standard output."""
    shown = dispatch("run", spec, "--results", str(tmp_path))
    assert shown.exit_code == 0
    stages = [json.loads(line)["stage"] for line in shown.stderr.splitlines()]
    assert list(dict.fromkeys(stages)) == ["resolve", "plan", "compute", "present", "done"]
    assert "SUCCEEDED" in shown.stdout
    assert "10,000 trips read" in shown.stdout
    (page,) = re.findall(r"report: (\S+)", shown.stdout)
    assert Path(page).exists()


def test_a_run_for_scripts(spec: str, tmp_path: Path) -> None:
    shown = dispatch("run", spec, "--results", str(tmp_path), "--no-report", "--json")
    assert shown.exit_code == 0
    assert shown.stderr == ""
    told = json.loads(shown.stdout.splitlines()[-1])
    result = json.loads(Path(told["result"]).read_text())
    assert (told["run_id"], told["state"]) == (result["run_id"], "SUCCEEDED")
    assert not [output for output in result["outputs"] if output["media_type"] == "text/html"]


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_failure(options: Sequence[str], tmp_path: Path) -> None:
    bad = json.dumps({"job": "vendor-summary", "params": {"trips": [str(tmp_path / "absent.csv")]}})
    shown = dispatch("run", "-", "--results", str(tmp_path), *options, stdin=bad)
    assert shown.exit_code == 3
    assert "absent.csv" in shown.stderr
    assert "Traceback" not in shown.stderr
    if options:
        told = json.loads(shown.stdout.splitlines()[-1])
        assert (told["state"], told["error"]["type"]) == ("FAILED", "urn:dispatch:error:no-inputs")


def test_a_wildcard_that_meets_another_file_names_it_and_says_what_to_do(tmp_path: Path) -> None:
    everything = {"job": "vendor-summary", "params": {"trips": [f"{DATA}/yellow*", f"{DATA}/taxi*"]}}
    shown = dispatch("run", "-", "--results", str(tmp_path), stdin=json.dumps(everything))
    assert shown.exit_code == 3
    assert "taxi_zone_lookup.csv cannot be read: none of its columns is a trip's; it has 'LocationID'" in shown.stderr
    assert '"on_bad_file": "skip"' in shown.stderr
    everything["params"]["on_bad_file"] = "skip"  # type: ignore[index]
    shown = dispatch("run", "-", "--results", str(tmp_path), stdin=json.dumps(everything))
    assert shown.exit_code == 0
    assert "taxi_zone_lookup.csv: none of its columns" in shown.stdout


def test_a_failure_that_nobody_foresaw(spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def report(answers: Any) -> Any:
        return answers["no such answer"]

    monkeypatch.setattr(run, "JOBS", Registry([replace(JOBS["vendor-summary"], report=report)]))
    shown = dispatch("run", spec, "--results", str(tmp_path), "--json")
    assert shown.exit_code == 1
    told = json.loads(shown.stdout)
    assert told["error"]["type"] == "urn:dispatch:error:internal"
    (error,) = tmp_path.rglob("error.json")
    assert told["run_id"] == error.parent.name == json.loads(error.read_text())["run_id"]


def started(script: str, *arguments: str, folder: str = ".") -> "subprocess.CompletedProcess[str]":
    """The command as it is installed, in a process of its own, after the script; what the folder holds comes first."""
    code = f"import sys\nsys.argv = {['dispatch', *arguments]!r}\n{script}\nfrom cli.start import main\nmain()"
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=120)


# Whoever runs the tests in the background has it ignored, and so everything that they start.
INTERRUPT_AT = """
import os, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
"""


@pytest.mark.parametrize("module", ["click", "jobs.explore_trips", "jobs.runtime.run", "pyarrow"])
def test_ctrl_c_while_it_starts(module: str, spec: str, tmp_path: Path) -> None:
    ended = started(INTERRUPT_AT.format(module=module), "run", spec, "--results", str(tmp_path), "--json")
    assert ended.returncode == 130, ended.stderr
    assert "Traceback" not in ended.stderr
    told = json.loads(ended.stdout.splitlines()[-1])
    assert (told["state"], told["error"]["type"]) == ("CANCELLED", "urn:dispatch:error:interrupted")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ('"""Broken."""\n\ndef (:\n', "SyntaxError: invalid syntax (broken.py, line 3)"),
        ('"""Broken."""\nimport no_such_module\n', "cannot be imported at line 2: ModuleNotFoundError"),
        ('"""Broken."""\n', "missing SIZE"),
    ],
)
def test_a_broken_job_is_told_by_its_file_and_line(source: str, reason: str, tmp_path: Path) -> None:
    shutil.copytree("jobs", tmp_path / "jobs", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "jobs" / "broken.py").write_text(source)
    ended = started("", "jobs", "--json", folder=str(tmp_path))
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    error = json.loads(ended.stdout.splitlines()[-1])["error"]
    assert error["type"] == "urn:dispatch:error:bad-job"
    assert error["detail"].startswith("jobs/broken.py: ")
    assert reason in error["detail"]


@pytest.mark.parametrize("command", [(), ("jobs",), ("validate",), ("run",)])
def test_help(command: Sequence[str]) -> None:
    shown = dispatch(*command, "--help")
    assert shown.exit_code == 0
    assert shown.stdout.startswith("Usage:")
    assert all(len(line) <= 110 for line in shown.stdout.splitlines())


def test_the_installed_command_draws_a_bar_on_a_terminal(spec: str, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = [Path(sys.executable).with_name("dispatch"), "run", spec, "--results", str(tmp_path), "--no-report"]
    environment: Any = os.environ | {"TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environment)
    os.close(theirs)
    drawn = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        drawn += piece
    os.close(ours)
    assert process.wait(timeout=30) == 0
    process.communicate()
    assert "━".encode() in drawn
    assert b"Reading and computing" in drawn
    assert b'"event"' not in drawn
    counts = re.findall(rb"Writing tables and the report[^/]*?(\d+)/(\S)", drawn)
    assert counts, "the last stage was not drawn"
    assert set(counts) == {(b"1", b"1")}, "the bar went back"
