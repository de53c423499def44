"""Specs that are dropped, schedules that are due: each gets its run or its error file, whatever comes."""

import json
import random
from datetime import timedelta
from typing import Any

import boto3
import pytest

from functions import submit
from functions.core import keys
from jobspec import InputUnavailable, RunState
from jobspec.document import MAX_BYTES
from tests.fakes.crashing import PORTS, Crash, crashing_ports
from tests.fakes.stack import SPECS, fake_wiring
from tests.fakes.web import FakeWeb
from tests.functional.functions.aws import REGION
from tests.functional.functions.queue import Queue, dropped

GOOD = {"job": "explore-trips", "params": {"trips": ["s3://data/trips/2018-*.csv"]}}
BAD = {
    "empty": b"",
    "no json": b"trips, please",
    "cut off": b'{"job": "explore-trips", ',
    "utf-16": json.dumps(GOOD).encode("utf-16"),
    "latin-1": '{"job": "é"}'.encode("latin-1"),
    "zeros": b"\0" * 1000,
    "list": b"[]",
    "deep": b"[" * 100_000,
    "unknown job": b'{"job": "explore-trip"}',
    "wrong fields": b'{"job": "explore-trips", "params": {"trips": [], "tpo": 3}, "limit": {}}',
    "local": json.dumps({"job": "explore-trips", "params": {"trips": ["trips.csv"]}}).encode(),
    "nothing there": json.dumps({"job": "explore-trips", "params": {"trips": ["s3://data/none/*"]}}).encode(),
    "too dear": json.dumps(GOOD | {"limits": {"max_cost_usd": 0.001}}).encode(),
    "too many": json.dumps(GOOD | {"cluster": {"workers": 21}}).encode(),
    "no utf-8 name": b'{"job": "\xed\xa0\x80"}',
}


def put(stack: Any, key: str, body: bytes) -> str:
    """Drop an object; its message."""
    if hasattr(stack.specs, "drop"):
        version = f"v{len(stack.specs.versions)}"
        stack.specs.drop(key, body, version)
    else:
        version = boto3.client("s3", REGION).put_object(Bucket=SPECS, Key=key, Body=body)["VersionId"]
    return dropped(key, version, len(body))


def drain(stack: Any, *messages: str) -> Queue:
    queue = Queue(list(messages))
    queue.drain(lambda event: submit.handle(event, stack))
    return queue


def answer(stack: Any, key: str) -> Any:
    """`("run" or "error", document)` of what the drop was answered with: one of them."""
    found = {
        kind: stack.specs.read(name)
        for kind, name in (("run", keys.run_answer(key)), ("error", keys.error_answer(key)))
    }
    ((kind, raw),) = [(kind, raw) for kind, raw in found.items() if raw is not None]
    return kind, json.loads(raw)


def test_a_dropped_spec_is_answered_with_its_run(stack: Any) -> None:
    queue = drain(stack, put(stack, "specs/team/one.json", json.dumps(GOOD).encode()))
    kind, document = answer(stack, "specs/team/one.json")
    assert (kind, document["state"], document["trigger"], queue.dead) == ("run", "SUBMITTED", "s3", [])
    run = stack.runs.find(document["run_id"])
    assert run.spec_key == "specs/team/one.json"
    assert stack.executions.status(run.run_id) == "RUNNING"
    assert len(json.loads(stack.results.read(keys.run_file(run.run_id, keys.INPUTS)))) == 12


@pytest.mark.parametrize("name", BAD)
def test_a_bad_one_is_answered_with_everything_that_is_wrong_and_never_comes_back(name: str, stack: Any) -> None:
    queue = drain(stack, put(stack, "specs/bad.json", BAD[name]))
    kind, problem = answer(stack, "specs/bad.json")
    assert kind == "error"
    assert problem["type"].startswith("urn:dispatch:error:")
    assert problem["tried_again"] is False
    assert problem["detail"]
    assert (queue.calls, queue.dead) == (1, [])
    if name == "wrong fields":
        pointers = {one["pointer"]: one["suggestion"] for one in problem["problems"]}
        assert pointers == {"/params/trips": None, "/params/tpo": "top", "/limit": "limits"}


