"""`RunStore`, by the fake and by DynamoDB."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from functions.adapters.ledger_table import LedgerTable
from functions.adapters.runs_table import RunsTable
from functions.core.leasing import RunChange
from functions.core.runs import KEEP_DAYS, Run
from functions.core.submission import KnownEvent, LastAttempt
from jobspec import RunState, SpecError
from tests.fakes.clock import FakeClock
from tests.fakes.runs import FakeRuns
from tests.functional.functions.aws import REGION, make_runs_table

AT = datetime(2026, 11, 25, 12, 30, 1, 123456, tzinfo=UTC)
WORK = "explore-trips-0123456789abcdef0123"


def run(attempt: int = 1, work: str = WORK, minute: int = 0, **more: Any) -> Run:
    at = AT + timedelta(minutes=minute)
    fields = {"job": "explore-trips", "state": RunState.SUBMITTED, "trigger": "s3", "spec_uri": "s3://r/spec.json"}
    fields |= {"created_at": at, "updated_at": at} | more
    return Run(run_id=f"{work}-{attempt}", work_id=work, attempt=attempt, **fields)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(AT)


@pytest.fixture
def runs(kind: str, clock: FakeClock, request: pytest.FixtureRequest) -> Any:
    if kind == "fake":
        return FakeRuns()
    request.getfixturevalue("moto")
    resource = boto3.resource("dynamodb", REGION)
    make_runs_table(resource, "runs")
    return RunsTable(resource, "runs", clock)


def set_state(runs: Any, run_id: str, state: RunState) -> None:
    if isinstance(runs, FakeRuns):
        runs.end(run_id, state)
    else:
        ledger = LedgerTable(runs._resource, "runs", None, lambda _: None)
        run = ledger.run(run_id)
        assert run
        assert ledger.change(RunChange(run_id, state, run.updated_at))


def test_a_run_comes_back_as_it_went(runs: Any) -> None:
    whole = run(labels={"a": "b", "ü": ""}, spec_key="specs/ü.json", plan={"usd": 0.25, "workers": 2}, workers=3)
    whole = replace(whole, task_token="t" * 900, error={"status": 503}, cost_usd=0.1, cancelling=True)
    assert runs.create(whole, 0, "e", "d")
    assert runs.find(whole.run_id) == whole
    assert runs.find("none-1") is None


def test_a_run_is_entered_with_its_work_and_its_event_or_not_at_all(runs: Any) -> None:
    assert runs.last_attempt(WORK) is None
    assert runs.known_event("e1") is None
    assert runs.create(run(), 0, "e1", "d1")
    assert runs.last_attempt(WORK) == LastAttempt(1, run())
    assert runs.known_event("e1") == KnownEvent(run().run_id, "d1")
    assert not runs.create(run(), 0, "e2", "d"), "the run is there"
    assert not runs.create(run(2), 0, "e2", "d"), "the work has an attempt"
    assert not runs.create(run(3), 2, "e2", "d"), "the last attempt is another"
    assert not runs.create(run(2), 1, "e1", "d"), "the event is known"
    assert runs.known_event("e2") is None
    assert runs.find(run(2).run_id) is runs.find(run(3).run_id) is None
    assert runs.create(run(3), 1, None, "d"), "attempts may leave gaps"
    assert runs.last_attempt(WORK) == LastAttempt(3, run(3))


def test_the_first_word_on_an_event_stays(runs: Any) -> None:
    runs.note_event("e", "a-1", "d")
    runs.note_event("e", "b-1", "x")
    assert runs.known_event("e") == KnownEvent("a-1", "d")


def test_a_plan_is_written_while_the_run_lives(runs: Any) -> None:
    runs.create(run(), 0, None, "d")
    later = AT + timedelta(seconds=5)
    runs.save_plan(run().run_id, {"usd": 0.1}, later)
    assert runs.find(run().run_id) == run(plan={"usd": 0.1}, updated_at=later)
    set_state(runs, run().run_id, RunState.FAILED)
    runs.save_plan(run().run_id, {"usd": 0.2}, later)
    assert runs.find(run().run_id).plan == {"usd": 0.1}
    runs.save_plan("none-1", {}, later)
    assert runs.find("none-1") is None


def test_cancelling_is_marked_while_the_run_lives(runs: Any) -> None:
    runs.create(run(), 0, None, "d")
    assert runs.mark_cancelling(run().run_id, AT) == run(cancelling=True)
    assert runs.mark_cancelling("none-1", AT) is None
    runs.create(run(2), 1, None, "d")
    set_state(runs, run(2).run_id, RunState.FAILED)
    ended = runs.mark_cancelling(run(2).run_id, AT)
    assert (ended.state, ended.cancelling) == (RunState.FAILED, False)


def test_pages_hold_every_run_once_the_newest_first(runs: Any) -> None:
    made = [run(work=f"{WORK[:-2]}{minute:02}", minute=minute, labels={"odd": str(minute % 2)}) for minute in range(23)]
    for one in made:
        assert runs.create(one, 0, None, "d")
    for asked, expected in [
        ({}, made),
        ({"state": "SUBMITTED", "job": "explore-trips"}, made),
        ({"label": ("odd", "1")}, made[1::2]),
        ({"job": "other"}, []),
        ({"state": "FAILED"}, []),
        ({"label": ("even", "1")}, []),
    ]:
        for limit in (1, 5, 23, 100):
            found, following, pages = [], None, 0
            while pages == 0 or following:
                page = runs.page(limit, following, **asked)
                assert len(page.runs) <= limit
                found, following, pages = [*found, *page.runs], page.following, pages + 1
            assert found == expected[::-1]
            assert pages == max(1, -(-len(expected) // limit))


def announce(runs: Any, run_id: str) -> None:
    if isinstance(runs, FakeRuns):
        runs._change(run_id, announced=True)
    else:
        LedgerTable(runs._resource, "runs", None, lambda _: None).note_announced(run_id)


def test_open_runs_are_those_whose_end_is_not_known_the_oldest_first(runs: Any) -> None:
    assert list(runs.open_runs()) == []
    made = [run(work=f"{WORK[:-2]}{minute:02}", minute=minute) for minute in range(3)]
    for one in reversed(made):
        runs.create(one, 0, None, "d")
    runs.mark_cancelling(made[0].run_id, made[0].updated_at)
    assert list(runs.open_runs()) == [replace(made[0], cancelling=True), *made[1:]]
    set_state(runs, made[1].run_id, RunState.FAILED)
    assert [one.state for one in runs.open_runs()] == ["SUBMITTED", "FAILED", "SUBMITTED"]
    announce(runs, made[1].run_id)
    assert [one.run_id for one in runs.open_runs()] == [made[0].run_id, made[2].run_id]


class TestOnDynamoDB:
    @pytest.fixture
    def kind(self) -> str:
        return "moto"

    def test_rows_live_longer_than_names_are_taken(self, runs: Any) -> None:
        runs.create(run(), 0, "e", "d")
        items = {item["pk"]: int(item["expires_at"]) for item in runs._table.scan()["Items"]}
        days = {key.split("#")[0]: (seconds - AT.timestamp()) / 86_400 for key, seconds in items.items()}
        assert KEEP_DAYS == 91
        assert days["run"] == days["event"] == pytest.approx(91)
        assert days["work"] > days["run"] + 10

    def test_an_event_that_may_have_gone_by_now_is_new(self, runs: Any, clock: FakeClock) -> None:
        runs.create(run(), 0, "e", "d")
        clock.sleep(92 * 86_400)
        assert runs.known_event("e") is None
        assert runs.create(run(2), 1, "e", "d2")
        assert runs.known_event("e") == KnownEvent(run(2).run_id, "d2")

    @pytest.mark.parametrize("bookmark", ["x", "eyJ9", "W10", "bnVsbA", "WyJsZWRnZXIiLCJ4Il0", "ü"])
    def test_a_bookmark_of_another_making_is_refused(self, bookmark: str, runs: Any) -> None:
        with pytest.raises(SpecError, match="/after"):
            runs.page(5, bookmark)
