"""Trips, specs and results in S3 are what they are on this machine."""

import json
from pathlib import Path

import pytest

from jobs.runtime import storage
from jobs.runtime.__main__ import main
from jobs.runtime.run import run_spec
from jobs.runtime.storage import open_source, resolve
from jobspec import InputChanged, InputUnavailable, NoCredentials, NoInputs, TooManyInputs, UnreadableFile
from tests.functional.runtime.runs import spec_of, told
from tests.servers.s3 import S3

Files = dict[str, list[Path]]


@pytest.fixture
def stored(s3: S3, trip_files: Files) -> S3:
    for files in trip_files.values():
        for path in files:
            s3.put("trips", f"in/{path.name}", path.read_bytes())
    s3.asked.clear()
    return s3


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("named", ["by name", "by wildcard"])
def test_the_same_answers_as_on_this_machine(
    form: str, named: str, stored: S3, trip_files: Files, expected: dict[str, str], tmp_path: Path
) -> None:
    names = [path.name for path in trip_files[form]] if named == "by name" else [f"yellow_*-0?.{form}"]
    spec = spec_of([f"s3://trips/in/{name}" for name in names])
    outcome = run_spec(spec, results=str(tmp_path), report=False)
    assert told(outcome) == expected[form]
    assert [one.uri for one in outcome.result.inputs] == [f"s3://trips/in/{path.name}" for path in trip_files[form]]
    assert [one.rows for one in outcome.result.inputs] == [400, 400, 400]