def test_ten_megabytes_are_refused_without_being_read(stack: Any) -> None:
    drain(stack, put(stack, "specs/big.json", b" " * 10_000_000))
    kind, problem = answer(stack, "specs/big.json")
    assert kind == "error"
    assert "10,000,000 bytes" in problem["detail"]
    lying = json.loads(put(stack, "specs/lying.json", b" " * (MAX_BYTES + 10)))
    lying["detail"]["object"]["size"] = 7
    drain(stack, json.dumps(lying))
    assert "too large" in answer(stack, "specs/lying.json")[1]["detail"]


def test_a_spec_that_is_gone_by_now(stack: Any) -> None:
    put(stack, "specs/x.json", b"{}")
    assert drain(stack, dropped("specs/x.json", "no-such-version", 2)).dead == []
    assert "no longer there" in answer(stack, "specs/x.json")[1]["detail"]


def test_folders_are_not_specs(stack: Any) -> None:
    assert drain(stack, put(stack, "specs/team/", b"")).dead == []
    assert not stack.specs.exists(keys.error_answer("specs/team/"))


def test_a_mended_spec_takes_its_error_away(stack: Any) -> None:
    drain(stack, put(stack, "specs/a.json", b"{"))
    assert answer(stack, "specs/a.json")[0] == "error"
    drain(stack, put(stack, "specs/a.json", json.dumps(GOOD).encode()))
    assert answer(stack, "specs/a.json")[0] == "run"


def test_the_version_that_was_dropped_is_read_and_not_the_newest(stack: Any) -> None:
    first = put(stack, "specs/a.json", json.dumps(GOOD | {"labels": {"n": "1"}}).encode())
    second = put(stack, "specs/a.json", json.dumps(GOOD | {"labels": {"n": "2"}, "force": True}).encode())
    drain(stack, second, first, second)
    assert sorted(run.labels["n"] for run in stack.runs.page(10).runs) == ["2"]
    assert len(stack.runs.page(10).runs) == 1


def test_a_key_as_long_as_keys_can_be_gets_its_answer(stack: Any) -> None:
    key = "specs/" + "ü" * 500 + "x" * 10 + ".json"
    assert len(key.encode()) > 1000
    drain(stack, put(stack, key, b"{"))
    assert answer(stack, key)[0] == "error"
    assert keys.error_answer(key) != keys.error_answer(key.replace("x", "y"))


def test_what_nobody_should_send_ends_among_the_dead_letters_and_holds_nobody_up(stack: Any) -> None:
    odd = ["hello", "[]", "{}", "null", '{"detail-type": "Object Created"}', '{"trigger": "schedule", "spec": 3}']
    queue = drain(stack, *odd, put(stack, "specs/a.json", json.dumps(GOOD).encode()))
    assert sorted(queue.dead) == sorted(odd)
    assert answer(stack, "specs/a.json")[0] == "run"


def test_a_refusal_that_may_pass_is_told_and_tried_again() -> None:
    stack = fake_wiring()
    uri = "https://tlc.example/trips.parquet"
    stack.web.files[uri] = InputUnavailable(uri, "429")
    message = put(stack, "specs/a.json", json.dumps({"job": "explore-trips", "params": {"trips": [uri]}}).encode())
    queue = drain(stack, message)
    assert queue.dead == [message]
    kind, problem = answer(stack, "specs/a.json")
    assert (kind, problem["tried_again"], problem["status"]) == ("error", False, 503), "the last try was one too many"
    stack.web.put(uri, 100, "e")
    drain(stack, message)
    assert answer(stack, "specs/a.json")[0] == "run"


