"""Trips on web servers, well behaved and badly."""

import json
import subprocess
import sys
import traceback
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import urllib3
from click.testing import CliRunner

from cli.main import main
from jobs.runtime import web as web_source
from jobs.runtime.run import run_spec
from jobs.runtime.storage import open_source, resolve
from jobspec import DispatchError, InputChanged, InputUnavailable, NoInputs, UnreadableFile
from tests.functional.runtime.runs import spec_of, told
from tests.servers.web import Web, web_server

Files = dict[str, list[Path]]
PATH = "/yellow_tripdata_2018-01.csv"


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    # Waits between tries are there for the sake of real servers.
    monkeypatch.setattr(urllib3.Retry, "sleep", lambda *_: None)
    with web_server() as server:
        yield server


@pytest.fixture
def csv(trip_files: Files) -> bytes:
    return trip_files["csv"][0].read_bytes()


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("validator", ["strong", "weak", "time"])
@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "no ranges"])
def test_the_same_answers_as_on_this_machine(
    form: str, validator: str, ranges: bool, web: Web, trip_files: Files, expected: dict[str, str], tmp_path: Path
) -> None:
    web.validator, web.ranges = validator, ranges
    addresses = [web.put(f"/{path.name}", path.read_bytes()) for path in trip_files[form]]
    outcome = run_spec(spec_of(addresses), results=str(tmp_path), report=False)
    assert told(outcome) == expected[form]
    assert web.downloads() == (0 if ranges else 3)


SECRET = "c0ffee"
QUERY = f"?X-Amz-Credential=key%2F1&X-Amz-Signature={SECRET}"


@pytest.mark.parametrize("job", ["explore-trips", "prepare-trips"])
def test_a_signature_is_neither_shown_nor_kept(job: str, web: Web, csv: bytes, tmp_path: Path) -> None:
    """By a run that also skips a file, sets trips and lines aside, and is told by the command line."""
    good = web.put(PATH + QUERY, csv + b"1,2\n")
    bad = web.put(f"/bad.parquet{QUERY}", b"PAR1 and no more")
    empty = web.put(f"/empty.csv{QUERY}", b"")
    spec = tmp_path / "mine.json"
    spec.write_text(json.dumps({"job": job, "params": {"trips": [good, bad, empty], "on_bad_file": "skip"}}))
    shown = CliRunner().invoke(main, ["run", str(spec), "--results", str(tmp_path / "results")])
    assert shown.exit_code == 0, shown.output
    (result,) = (tmp_path / "results").rglob("result.json")
    told = json.loads(result.read_text())
    assert {one["uri"] for one in told["inputs"]} == {
        address.partition("?")[0] + "?..." for address in (good, bad, empty)
    }
    assert told["quality"]["lines_set_aside"]
    texts = {path.name: path.read_bytes() for path in (tmp_path / "results").rglob("*") if path.is_file()}
    assert {"spec.json", "result.json", "report.html"} < texts.keys()
    for name, text in (texts | {"output": shown.output.encode()}).items():
        assert SECRET.encode() not in text, name
    if job == "prepare-trips":
        assert set(pq.read_table(result.parent / "quarantine.parquet")["file"].to_pylist()) == {f"{web.url}{PATH}?..."}


@pytest.mark.parametrize("status", [301, 403, 404, 503, 0])
def test_a_signature_is_in_no_error(status: int, web: Web, csv: bytes, tmp_path: Path) -> None:
    address = web.put(PATH + QUERY, csv) if status else f"http://127.0.0.1:1{PATH}{QUERY}"
    web.status = {PATH + QUERY: status}
    spec = tmp_path / "mine.json"
    spec.write_text(json.dumps({"job": "trip-duration", "params": {"trips": [address]}}))
    shown = CliRunner().invoke(main, ["run", str(spec), "--results", str(tmp_path), "--json"])
    assert shown.exit_code == 3
    assert f"{PATH}?..." in json.loads(shown.stdout)["error"]["detail"]
    assert SECRET not in shown.output