def test_a_run_from_spec_to_result_in_s3(
    stored: S3, expected: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    document = {"job": "explore-trips", "params": {"trips": ["s3://trips/in/yellow_*.csv"]}}
    stored.put("trips", "specs/one.json", json.dumps(document).encode())
    stored.asked.clear()
    assert main(["--spec", "s3://trips/specs/one.json", "--results", "s3://results/team"]) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["state"] == "SUCCEEDED"
    key = last["result"].removeprefix("s3://results/")
    assert key == f"team/runs/{last['run_id']}/result.json"
    result = json.loads(stored.get("results", key))
    assert json.dumps([result["answers"], result["quality"]]) == expected["csv"]

    folder = key.removesuffix("result.json")
    written = stored.written("results")
    assert written[0] == folder + "spec.json"
    assert written[-1] == key
    assert written.count(key) == 1
    assert set(written) == set(stored.keys("results"))
    assert {folder + output["path"] for output in result["outputs"]} == set(written) - {key, folder + "spec.json"}
    for output in result["outputs"]:
        assert len(stored.get("results", folder + output["path"])) == output["bytes"]


def test_prepared_trips_and_their_quarantine_in_s3(stored: S3, trip_files: Files, tmp_path: Path) -> None:
    spec = spec_of(trip_files["csv"], "prepare-trips")
    here, there = (run_spec(spec, results=results, report=False) for results in (str(tmp_path), "s3://results"))
    assert there.result.outputs == here.result.outputs
    for output in there.result.outputs:
        key = there.result_path.removeprefix("s3://results/").replace("result.json", output.path)
        assert stored.get("results", key) == (Path(here.result_path).parent / output.path).read_bytes()


def test_the_next_attempt_and_a_failed_one(stored: S3) -> None:
    good, bad = (
        spec_of(["s3://trips/in/yellow_tripdata_2018-01.csv"], "vendor-summary"),
        spec_of(["s3://trips/in/x.csv"]),
    )
    first, second = (run_spec(good, results="s3://results", report=False) for _ in range(2))
    assert first.run_id.removesuffix("-1") == second.run_id.removesuffix("-2")
    stored.put("trips", "in/x.csv", b"a,b\n1,2\n")
    with pytest.raises(UnreadableFile):
        run_spec(bad, results="s3://results", run_id="failing-1")
    left = [key for key in stored.keys("results") if "failing-1" in key]
    assert left == ["runs/failing-1/error.json", "runs/failing-1/spec.json"]
    problem = json.loads(stored.get("results", left[0]))
    assert problem["type"] == "urn:dispatch:error:unreadable-file"
    assert "s3://trips/in/x.csv" in problem["detail"]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_an_object_overwritten_after_planning_fails_the_run_by_name(
    form: str, stored: S3, trip_files: Files, tmp_path: Path
) -> None:
    one, other = trip_files[form][:2]
    spec = spec_of([f"s3://trips/in/{one.name}"])
    pinned = resolve(spec.params.trips)  # type: ignore[attr-defined]
    stored.put("trips", f"in/{one.name}", other.read_bytes())
    with pytest.raises(InputChanged, match=f"s3://trips/in/{one.name}"):
        run_spec(spec, results=str(tmp_path), inputs=pinned)


def test_an_object_overwritten_or_deleted_while_it_is_read(stored: S3) -> None:
    uri = "s3://trips/in/yellow_tripdata_2018-01.csv"
    (pinned,) = resolve([uri])
    with open_source(pinned) as source:
        assert source.read(0, 5) == b"Vendo"
        stored.put("trips", "in/yellow_tripdata_2018-01.csv", b"another\n")
        with pytest.raises(InputChanged, match=uri):
            source.read(0, 5)
    stored.client.delete_object(Bucket="trips", Key="in/yellow_tripdata_2018-01.csv")
    with pytest.raises(InputChanged, match="nothing"):
        open_source(pinned)


@pytest.mark.parametrize("pattern", ["s3://trips/in/absent.csv", "s3://trips/in/absent-*.csv", "s3://no-bucket/x.csv"])
def test_what_is_not_there(pattern: str, stored: S3) -> None:
    with pytest.raises(NoInputs) as failure:
        resolve([pattern])
    assert failure.value.pattern == pattern


def test_what_may_not_be_read(stored: S3) -> None:
    stored.refused["/trips/in/yellow_tripdata_2018-01.csv"] = ("403 Forbidden", "AccessDenied")
    with pytest.raises(InputUnavailable, match=r"s3://trips/in/yellow_tripdata_2018-01\.csv"):
        resolve(["s3://trips/in/yellow_tripdata_2018-01.csv"])


@pytest.mark.parametrize("asked", ["HEAD", "GET"])
@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("503 Slow Down", "SlowDown"),
        ("503 Service Unavailable", "RequestLimitExceeded"),
        ("502 Bad Gateway", "BadGateway"),
        ("500 Internal Server Error", "InternalError"),
        ("429 Too Many Requests", "TooManyRequests"),
        ("403 Forbidden", "AccessDenied"),
        ("403 Forbidden", "RequestTimeTooSkewed"),
        ("400 Bad Request", "ExpiredToken"),
        ("400 Bad Request", "InvalidToken"),
        ("400 Bad Request", "ThrottlingException"),
    ],
)
def test_a_refused_object_is_unavailable_and_never_skipped(
    status: str, code: str, asked: str, stored: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither when it is opened nor when it is read: an answer over some of the files would look like a whole one."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr("s3fs.S3FileSystem.retries", 1)
    spec = spec_of(["s3://trips/in/yellow_*.csv"], on_bad_file="skip")
    pinned = resolve(spec.params.trips)  # type: ignore[attr-defined]
    stored.refused[f"{asked} /trips/in/yellow_tripdata_2018-02.csv"] = (status, code)
    with pytest.raises(InputUnavailable, match="2018-02"):
        run_spec(spec, results=str(tmp_path), inputs=pinned)


def test_no_credentials(stored: S3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(NoCredentials, match=r"Unable to locate credentials; log in .* or set AWS_PROFILE"):
        resolve(["s3://trips/in/yellow_tripdata_2018-01.csv"])


def test_more_objects_than_a_run_may_read(stored: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    assert storage.MAX_INPUTS == 10_000
    monkeypatch.setattr(storage, "MAX_INPUTS", 5)
    with pytest.raises(TooManyInputs, match="6 files match; a run reads at most 5"):
        resolve(["s3://trips/in/*.csv", "s3://trips/in/*.parquet"])
