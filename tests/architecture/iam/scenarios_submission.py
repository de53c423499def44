"""What the functions submit, api and plan call, path by path."""

import json
from typing import Any

from functions import plan, submit
from functions.core import keys
from functions.core.submission import Submission
from jobspec import RunState
from tests.architecture.iam.account import Account, answer_invoke
from tests.architecture.iam.scenarios import Stage, scenario
from tests.fakes.web import FakeWeb
from tests.functional.functions.http import ask
from tests.functional.functions.queue import dropped, event

SUBMIT, API, PLAN = "SubmitFunction", "ApiFunction", "PlanFunction"
WEB = "https://tlc.example/trips.parquet"


def spec(*trips: str, **more: Any) -> dict[str, Any]:
    return {"job": "explore-trips", "params": {"trips": list(trips)}, **more}


# ---- submit


def _drop(account: Account, document: Any, key: str = "specs/team/one.json") -> str:
    """Drop a spec; its message."""
    body = json.dumps(document).encode()
    bucket = account.scene.specs
    put = bucket.client.put_object(Bucket=bucket.name, Key=key, Body=body)
    return dropped(key, put["VersionId"], len(body), bucket=bucket.name)


def _submit(stage: Stage, account: Account, *messages: str) -> list[dict[str, str]]:
    """Hand the messages over; those that the queue is to keep."""
    with stage.acting():
        answered = submit.handle(event(list(enumerate(messages))), account.actor)
    failed: list[dict[str, str]] = answered["batchItemFailures"]
    return failed


@scenario(SUBMIT)
def a_dropped_spec_and_the_same_once_more(stage: Stage) -> None:
    account = Account(stage)
    message = _drop(account, spec(f"s3://{account.data}/trips/2018-*.csv", f"s3://{account.data}/trips/2018-01.csv"))
    assert _submit(stage, account, message, message) == []
    (run,) = account.scene.runs.page(10).runs
    again = _drop(account, spec(f"s3://{account.data}/trips/2018-*.csv"), "specs/other.json")
    assert _submit(stage, account, again) == []  # the same work by another event
    assert account.scene.executions.status(run.run_id) == "RUNNING"


@scenario(SUBMIT)
def specs_that_are_bad_or_gone_or_folders(stage: Stage) -> None:
    account = Account(stage)
    bad = _drop(account, {"job": "no-such-job"}, "specs/bad.json")
    nothing = [f"s3://{account.data}/none.csv", f"s3://{account.data}/none-*.csv"]
    empty = [_drop(account, spec(uri), f"specs/empty-{index}.json") for index, uri in enumerate(nothing)]
    name = account.environment["SPECS_BUCKET"]
    gone, folder = (
        dropped(key, "no-such-version", size, bucket=name) for key, size in (("specs/gone.json", 2), ("specs/x/", 0))
    )
    assert _submit(stage, account, bad, *empty, gone, folder) == []
    assert account.scene.specs.exists(keys.error_answer("specs/gone.json"))


@scenario(SUBMIT)
def a_second_attempt_and_one_that_somebody_has_prepared(stage: Stage) -> None:
    """A run whose result is there answers; one whose folder holds another spec is passed over."""
    account = Account(stage)
    one = spec(f"s3://{account.data}/trips/2018-01.csv")
    _submit(stage, account, _drop(account, one))
    (run,) = account.scene.runs.page(10).runs
    account.scene.runs._change(run.run_id, {"state": str(RunState.SUCCEEDED)})
    account.scene.results.write(keys.run_file(run.run_id, keys.RESULT), b"{}")
    assert _submit(stage, account, _drop(account, one | {"labels": {"n": "2"}})) == []
    second = run.run_id.removesuffix("1") + "2"
    account.scene.results.write(keys.run_file(second, keys.SPEC), b"{}")
    assert _submit(stage, account, _drop(account, one | {"force": True})) == []
    assert account.scene.runs.find(second.removesuffix("2") + "3")


@scenario(SUBMIT)
def a_schedule_that_is_due(stage: Stage) -> None:
    account = Account(stage)
    message = {
        "trigger": "schedule",
        "spec": spec(f"s3://{account.data}/trips/{{scheduled:%Y-%m}}.csv"),
        "scheduled": "2018-03-02T06:00:00Z",
    }
    assert _submit(stage, account, json.dumps(message)) == []
    assert account.scene.specs.exists(keys.run_answer("schedules/unnamed/2018-03-02T060000Z"))