def test_the_last_try_says_that_there_is_no_other() -> None:
    stack = fake_wiring()
    uri = "https://tlc.example/trips.parquet"
    stack.web.files[uri] = InputUnavailable(uri, "429")
    message = put(stack, "specs/a.json", json.dumps({"job": "explore-trips", "params": {"trips": [uri]}}).encode())
    told = []
    queue = Queue([message])
    queue.drain(lambda event: (submit.handle(event, stack), told.append(answer(stack, "specs/a.json")[1]))[0])
    assert [problem["tried_again"] for problem in told] == [True, True, True, True, False]


def test_specs_that_take_too_long_are_refused_and_keep_none_of_their_neighbours() -> None:
    stack = fake_wiring()

    class Slow(FakeWeb):
        def pin(self, uri: str) -> Any:
            stack.clock.sleep(1)
            return super().pin(uri)

    class Context:
        def __init__(self) -> None:
            self.ends = stack.clock.now() + timedelta(seconds=120)

        def get_remaining_time_in_millis(self) -> int:
            left = (self.ends - stack.clock.now()).total_seconds()
            assert left > 0, "Lambda would have ended it"
            return int(left * 1000)

    stack.web = Slow()
    uris = [f"https://tlc.example/{number}.parquet" for number in range(300)]
    for uri in uris:
        stack.web.put(uri, 100, "e")
    slow = json.dumps({"job": "explore-trips", "params": {"trips": uris}})
    names = [f"specs/{number}-{'slow' if number % 2 else 'good'}.json" for number in range(10)]
    queue = Queue([put(stack, name, slow.encode() if "slow" in name else json.dumps(GOOD).encode()) for name in names])
    queue.drain(lambda event: submit.handle(event, stack, Context()))
    assert queue.dead == []
    assert {name: answer(stack, name)[0] for name in names} == {
        name: "error" if "slow" in name else "run" for name in names
    }
    problem = answer(stack, names[1])[1]
    assert "300 paths takes more than 20 seconds" in problem["detail"]
    assert problem["tried_again"] is False


def due(spec: dict[str, Any], at: str = "2018-03-01T05:30:00Z") -> str:
    document = {"trigger": "schedule", "name": "monthly", "timezone": "America/New_York", "spec": spec}
    return json.dumps(document | {"scheduled": at})


def test_a_schedule_that_is_due_asks_for_its_own_month(stack: Any) -> None:
    spec = {"job": "explore-trips", "params": {"trips": ["s3://data/trips/{scheduled:%Y-%m}.csv"]}}
    drain(stack, due(spec), due(spec))
    kind, document = answer(stack, "schedules/monthly/2018-03-01T053000Z")
    assert (kind, document["trigger"]) == ("run", "schedule")
    inputs = json.loads(stack.results.read(keys.run_file(document["run_id"], keys.INPUTS)))
    assert [one["uri"] for one in inputs] == ["s3://data/trips/2018-03.csv"]
    drain(stack, due(spec, "2017-03-01T05:30:00Z"))
    assert answer(stack, "schedules/monthly/2017-03-01T053000Z")[1]["type"].endswith("no-inputs")


def test_a_firing_that_comes_twice_is_one_event_and_the_next_is_another(stack: Any) -> None:
    spec = {"job": "explore-trips", "params": {"trips": ["s3://data/trips/2018-03.csv"]}, "force": True}
    drain(stack, due(spec), due(spec), due(spec, "2018-04-01T05:30:00Z"))
    firsts = [answer(stack, f"schedules/monthly/2018-{month}-01T053000Z")[1]["run_id"] for month in ("03", "04")]
    assert [run_id.rpartition("-")[2] for run_id in firsts] == ["1", "2"]


