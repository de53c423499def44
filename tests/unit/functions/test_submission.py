"""One identity over all triggers, whatever comes twice, late, together or half-way."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.core import keys
from functions.core.ledger import QUEUE_LIMIT, Ticket
from functions.core.submission import Submission, start
from jobspec import DispatchError, NoInputs, QueueFull, Refused, RunState, SpecError
from tests.fakes.crashing import Crash, crashing
from tests.fakes.stack import RESULTS, fake_wiring

SPEC = {"job": "explore-trips", "params": {"trips": ["s3://data/trips/2018-0*.csv"]}}


WAITING = Ticket("another-run-1", 1, datetime(2026, 1, 1, tzinfo=UTC), 60)


def submission(event: str | None = None, trigger: str = "s3", **changes: Any) -> Submission:
    document = json.dumps(SPEC | changes)
    return Submission(trigger, document, event, source=event)  # type: ignore[arg-type]


@pytest.fixture
def stack() -> Any:
    return fake_wiring()


def succeed(stack: Any, run_id: str) -> None:
    stack.results.write(keys.run_file(run_id, keys.RESULT), b"{}")
    stack.runs.end(run_id, RunState.SUCCEEDED)


def test_a_new_submission_becomes_a_run_with_everything_that_it_needs(stack: Any) -> None:
    run = stack.submitter.submit(submission("e1", labels={"team": "pricing"}))
    assert stack.runs.find(run.run_id) == run
    assert (run.state, run.attempt, run.trigger, run.spec_key) == (RunState.SUBMITTED, 1, "s3", "e1")
    assert run.labels == {"team": "pricing"}
    assert run.plan and run.plan["files"] == 9
    spec = json.loads(stack.results.read(keys.run_file(run.run_id, keys.SPEC)))
    assert spec["limits"] == {"timeout_minutes": 60, "max_cost_usd": None}
    inputs = json.loads(stack.results.read(keys.run_file(run.run_id, keys.INPUTS)))
    assert [one["uri"] for one in inputs] == [f"s3://data/trips/2018-0{month}.csv" for month in range(1, 10)]
    document = {"run_id": run.run_id, "spec": f"s3://{RESULTS}/runs/{run.run_id}/spec.json"}
    assert {name: json.loads(text) for name, text in stack.executions.inputs.items()} == {run.run_id: document}


def test_the_same_event_is_answered_with_its_run_even_when_the_files_have_changed(stack: Any) -> None:
    first = stack.submitter.submit(submission("e1"))
    stack.buckets.buckets["data"]["trips/2018-01.csv"] = b"another"
    assert stack.submitter.submit(submission("e1")).run_id == first.run_id
    assert stack.submitter.submit(submission("e2")).run_id != first.run_id


@pytest.mark.parametrize("trigger", ["api", "schedule", "s3"])
def test_the_same_work_by_any_trigger_is_answered_with_the_run_that_does_it(trigger: str, stack: Any) -> None:
    first = stack.submitter.submit(submission("e1"))
    other = submission("e2", trigger, labels={"a": "b"}, limits={"timeout_minutes": 5}, cluster={"workers": 3})
    assert stack.submitter.submit(other).run_id == first.run_id
    succeed(stack, first.run_id)
    assert stack.submitter.submit(submission("e3", trigger)).run_id == first.run_id
    assert len(stack.runs.rows) == len(stack.executions.inputs) == 1


@pytest.mark.parametrize("end", [RunState.FAILED, RunState.CANCELLED, RunState.TIMED_OUT])
def test_only_a_new_event_tries_again_what_has_not_succeeded(end: RunState, stack: Any) -> None:
    first = stack.submitter.submit(submission("e1"))
    stack.runs.end(first.run_id, end)
    assert stack.submitter.submit(submission("e1")).run_id == first.run_id
    second = stack.submitter.submit(submission("e2"))
    assert (second.work_id, second.attempt) == (first.work_id, 2)
    assert stack.submitter.submit(submission("e3")).run_id == second.run_id


def test_a_success_answers_only_while_its_result_is_there(stack: Any) -> None:
    first = stack.submitter.submit(submission("e1"))
    succeed(stack, first.run_id)
    stack.results.remove(keys.run_file(first.run_id, keys.RESULT))
    assert stack.submitter.submit(submission("e2")).attempt == 2


def test_a_full_queue_takes_no_new_run_and_forgets_none_that_it_has(stack: Any) -> None:
    known = stack.submitter.submit(submission("e1"))
    stack.ledger.ledger = replace(stack.ledger.ledger, queue=(WAITING,) * (QUEUE_LIMIT - 1))
    last = stack.submitter.submit(submission("e2", force=True))
    stack.ledger.ledger = replace(stack.ledger.ledger, queue=(WAITING,) * QUEUE_LIMIT)
    with pytest.raises(QueueFull, match="2,000 runs wait"):
        stack.submitter.submit(submission("e3", force=True))
    assert set(stack.runs.rows) == set(stack.executions.inputs) == {known.run_id, last.run_id}
    assert len(stack.results.objects) == 4, "nothing is laid down for a run that there is not"
    assert stack.submitter.submit(submission("e1")).run_id == known.run_id
    assert stack.submitter.submit(submission("e4")).run_id == last.run_id, "the same work needs no place"
    assert stack.submitter.dry_run(submission("e3")).workers == 1


def test_force_runs_again_once_an_event(stack: Any) -> None:
    first = stack.submitter.submit(submission("e1"))
    second = stack.submitter.submit(submission("e2", force=True))
    assert [first.attempt, second.attempt] == [1, 2]
    assert stack.submitter.submit(submission("e2", force=True)).attempt == 2


def test_a_run_that_is_being_cancelled_does_not_swallow_a_new_submission(stack: Any) -> None:
    first = stack.submitter.submit(submission("e1"))
    stack.runs.mark_cancelling(first.run_id, stack.clock.now())
    assert stack.submitter.submit(submission("e2")).attempt == 2


def test_a_key_that_was_used_for_something_else_is_refused(stack: Any) -> None:
    stack.submitter.submit(submission("api:k", "api"))
    with pytest.raises(Refused, match="something else"):
        stack.submitter.submit(submission("api:k", "api", labels={"a": "b"}))


def test_another_version_of_the_code_is_other_work() -> None:
    one, other = fake_wiring(), fake_wiring(IMAGE_TAG="v2")
    assert one.submitter.submit(submission()).work_id != other.submitter.submit(submission()).work_id


def test_a_row_left_submitted_is_started_again_with_the_same_input_to_the_byte(stack: Any) -> None:
    run = stack.submitter.submit(submission("e1"))
    before = dict(stack.executions.inputs)
    stack.executions.inputs.clear()
    stack.submitter.submit(submission("e1"))
    assert stack.executions.inputs == before
    stack.executions.inputs.clear()
    start(stack.runs.find(run.run_id), stack.executions)  # as the janitor does
    assert stack.executions.inputs == before
    stack.runs.end(run.run_id, RunState.FAILED)
    stack.executions.inputs.clear()
    stack.submitter.submit(submission("e1"))
    assert stack.executions.inputs == {}


def test_attempts_are_never_counted_anew_when_a_row_has_expired(stack: Any) -> None:
    first = stack.submitter.submit(submission("e1"))
    del stack.runs.rows[first.run_id]
    assert stack.submitter.submit(submission("e2")).attempt == 2


def test_a_spec_left_by_a_submission_that_got_no_further_is_not_run_as_if_it_were_ours(stack: Any) -> None:
    ours = stack.submitter.submit(submission("e1"))
    stack.runs.end(ours.run_id, RunState.FAILED)
    other = keys.run_file(f"{ours.work_id}-2", keys.SPEC)
    stack.results.write(other, b"with other limits")
    run = stack.submitter.submit(submission("e2", limits={"max_cost_usd": 1.0}))
    assert run.attempt == 3
    assert stack.results.read(other) == b"with other limits"
    assert json.loads(stack.results.read(keys.run_file(run.run_id, keys.SPEC)))["limits"]["max_cost_usd"] == 1.0


def test_a_dry_run_plans_and_leaves_nothing(stack: Any) -> None:
    assert stack.submitter.dry_run(submission()).files == 9
    assert not (stack.runs.rows or stack.results.objects or stack.executions.started)


@pytest.mark.parametrize(
    ("spec", "error", "words"),
    [
        ({"job": "explore-trip", "params": {"trips": 3}}, SpecError, "did you mean"),
        ({"job": "explore-trips", "params": {"trips": ["trips.csv", "/x"]}}, SpecError, "a stack cannot read a local"),
        ({"job": "explore-trips", "params": {"trips": ["http://127.0.0.1/x.csv"]}}, SpecError, "plain http"),
        ({"job": "explore-trips", "params": {"trips": ["s3://*/x.csv"]}}, SpecError, "wildcard"),
        ({"job": "explore-trips", "params": {"trips": ["s3://data/a**/x.csv"]}}, SpecError, "alone between slashes"),
        ({"job": "explore-trips", "params": {"trips": ["s3://data/none-*.csv"]}}, NoInputs, "none-"),
        ({"job": "explore-trips", "params": {"trips": ["https://x.example/a.csv"]}}, NoInputs, "x.example"),
    ],
)
def test_what_cannot_be_run_is_said_and_nothing_is_left(
    spec: dict[str, Any], error: type[DispatchError], words: str, stack: Any
) -> None:
    with pytest.raises(error, match=words):
        stack.submitter.submit(Submission("api", json.dumps(spec), "e1"))
    assert not (stack.runs.rows or stack.runs.events or stack.results.objects or stack.executions.started)


def test_every_path_that_a_stack_cannot_read_is_named(stack: Any) -> None:
    paths = ["s3://data/a.csv", "a.csv", "http://localhost/b.csv"]
    with pytest.raises(SpecError) as caught:
        stack.submitter.submit(Submission("api", {"job": "explore-trips", "params": {"trips": paths}}))
    assert [problem.pointer for problem in caught.value.problems] == ["/params/trips/1", "/params/trips/2"]


def _submitted_at_once(stack: Any, submissions: list[Submission]) -> list[str]:
    with ThreadPoolExecutor(16) as pool:
        return [run.run_id for run in pool.map(stack.submitter.submit, submissions)]


def test_a_signed_address_is_the_same_file_however_signed_and_its_signature_is_told_to_the_client_alone(
    stack: Any,
) -> None:
    runs = []
    for signature in ("secret1", "secret2"):
        uri = f"https://tlc.example/trips.csv?X-Amz-Signature={signature}"
        stack.web.put(uri, 100, "e")
        runs.append(stack.submitter.submit(submission(params={"trips": [uri]})))
    assert runs[0].run_id == runs[1].run_id
    kept = {key.rsplit("/")[-1]: content for key, content in stack.results.objects.items()}
    assert b"secret" not in kept["spec.json"]
    assert b"secret1" in kept["inputs.json"]
    assert "secret" not in repr(stack.runs.rows)


def test_many_at_once_agree_on_one_run(stack: Any) -> None:
    events = [submission(f"e{number % 20}", labels={"n": str(number % 20)}) for number in range(200)]
    run_ids = set(_submitted_at_once(stack, events))
    assert len(run_ids) == len(stack.runs.rows) == len(stack.executions.inputs) == 1
    (run,) = stack.runs.rows.values()
    spec = json.loads(stack.results.read(keys.run_file(run.run_id, keys.SPEC)))
    assert spec["labels"] == run.labels, "the spec that is run is that of whoever won"


def _calls(stack: Any) -> int:
    count = 0

    def counted(*_: Any) -> None:
        nonlocal count
        count += 1

    crashing(stack, counted, counted).submit(submission("e1"))
    return count // 2


@pytest.mark.parametrize("when", ["before", "after"])
def test_whatever_call_it_stops_at_the_next_delivery_makes_good(when: str) -> None:
    calls = _calls(fake_wiring())
    assert calls >= 7
    for number in range(calls):
        stack = fake_wiring()
        left = number

        def crash(*_: Any) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Crash

        def go_on(*_: Any) -> None:
            pass

        hooks: tuple[Callable[..., None], ...] = (crash, go_on) if when == "before" else (go_on, crash)
        with pytest.raises(Crash):
            crashing(stack, *hooks).submit(submission("e1", limits={"max_cost_usd": 2.0}))
        other = stack.submitter.submit(submission("e2", labels={"a": "b"}))  # somebody asks for the same work
        run = stack.submitter.submit(submission("e1", limits={"max_cost_usd": 2.0}))  # and the event comes again
        assert run.run_id == other.run_id
        assert list(stack.runs.rows) == list(stack.executions.inputs) == [run.run_id]
        spec = json.loads(stack.results.read(keys.run_file(run.run_id, keys.SPEC)))
        assert spec["labels"] == run.labels
        assert stack.results.exists(keys.run_file(run.run_id, keys.INPUTS))
        assert replace(stack.runs.find(run.run_id), updated_at=run.updated_at) == run