@scenario(SUBMIT)
def inputs_from_every_bucket_from_results_and_behind_https(stage: Stage) -> None:
    account = Account(stage)
    account.actor.web = FakeWeb()
    account.actor.web.put(WEB, 100, "e")
    results = account.environment["RESULTS_BUCKET"]
    account.scene.results.write("runs/earlier-1/trips/month=2018-01/a.parquet", b"x")
    more = [f"s3://{account.more_data}/trips/{name}.csv" for name in ("*-01", "2018-02")]
    message = _drop(account, spec(*more, f"s3://{results}/runs/earlier-1/trips/*/*.parquet", WEB))
    assert _submit(stage, account, message) == []
    assert account.scene.specs.exists(keys.run_answer("specs/team/one.json"))


@scenario(SUBMIT)
def calls_of_the_api(stage: Stage) -> None:
    account = Account(stage)
    document = json.dumps(spec(f"s3://{account.data}/trips/2018-01.csv"))
    call = {"trigger": "api", "spec": document, "event": "k", "dry_run": False}
    with stage.acting():
        kinds = [
            *submit.handle(call | {"dry_run": True}, account.actor),
            *submit.handle(call, account.actor),
            *submit.handle(call, account.actor),
            *submit.handle(call | {"spec": "{"}, account.actor),
        ]
    assert kinds == ["plan", "run", "run", "problem"]


# ---- api


def _run_of(account: Account, **more: Any) -> str:
    document = json.dumps(spec(f"s3://{account.data}/trips/2018-01.csv", **more))
    run_id: str = account.scene.submitter.submit(Submission("api", document)).run_id
    return run_id


@scenario(API)
def handing_in_a_spec(stage: Stage) -> None:
    account = Account(stage)
    answer_invoke(account.actor.submit_function.client, {"run": {"links": {"self": "/runs/a-1"}}})
    body = json.dumps(spec(f"s3://{account.data}/trips/2018-01.csv")).encode()
    with stage.acting():
        assert ask(account.actor, "POST", "/runs", body).status == 202
        assert ask(account.actor, "POST", "/runs", b"{").status == 400


@scenario(API)
def looking_at_runs_and_cancelling_them(stage: Stage) -> None:
    account = Account(stage)
    run_id = _run_of(account)
    with stage.acting():
        assert len(ask(account.actor, "GET", "/runs?state=SUBMITTED&job=explore-trips").json["runs"]) == 1
        assert ask(account.actor, "GET", f"/runs/{run_id}?wait=2").status == 200
        assert ask(account.actor, "GET", "/runs/none-1").status == 404
        assert ask(account.actor, "GET", f"/runs/{run_id}/result").status == 409
        assert ask(account.actor, "DELETE", f"/runs/{run_id}").status == 202
        assert ask(account.actor, "DELETE", "/runs/none-1").status == 404


@scenario(API)
def reading_a_result(stage: Stage) -> None:
    account = Account(stage)
    run_id, empty = _run_of(account), _run_of(account, force=True)
    output = {"name": "days", "path": "tables/days.csv", "bytes": 3, "media_type": "text/csv"}
    account.scene.results.write(keys.run_file(run_id, keys.RESULT), json.dumps({"outputs": [output]}).encode())
    for one in (run_id, empty):
        account.scene.runs._change(one, {"state": str(RunState.SUCCEEDED)})
    with stage.acting():
        assert ask(account.actor, "GET", f"/runs/{run_id}/result").status == 200
        assert ask(account.actor, "GET", f"/runs/{empty}/result").status == 409  # it has been removed


@scenario(API)
def the_catalogue(stage: Stage) -> None:
    account = Account(stage)
    with stage.acting():
        for path in ("/jobs", "/jobs/explore-trips", "/openapi.json"):
            assert ask(account.actor, "GET", path).status == 200


@scenario(API)
def a_schedule_from_its_making_to_its_end(stage: Stage) -> None:
    account = Account(stage)
    schedule = {"name": "monthly", "when": "cron(0 6 5 * ? *)", "spec": spec(f"s3://{account.data}/trips/*.csv")}
    with stage.acting():
        assert ask(account.actor, "POST", "/schedules", json.dumps(schedule).encode()).status == 201
        assert len(ask(account.actor, "GET", "/schedules").json["schedules"]) == 1
        assert ask(account.actor, "GET", "/schedules/monthly").status == 200
        assert ask(account.actor, "PATCH", "/schedules/monthly", b'{"paused": true}').status == 200
        assert ask(account.actor, "DELETE", "/schedules/monthly").status == 204


# ---- plan


@scenario(PLAN)
def planning_a_run(stage: Stage) -> None:
    account = Account(stage)
    run = account.scene.runs.find(_run_of(account))
    with stage.acting():
        assert plan.handle({"run_id": run.run_id, "spec": run.spec_uri}, account.actor)["workers"] == 1