def test_an_answer_never_tells_an_earlier_state_than_the_row() -> None:
    stack = fake_wiring()
    message = put(stack, "specs/a.json", json.dumps(GOOD).encode())
    drain(stack, message)
    (run_id,) = stack.runs.rows
    write = stack.specs.write

    def write_while_the_run_ends(key: str, content: bytes) -> None:
        write(key, content)
        if not stack.runs.find(run_id).state.is_final:
            stack.runs.end(run_id, RunState.FAILED)
            write(key, b'{"state": "FAILED"}')  # finish_run
            write(key, content)  # and we are late

    stack.specs.write = write_while_the_run_ends
    drain(stack, message)
    assert answer(stack, "specs/a.json")[1]["state"] == "FAILED"


def _thousand(stack: Any, events: int, specs: int, seed: int) -> tuple[list[str], list[str], list[str]]:
    """Messages for that many specs and a tenth as many bad ones, each at least once, shuffled."""
    good = [f"specs/good-{number:03}.json" for number in range(specs)]
    bad = [f"specs/bad-{number:03}.json" for number in range(specs // 10)]
    documents = [
        {"job": "explore-trips", "params": {"trips": [f"s3://data/trips/2018-{month + 1:02}.csv"], "top": 1 + top}}
        for top, month in (divmod(number, 12) for number in range(specs))
    ]
    chosen = random.Random(seed)
    messages = [put(stack, key, json.dumps(document).encode()) for key, document in zip(good, documents, strict=True)]
    messages += [put(stack, key, chosen.choice(list(BAD.values()))) for key in bad]
    messages += chosen.choices(messages, k=events - len(messages))
    chosen.shuffle(messages)
    return messages, good, bad


def _check(stack: Any, queue: Queue, good: list[str], bad: list[str]) -> None:
    runs = {answer(stack, key)[1]["run_id"] for key in good if answer(stack, key)[0] == "run"}
    assert len(runs) == len(good)
    found, following = [], None
    while page := stack.runs.page(100, following):
        found, following = [*found, *page.runs], page.following
        if following is None:
            break
    assert {run.run_id for run in found} == runs
    assert len(found) == len(good)
    assert all(run.attempt == 1 and stack.executions.status(run.run_id) == "RUNNING" for run in found)
    assert all(answer(stack, key)[0] == "error" for key in bad)
    assert queue.messages == queue.dead == []


@pytest.mark.timeout(1200)  # some 6,000 calls of moto: twenty seconds of a processor
def test_a_thousand_events_for_two_hundred_specs_start_two_hundred_runs(stack: Any) -> None:
    messages, good, bad = _thousand(stack, events=1000, specs=200, seed=1)
    assert len(messages) == 1000
    _check(stack, drain(stack, *messages), good, bad)
    pages = boto3.client("stepfunctions", REGION).get_paginator("list_executions")
    executions = pages.paginate(stateMachineArn=stack.settings.state_machine).search("executions")
    assert len(list(executions)) == 200


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_lost_or_doubled_when_the_function_ends_at_any_call(seed: int) -> None:
    stack = fake_wiring()
    messages, good, bad = _thousand(stack, events=1000, specs=200, seed=seed)
    chosen = random.Random(seed)

    def perhaps(*_: Any) -> None:
        if chosen.random() < 0.002:
            raise Crash

    ports = {name: getattr(stack, name) for name in PORTS}
    queue = Queue(list(messages))
    crashes = 0

    def function(event: dict[str, Any]) -> Any:
        nonlocal crashes
        vars(stack).update(ports)
        vars(stack).pop("submitter", None)
        vars(stack).update(crashing_ports(stack, perhaps, perhaps))
        try:
            return submit.handle(event, stack)
        except Crash:
            crashes += 1
            raise

    queue.drain(function)
    vars(stack).update(ports)
    vars(stack).pop("submitter", None)
    assert crashes > 20
    dead, queue.dead = queue.dead, []
    assert len(dead) < 20
    for message in dead:  # redriven, as an operator does
        drain(stack, message)
    _check(stack, queue, good, bad)
    assert set(stack.executions.inputs) == set(stack.runs.rows)