def test_nor_in_the_error_that_a_run_leaves(web: Web, tmp_path: Path) -> None:
    address = web.put(f"/bad.parquet{QUERY}", b"PAR1 and no more")
    with pytest.raises(UnreadableFile) as failure:
        run_spec(spec_of([address]), results=str(tmp_path))
    assert SECRET not in "".join(traceback.format_exception(failure.value))
    for path in tmp_path.rglob("*.json"):
        assert SECRET not in path.read_text()


def test_a_server_that_answers_no_head(web: Web, csv: bytes) -> None:
    web.heads = False
    (pinned,) = resolve([web.put(PATH, csv)])
    assert pinned.bytes == len(csv)


def test_a_download_is_made_once_while_there_is_room_and_leaves_nothing(web: Web, csv: bytes, tmp_path: Path) -> None:
    """However the process ends: here by SIGKILL, from itself."""
    web.ranges = False
    address = web.put(PATH, csv)
    code = f"""
import os, signal
from jobs.runtime.storage import open_source, resolve
(pinned,) = resolve([{address!r}])
for start in (5, 5000, 0):
    with open_source(pinned) as source:
        assert not source.ranged
        print(source.read(start, start + 4), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    environment = {"TMPDIR": str(tmp_path)}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert ended.stdout.splitlines() == [repr(csv[at : at + 4]) for at in (5, 5000, 0)], ended.stderr
    assert web.downloads() == 1
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_serves_no_ranges_and_tells_no_length(
    web: Web, trip_files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.ranges = web.lengths = False
    here = trip_files["csv"][0]
    address = web.put(PATH, here.read_bytes())
    outcome = run_spec(spec_of([address]), results=str(tmp_path), report=False)
    assert told(outcome) == told(run_spec(spec_of([here]), results=str(tmp_path), report=False))
    assert outcome.result.inputs[0].bytes == here.stat().st_size
    monkeypatch.setattr(web_source, "MAX_DOWNLOAD", 1000)
    with pytest.raises(UnreadableFile, match="more than 1,000 bytes"):
        resolve([address])


def test_a_download_is_bounded(web: Web, csv: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(web_source, "MAX_DOWNLOAD", len(csv) - 1)
    web.ranges = False
    with pytest.raises(UnreadableFile, match="serves no ranges"):
        run_spec(spec_of([web.put(PATH, csv)]), results=str(tmp_path))
    assert web.downloads() == 0


def test_downloads_make_room_for_others(
    web: Web, trip_files: Files, expected: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """All the files together are larger than what may be on disk, and are looked at and read at once."""
    sizes = [path.stat().st_size for path in trip_files["csv"]]
    monkeypatch.setattr(web_source, "MAX_DOWNLOAD", max(sizes) + 1)
    web.ranges = False
    addresses = [web.put(f"/{path.name}", path.read_bytes()) for path in trip_files["csv"]]
    outcome = run_spec(spec_of(addresses), results=str(tmp_path), report=False)
    assert told(outcome) == expected["csv"]


@pytest.mark.parametrize("status", [403, 429, 500, 503])
def test_a_refusal_is_not_absence(status: int, web: Web, csv: bytes, tmp_path: Path) -> None:
    """Neither when the file is sought nor when it is read, and on_bad_file: skip does not skip it."""
    spec = spec_of([web.put(PATH, csv)], on_bad_file="skip")
    pinned = resolve(spec.params.trips)  # type: ignore[attr-defined]
    web.status[PATH] = status
    with pytest.raises(InputUnavailable, match=f"{PATH} .*{status}"):
        resolve(spec.params.trips)  # type: ignore[attr-defined]
    with pytest.raises(InputUnavailable, match=f"{PATH} .*{status}"):
        run_spec(spec, results=str(tmp_path), inputs=pinned)


def test_a_refusal_that_passes_is_waited_out(web: Web, csv: bytes) -> None:
    address = web.put(PATH, csv)
    web.status[PATH] = 503

    def recover(method: str, path: str) -> None:
        if len(web.asked) == 3:
            web.status.clear()

    web.before_answer = recover
    assert resolve([address])[0].bytes == len(csv)


def test_a_server_cannot_make_us_wait_for_long(web: Web, csv: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.undo()
    monkeypatch.setattr("time.sleep", waits.append)
    web.status[PATH], web.headers = 429, {"Retry-After": "86400"}
    with pytest.raises(InputUnavailable):
        resolve([web.put(PATH, csv)])
    assert waits
    assert max(waits) <= 30


@pytest.mark.parametrize("status", [404, 410])
def test_absence(status: int, web: Web) -> None:
    web.status[PATH] = status
    with pytest.raises(NoInputs, match=PATH):
        resolve([web.url + PATH])


def test_nobody_there(web: Web) -> None:
    with web_server() as gone:
        pass
    with pytest.raises(InputUnavailable, match=PATH):
        resolve([gone.url + PATH])


@pytest.mark.parametrize("validator", ["strong", "weak", "time"])
@pytest.mark.parametrize("heeds_conditions", [True, False])
@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "no ranges"])
def test_a_file_changed_in_mid_run_fails_the_run_by_name(
    validator: str, heeds_conditions: bool, ranges: bool, web: Web, trip_files: Files, tmp_path: Path
) -> None:
    web.validator, web.heeds_conditions, web.ranges = validator, heeds_conditions, ranges
    address = web.put(PATH, trip_files["csv"][0].read_bytes())

    def change(method: str, path: str) -> None:
        if method == "GET":
            web.files[PATH] = trip_files["csv"][1].read_bytes()

    web.before_answer = change
    with pytest.raises(InputChanged, match=PATH):
        run_spec(spec_of([address]), results=str(tmp_path))


@pytest.mark.parametrize("content", [None, b"short"])
def test_a_file_that_shrank_or_vanished_has_changed(content: bytes | None, web: Web, csv: bytes) -> None:
    web.heeds_conditions = False
    (pinned,) = resolve([web.put(PATH, csv)])
    if content is None:
        del web.files[PATH]
    else:
        web.files[PATH] = content
    with open_source(pinned) as source, pytest.raises(InputChanged):
        source.read(100, 200)


@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "no ranges"])
def test_a_truncated_body_is_not_taken_for_the_file(ranges: bool, web: Web, csv: bytes, tmp_path: Path) -> None:
    web.ranges = ranges
    spec = spec_of([web.put(PATH, csv)], on_bad_file="skip")
    web.truncated = True
    with pytest.raises(InputUnavailable, match=PATH):
        run_spec(spec, results=str(tmp_path))


@pytest.mark.parametrize("broken", [1, 2, 3])
@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "no ranges"])
def test_a_body_that_breaks_off_is_asked_for_again(
    ranges: bool, broken: int, web: Web, trip_files: Files, tmp_path: Path
) -> None:
    """Whichever of the server's answers it is."""
    web.ranges = ranges
    here = trip_files["csv"][0]
    address = web.put(PATH, here.read_bytes())
    gets = count(1)

    def break_off(method: str, path: str) -> None:
        web.truncated = method == "GET" and next(gets) == broken

    web.before_answer = break_off
    outcome = run_spec(spec_of([address]), results=str(tmp_path), report=False)
    assert next(gets) > broken
    assert told(outcome) == told(run_spec(spec_of([here]), results=str(tmp_path), report=False))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_refused(status: int, web: Web, csv: bytes) -> None:
    web.put("/elsewhere.csv", csv)
    web.status[PATH], web.headers = status, {"Location": "/elsewhere.csv"}
    with pytest.raises(UnreadableFile, match=f"{PATH} .*/elsewhere.csv.*{status}.*redirects are not followed"):
        resolve([web.url + PATH])
    assert all(path == PATH for _, path, _ in web.asked)


def test_a_file_without_a_version_is_refused(web: Web, csv: bytes) -> None:
    web.validator = "none"
    with pytest.raises(DispatchError, match="neither ETag nor Last-Modified"):
        resolve([web.put(PATH, csv)])
