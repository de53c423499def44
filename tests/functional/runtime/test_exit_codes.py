"""Every documented error ends a run with its documented exit code, told on standard output and in the run's folder."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import jobs
from jobs.runtime import run, storage
from jobs.runtime.__main__ import main
from jobspec import ERRORS, Registry
from tests.oracle.sheet import DATA

YELLOW = DATA / "yellow_tripdata_2018-01.csv"
GREEN = DATA / "green_tripdata_2021-01.parquet"
PAGE = Path("docs/generated/errors.md")

Way = Callable[[Path, pytest.MonkeyPatch], tuple[dict[str, Any], list[str]]]


def trips(*paths: object) -> dict[str, Any]:
    return {"job": "trip-duration", "params": {"trips": [str(path) for path in paths]}}


def no_folder_to_write_to(tmp_path: Path, patch: pytest.MonkeyPatch) -> tuple[dict[str, Any], list[str]]:
    (tmp_path / "results").write_text("a file")
    return trips(YELLOW), []


def broken_report(tmp_path: Path, patch: pytest.MonkeyPatch) -> tuple[dict[str, Any], list[str]]:
    def report(answers: Any) -> Any:
        return answers["no such answer"]

    patch.setattr(run, "JOBS", Registry([replace(jobs.JOBS["trip-duration"], report=report)]))
    return trips(YELLOW), []


def broken(tmp_path: Path, patch: pytest.MonkeyPatch) -> tuple[dict[str, Any], list[str]]:
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")
    return trips(tmp_path / "broken.parquet"), []


def too_many(tmp_path: Path, patch: pytest.MonkeyPatch) -> tuple[dict[str, Any], list[str]]:
    patch.setattr(storage, "MAX_INPUTS", 1)
    return trips(YELLOW, GREEN), []


def changed(tmp_path: Path, patch: pytest.MonkeyPatch) -> tuple[dict[str, Any], list[str]]:
    pinned = {"uri": str(YELLOW.absolute()), "bytes": 12, "etag": "of old"}
    (tmp_path / "inputs.json").write_text(json.dumps([pinned]))
    return trips(YELLOW), ["--inputs", str(tmp_path / "inputs.json")]


def out_of_memory(tmp_path: Path, patch: pytest.MonkeyPatch) -> tuple[dict[str, Any], list[str]]:
    def hoard(params: Any) -> Any:
        return bytearray(2**62)

    registry = Registry([replace(jobs.JOBS["trip-duration"], questions=hoard)])
    patch.setattr(jobs, "JOBS", registry)
    patch.setattr(run, "JOBS", registry)
    return trips(YELLOW), []


WAYS: dict[str, Way] = {
    "internal": broken_report,
    "bad-spec": lambda tmp_path, patch: ({"job": "nope"}, []),
    "bad-results": no_folder_to_write_to,
    "no-inputs": lambda tmp_path, patch: (trips(tmp_path / "absent-*.csv"), []),
    "too-many-inputs": too_many,
    "unreadable-file": broken,
    "input-changed": changed,
    "input-unavailable": lambda tmp_path, patch: (trips("http://127.0.0.1:1/x.csv"), []),
    "mixed-taxis": lambda tmp_path, patch: (trips(YELLOW, GREEN), []),
    "out-of-memory": out_of_memory,
    "lost-workers": lambda tmp_path, patch: (
        trips(YELLOW),
        ["--scheduler", "tcp://127.0.0.1:1", "--start-seconds", "1"],
    ),
}
# Provoked where the means are at hand, or by no run at all.
ELSEWHERE = {
    **dict.fromkeys(("no-workers", "superseded"), "test_clusters.py"),
    "no-credentials": "test_s3.py",
    "cancelled": "test_interrupted_runs.py",
    "interrupted": "test_interrupted_runs.py",
    "bad-data": "the parent of the errors of data; nothing raises it itself",
    "illegal-transition": "of a run's row, not of a run",
    "bad-job": "of the catalogue as it is imported",
    **dict.fromkeys(
        ("timed-out", "no-capacity", "not-found", "not-ready", "already-exists", "unanswered"),
        "of a stack, not of the container",
    ),
    **dict.fromkeys(("refused", "over-budget", "too-many-workers", "queue-full"), "of a submission to a stack"),
}


def documented() -> dict[str, int]:
    """The table of errors in the docs: {code: exit code}."""
    rows = [line.split("|") for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    return {row[1].strip(" `"): int(row[2]) for row in rows}


def test_every_documented_error_is_provoked_and_every_error_is_documented() -> None:
    assert WAYS.keys() | ELSEWHERE.keys() == documented().keys() == {error.code for error in ERRORS}


@pytest.mark.parametrize("code", WAYS)
@pytest.mark.parametrize("named", [(), ("--run-id", "mine-1")], ids=["unnamed", "named"])
def test_a_way_to_each(
    code: str,
    named: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    document, options = WAYS[code](tmp_path, monkeypatch)
    spec, results = tmp_path / "spec.json", tmp_path / "results"
    spec.write_text(json.dumps(document))
    status = main(["--spec", str(spec), "--results", str(results), *options, *named])
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert status == documented()[code] == told["exit_code"]
    assert told["state"] == "FAILED"
    assert told["error"]["type"] == f"urn:dispatch:error:{code}"
    assert told["error"]["detail"]
    assert not list(tmp_path.rglob("result.json"))
    left_by = next((left.parent.name for left in tmp_path.rglob("error.json")), None)
    assert told["run_id"] == ("mine-1" if named else left_by)
    for left in tmp_path.rglob("error.json"):
        assert json.loads(left.read_text())["type"] == f"urn:dispatch:error:{code}"
    if named and code != "bad-results":  # there is nowhere to write to
        expected = {"error.json"} if code == "bad-spec" else {"error.json", "spec.json"}
        assert {path.name for path in (results / "runs" / "mine-1").iterdir()} == expected


def test_a_spec_that_is_not_there(tmp_path: Path) -> None:
    assert main(["--spec", str(tmp_path / "absent"), "--results", str(tmp_path), "--run-id", "mine-1"]) == 2
    assert "absent" in json.loads((tmp_path / "runs" / "mine-1" / "error.json").read_text())["detail"]


@pytest.mark.parametrize("run_id", ["../elsewhere", "", "Mine", "a" * 81])
def test_a_run_id_that_is_none_leaves_nothing(run_id: str, tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text(json.dumps(trips(YELLOW)))
    before = sorted(tmp_path.rglob("*"))
    assert main(["--spec", str(tmp_path / "spec.json"), "--results", str(tmp_path), "--run-id", run_id]) == 2
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ("[{", "is not JSON"),
        ("{}", "lists no inputs, got {}; allowed: a JSON list"),
        ("[]", "lists no inputs"),
        ('["x"]', "/0: wrong type in"),
        ('[{"uri": "x", "bytes": "many"}]', "/0/bytes: wrong type in"),
        ('[{"uri": "x", "bytes": -1, "etag": "e"}]', "/0/bytes: out of range in"),
        ('[{"uri": "x", "bytes": 1, "etag": "e", "rose": 1}]', 'did you mean "rows"?'),
        (None, "cannot be read"),
    ],
)
def test_a_broken_list_of_inputs(inputs: str | None, said: str, tmp_path: Path) -> None:
    """The error names the document, what is wrong with it and what is allowed."""
    spec, listed = tmp_path / "spec.json", tmp_path / "listed.json"
    spec.write_text(json.dumps(trips(YELLOW)))
    if inputs is not None:
        listed.write_text(inputs)
    options = ["--results", str(tmp_path), "--run-id", "mine-1", "--inputs", str(listed)]
    assert main(["--spec", str(spec), *options]) == 2
    folder = tmp_path / "runs" / "mine-1"
    assert {path.name for path in folder.iterdir()} == {"error.json", "spec.json"}
    detail = json.loads((folder / "error.json").read_text())["detail"]
    assert said in detail
    assert str(listed) in detail
    assert "allowed: " in detail
    assert "pydantic" not in detail
