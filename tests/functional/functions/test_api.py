"""The HTTP API: every route, and a problem for everything that goes wrong."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import urllib3

from functions.core import keys
from functions.core.ledger import QUEUE_LIMIT, Ticket
from jobs import JOBS
from jobspec import RunState, Unanswered
from jobspec.document import MAX_BYTES
from tests.fakes.stack import fake_wiring
from tests.functional.functions.http import Answer, ask

SPEC = {"job": "explore-trips", "params": {"trips": ["s3://data/trips/2018-*.csv"]}}
GOOD = json.dumps(SPEC).encode()
SCHEDULE = {"name": "monthly", "when": "cron(0 6 5 * ? *)", "timezone": "Asia/Tokyo", "spec": SPEC}


@pytest.fixture
def fake() -> Any:
    return fake_wiring()


def problem(answer: Answer, status: int, kind: str | None = None) -> Any:
    assert answer.status == status, answer
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["title"]
    assert answer.json["detail"]
    assert answer.json["type"] == (f"urn:dispatch:error:{kind}" if kind else "about:blank")
    return answer.json


def posted(stack: Any, **changes: Any) -> str:
    answer = ask(stack, "POST", "/runs", json.dumps(SPEC | changes).encode())
    assert answer.status == 202, answer
    run_id: str = answer.json["run_id"]
    return run_id


def test_a_spec_becomes_a_run_that_can_be_asked_for(stack: Any) -> None:
    answer = ask(stack, "POST", "/runs", GOOD)
    assert answer.status == 202
    assert answer.headers["content-type"] == "application/json"
    run = answer.json
    assert answer.headers["location"] == f"/runs/{run['run_id']}" == run["links"]["self"]
    assert (run["state"], run["trigger"], run["plan"]["files"]) == ("SUBMITTED", "api", 12)
    assert ask(stack, "GET", answer.headers["location"]).json == run
    assert "task_token" not in run


def test_the_same_key_is_the_same_run_and_another_spec_under_it_is_refused(fake: Any) -> None:
    key = {"Idempotency-Key": "k-1"}
    force = json.dumps(SPEC | {"force": True}).encode()
    first, second = (ask(fake, "POST", "/runs", force, key).json["run_id"] for _ in range(2))
    assert first == second
    assert ask(fake, "POST", "/runs", force, {"Idempotency-Key": "k-2"}).json["run_id"] != first
    assert "something else" in problem(ask(fake, "POST", "/runs", GOOD, key), 422, "refused")["detail"]
    for bad in ("", "x" * 256, "a b"):
        problem(ask(fake, "POST", "/runs", GOOD, {"Idempotency-Key": bad}), 400)


@pytest.mark.parametrize("run_id", ["x" * 2_049, "x" * 201, "%C3%BC" * 101])
def test_an_id_that_no_run_can_have_is_no_outage(run_id: str, stack: Any) -> None:
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/result")):
        problem(ask(stack, method, f"/runs/{run_id}{path}"), 404, "not-found")


def test_a_full_queue_is_a_matter_of_time(fake: Any) -> None:
    waiting = Ticket("another-run-1", 1, fake.clock.now(), 60)
    fake.ledger.ledger = replace(fake.ledger.ledger, queue=(waiting,) * QUEUE_LIMIT)
    assert "try again later" in problem(ask(fake, "POST", "/runs", GOOD), 503, "queue-full")["detail"]
    fake.ledger.ledger = replace(fake.ledger.ledger, queue=())
    assert ask(fake, "POST", "/runs", GOOD).status == 202


def test_a_dry_run_answers_with_the_plan(fake: Any) -> None:
    answer = ask(fake, "POST", "/runs?dry_run=true", GOOD)
    assert answer.status == 200
    assert answer.json["workers"] == 1
    assert answer.json["usd"] > 0
    assert not fake.runs.rows
    dear = json.dumps(SPEC | {"limits": {"max_cost_usd": 0.001}}).encode()
    assert problem(ask(fake, "POST", "/runs?dry_run=true", dear), 422, "over-budget")["max_cost_usd"] == 0.001


def test_what_is_wrong_with_a_spec_is_said_all_at_once(fake: Any) -> None:
    bad = b'{"job": "explore-trips", "params": {"trips": ["x.csv"], "tpo": 3}, "limit": {}}'
    pointers = [one["pointer"] for one in problem(ask(fake, "POST", "/runs", bad), 400, "bad-spec")["problems"]]
    assert pointers == ["/params/tpo", "/limit"]
    local = json.dumps({"job": "explore-trips", "params": {"trips": ["x.csv"]}}).encode()
    assert problem(ask(fake, "POST", "/runs", local), 400, "bad-spec")["problems"][0]["pointer"] == "/params/trips/0"
    for raw in (b"", b"{", b"[]", b"\xff\xfe{\0}\0", b'{"a": "\xe9"}', b"[" * 5000, b"\0"):
        problem(ask(fake, "POST", "/runs", raw), 400, "bad-spec")
    none = json.dumps({"job": "explore-trips", "params": {"trips": ["s3://data/none"]}}).encode()
    problem(ask(fake, "POST", "/runs", none), 422, "no-inputs")


def test_bodies_that_are_too_large_or_of_another_kind(fake: Any) -> None:
    problem(ask(fake, "POST", "/runs", b" " * (MAX_BYTES + 1)), 413)
    answer = ask(fake, "POST", "/runs", GOOD, {"Content-Type": "application/x-www-form-urlencoded"})
    problem(answer, 415)
    assert answer.headers["accept-post"] == "application/json"
    assert ask(fake, "POST", "/runs", GOOD, {"Content-Type": "application/json; charset=utf-8"}).status == 202


@pytest.mark.parametrize("path", ["/", "/run", "/runs/a/b", "/jobs/x/y", "/schedules/a/b", "/runs/ü/ü"])
def test_there_is_nothing_there(path: str, fake: Any) -> None:
    assert path in problem(ask(fake, "GET", path, path=path), 404)["detail"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/runs", "GET, POST"),
        ("POST", "/runs/a-1", "DELETE, GET"),
        ("DELETE", "/jobs", "GET"),
        ("POST", "/schedules/x", "DELETE, GET, PATCH"),
        ("HEAD", "/openapi.json", "GET"),
        ("OPTIONS", "/runs", "GET, POST"),
    ],
)
def test_methods_that_a_path_does_not_know(method: str, path: str, allowed: str, fake: Any) -> None:
    answer = ask(fake, method, path)
    problem(answer, 405)
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize(
    ("target", "parameter"),
    [
        ("/runs?limit=0", "limit"),
        ("/runs?limit=101", "limit"),
        ("/runs?limit=many", "limit"),
        ("/runs?state=DONE", "state"),
        ("/runs?label=team", "label"),
        ("/runs/a-1?wait=26", "wait"),
        ("/schedules?limit=51", "limit"),
    ],
)
def test_parameters_that_make_no_sense_are_named(target: str, parameter: str, fake: Any) -> None:
    assert parameter in [one["parameter"] for one in problem(ask(fake, "GET", target), 400)["problems"]]


def test_runs_are_listed_filtered_and_paged(stack: Any) -> None:
    made = []
    for number in range(7):
        stack.clock.sleep(1)
        made.append(posted(stack, params=SPEC["params"] | {"top": number + 1}, labels={"n": str(number % 2)}))
    listed, target = [], "/runs?limit=3"
    while target:
        page = ask(stack, "GET", target).json
        assert len(page["runs"]) <= 3
        listed += [run["run_id"] for run in page["runs"]]
        target = f"/runs?limit=3&after={page['next']}" if page["next"] else ""
    assert listed == made[::-1]
    odd = ask(stack, "GET", "/runs?label=n%3D1&state=SUBMITTED&job=explore-trips").json["runs"]
    assert [run["run_id"] for run in odd] == made[1::2][::-1]
    assert ask(stack, "GET", "/runs?state=FAILED").json == {"runs": [], "next": None}
    problem(ask(stack, "GET", "/runs?after=nonsense"), 400, "bad-spec")


def test_waiting_for_a_run(fake: Any) -> None:
    run_id = posted(fake)
    assert ask(fake, "GET", f"/runs/{run_id}?wait=25").json["state"] == "SUBMITTED"
    assert sum(fake.clock.slept) == pytest.approx(25, abs=1)
    fake.clock.slept.clear()
    sleep = fake.clock.sleep

    def end_after_three(seconds: float) -> None:
        sleep(seconds)
        if len(fake.clock.slept) == 3:
            fake.runs.end(run_id, RunState.FAILED)

    fake.clock.sleep = end_after_three
    assert ask(fake, "GET", f"/runs/{run_id}?wait=25").json["state"] == "FAILED"
    assert len(fake.clock.slept) == 3
    assert ask(fake, "GET", f"/runs/{run_id}?wait=25").json["state"] == "FAILED"
    assert len(fake.clock.slept) == 3, "a run that has ended is not waited for"
    problem(ask(fake, "GET", "/runs/none-1?wait=5"), 404, "not-found")


def test_cancelling(stack: Any) -> None:
    run_id = posted(stack)
    for _ in range(2):
        answer = ask(stack, "DELETE", f"/runs/{run_id}")
        assert (answer.status, answer.json["cancelling"]) == (202, True)
        assert stack.executions.status(run_id) == "ABORTED"
    assert posted(stack) == run_id.removesuffix("1") + "2", "it may be asked for again at once"
    problem(ask(stack, "DELETE", "/runs/none-1"), 404, "not-found")


def test_a_run_that_has_ended_cannot_be_cancelled(fake: Any) -> None:
    run_id = posted(fake)
    fake.runs.end(run_id, RunState.SUCCEEDED)
    problem(ask(fake, "DELETE", f"/runs/{run_id}"), 409, "illegal-transition")
    assert fake.executions.ended == {}
    other = posted(fake, force=True)
    fake.runs.end(other, RunState.CANCELLED)
    assert ask(fake, "DELETE", f"/runs/{other}").status == 202


def test_a_run_is_cancelled_before_its_execution_is_there(fake: Any) -> None:
    run_id = posted(fake)
    fake.executions.inputs.clear()
    answer = ask(fake, "DELETE", f"/runs/{run_id}")
    assert (answer.status, answer.json["cancelling"]) == (202, True)


def test_reading_a_result(stack: Any) -> None:
    run_id = posted(stack)
    problem(ask(stack, "GET", f"/runs/{run_id}/result"), 409, "not-ready")
    output = {"name": "days", "path": "tables/days.csv", "bytes": 3, "media_type": "text/csv", "sha256": "0" * 64}
    stack.results.write(keys.run_file(run_id, keys.RESULT), json.dumps({"outputs": [output]}).encode())
    stack.results.write(keys.run_file(run_id, "tables/days.csv"), b"a,b")
    problem(ask(stack, "GET", f"/runs/{run_id}/result"), 409, "not-ready")
    stack.runs._change(run_id, {"state": "SUCCEEDED"})
    result = ask(stack, "GET", f"/runs/{run_id}/result").json
    (shown,) = result["outputs"]
    assert {name: shown[name] for name in ("name", "path", "bytes", "media_type")} == {
        name: output[name] for name in ("name", "path", "bytes", "media_type")
    }
    for url in (shown["url"], result["result"], result["receipt"]):
        address = urllib3.util.parse_url(url)
        assert address.host == "the-results.s3.us-east-1.amazonaws.com", "a bucket's links lead to its region"
        assert address.query and "X-Amz-Algorithm=AWS4-HMAC-SHA256" in address.query
        assert f"/runs/{run_id}/" in url
    problem(ask(stack, "GET", "/runs/none-1/result"), 404, "not-found")


def test_the_catalogue(fake: Any) -> None:
    assert [job["name"] for job in ask(fake, "GET", "/jobs").json["jobs"]] == list(JOBS)
    job = ask(fake, "GET", "/jobs/top-fares").json
    assert job["spec_schema"]["properties"]["job"]["const"] == "top-fares"
    assert problem(ask(fake, "GET", "/jobs/top-fare"), 404, "not-found")["suggestion"] == "top-fares"


def test_a_schedule_from_its_making_to_its_end(stack: Any) -> None:
    answer = ask(stack, "POST", "/schedules", json.dumps(SCHEDULE).encode())
    assert (answer.status, answer.headers["location"]) == (201, "/schedules/monthly")
    whole = SCHEDULE | {"paused": False, "description": ""}
    assert answer.json == whole == ask(stack, "GET", "/schedules/monthly").json
    assert ask(stack, "GET", "/schedules").json == {"schedules": [whole], "next": None}
    problem(ask(stack, "POST", "/schedules", json.dumps(SCHEDULE).encode()), 409, "already-exists")
    assert ask(stack, "PATCH", "/schedules/monthly", b'{"paused": true}').json == whole | {"paused": True}
    changed = {"when": "rate(7 days)", "timezone": "UTC", "spec": SPEC | {"labels": {"at": "{scheduled:%Y-%m-%d}"}}}
    assert ask(stack, "PATCH", "/schedules/monthly", json.dumps(changed).encode()).status == 200
    assert ask(stack, "PATCH", "/schedules/monthly", b'{"paused": false}').json == whole | changed
    bad = b'{"when": "daily", "spec": {"job": "x"}}'
    pointers = [
        one["pointer"] for one in problem(ask(stack, "PATCH", "/schedules/monthly", bad), 400, "bad-spec")["problems"]
    ]
    assert pointers == ["/when", "/spec/job"]
    assert ask(stack, "DELETE", "/schedules/monthly").status == 204
    for method in ("GET", "DELETE", "PATCH"):
        body = b'{"paused": true}' if method == "PATCH" else b""
        problem(ask(stack, method, "/schedules/monthly", body), 404, "not-found")


def test_a_submission_that_breaks_off_is_worth_another_try(fake: Any) -> None:
    def broken(_: Any) -> Any:
        raise Unanswered("the submission broke off")

    fake.submit_function = broken
    answer = ask(fake, "POST", "/runs", GOOD)
    problem(answer, 503, "unanswered")
    assert int(answer.headers["retry-after"]) > 0


def test_what_nobody_expects_is_a_problem_too(fake: Any) -> None:
    fake.runs = None
    answer = problem(ask(fake, "GET", "/runs/a-1"), 500, "internal")
    assert "NoneType" not in json.dumps(answer), "what is inside stays inside"


def test_times_are_those_of_the_row(fake: Any) -> None:
    run = ask(fake, "GET", f"/runs/{posted(fake)}").json
    assert run["created_at"] == fake.clock.now().isoformat(timespec="milliseconds")
    fake.clock.at += timedelta(days=1)
    assert ask(fake, "DELETE", run["links"]["self"]).json["updated_at"] > run["updated_at"]


def test_the_document_that_describes_it_all(fake: Any) -> None:
    document = ask(fake, "GET", "/openapi.json").json
    assert document["openapi"].startswith("3.1")
    assert {f"{method.upper()} {path}" for path, one in document["paths"].items() for method in one} == {
        "GET /runs", "POST /runs", "GET /runs/{run_id}", "DELETE /runs/{run_id}", "GET /runs/{run_id}/result",
        "GET /jobs", "GET /jobs/{name}", "GET /schedules", "POST /schedules", "GET /schedules/{name}",
        "PATCH /schedules/{name}", "DELETE /schedules/{name}", "GET /openapi.json",
    }  # fmt: skip
