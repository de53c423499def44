"""When a schedule fires, what it puts into its spec, and what is wrong with one."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.adapters.schedules import message
from functions.core import messages, when
from functions.core.scheduled import rendered
from functions.core.schedules import Schedule, changed_schedule, new_schedule
from jobs import JOBS
from jobspec import SpecError

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SPEC = {"job": "explore-trips", "params": {"trips": ["s3://data/yellow_{scheduled:%Y-%m}.csv"]}}
GOOD = {"name": "monthly", "when": "cron(0 6 5 * ? *)", "timezone": "America/New_York", "spec": SPEC}


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 minute)", "rate(5 minutes)", "rate(12 hours)", "rate(7 days)", "at(2027-01-31T06:00:00)",
        "cron(0 6 1 * ? *)", "cron(0/15 8-18 ? * MON-FRI *)", "cron(0 6 L * ? *)", "cron(0 6 15W JAN,JUL ? 2027-2030)",
        "cron(30 23 ? * 6L *)", "cron(0 9 ? * 2#1 *)", "cron(*/5 * * * ? *)", "cron(0 6 LW mar ? *)",
    ],
)  # fmt: skip
def test_expressions_that_schedules_have(expression: str) -> None:
    assert when.fault(expression, datetime.fromisoformat("2026-11-25T00:00")) is None


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("every day", "not an expression"),
        ("rate(0 days)", "not an expression"),
        ("rate(5 weeks)", "not an expression"),
        ("cron(0 6 1 * *)", "6 fields, this one 5"),
        ("cron(0 6 1 * 1 *)", "just one of"),
        ("cron(0 6 ? * ? *)", "just one of"),
        ("cron(60 6 1 * ? *)", "minutes cannot be 60"),
        ("cron(0 25 1 * ? *)", "hours cannot be 25"),
        ("cron(0 6 32 * ? *)", "day-of-month cannot be 32"),
        ("cron(0 6 1 13 ? *)", "month cannot be 13"),
        ("cron(0 6 ? * 8 *)", "day-of-week cannot be 8"),
        ("cron(0 6 1 * ? 1950)", "year cannot be 1950"),
        ("cron(0 6 1 FOO ? *)", "month cannot be FOO"),
        ("cron(0/0 6 1 * ? *)", "minutes cannot be 0/0"),
        ("cron(1-2-3 6 1 * ? *)", "minutes cannot be 1-2-3"),
        ("at(2026-11-25T11:00:00)", "has passed"),
        ("at(2026-02-30T11:00:00)", "day"),
    ],
)
def test_expressions_that_they_cannot_have(expression: str, words: str) -> None:
    assert words in (when.fault(expression, datetime.fromisoformat("2026-11-25T12:00")) or "")


def test_the_moment_is_filled_in_everywhere_and_in_the_schedules_own_zone() -> None:
    spec = {
        "params": {"trips": ["s3://b/{scheduled:%Y-%m}/{scheduled:%d}.csv"]},
        "labels": {"at": "{scheduled:%H:%M}"},
        "n": 1,
    }
    filled = {"params": {"trips": ["s3://b/2027-01/01.csv"]}, "labels": {"at": "00:30"}, "n": 1}
    assert rendered(spec, datetime(2026, 12, 31, 15, 30, tzinfo=UTC), "Asia/Tokyo") == filled


@pytest.mark.parametrize("placeholder", ["{scheduled}", "{scheduled:%Q}", "{scheduled:}", "{scheduled:%}"])
def test_a_placeholder_that_cannot_be_filled_in_is_named(placeholder: str) -> None:
    with pytest.raises(SpecError) as caught:
        rendered({"params": {"trips": ["a", f"s3://b/{placeholder}"]}}, NOW, "UTC")
    (problem,) = caught.value.problems
    assert problem.pointer == "/params/trips/1"
    assert placeholder in (problem.value or "")


def test_a_good_schedule() -> None:
    schedule = new_schedule(json.dumps(GOOD).encode(), JOBS, NOW)
    assert schedule == Schedule(**GOOD)
    assert schedule.paused is False


@pytest.mark.parametrize(
    ("change", "pointers"),
    [
        ({"name": "a b"}, ["/name"]),
        ({"nam": "x"}, ["/nam"]),
        ({"when": "daily", "timezone": "New York"}, ["/timezone", "/when"]),
        ({"spec": {"job": "explore-trips", "params": {"trips": ["x.csv"], "tpo": 1}}}, ["/spec/params/tpo"]),
        ({"spec": {"job": "explore-trips", "params": {"trips": ["x.csv"]}}}, ["/spec/params/trips/0"]),
        ({"spec": {"job": "x", "labels": {"a": "{scheduled:%Q}"}}}, ["/spec/labels/a"]),
        ({"paused": "yes", "spec": []}, ["/paused", "/spec"]),
    ],
)
def test_everything_that_is_wrong_with_a_schedule_is_named(change: dict[str, Any], pointers: list[str]) -> None:
    with pytest.raises(SpecError) as caught:
        new_schedule(json.dumps(GOOD | change).encode(), JOBS, NOW)
    assert sorted(problem.pointer for problem in caught.value.problems) == pointers


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"\xff\xfe\x00", b'{"name": NaN}'])
def test_what_is_no_schedule_at_all(raw: bytes) -> None:
    with pytest.raises(SpecError):
        new_schedule(raw, JOBS, NOW)


def test_a_schedule_changes_by_fields_and_keeps_its_name() -> None:
    old = Schedule(**GOOD | {"when": "at(2026-01-01T00:00:00)"})
    assert changed_schedule(old, b'{"paused": true}', JOBS, NOW) == old.model_copy(update={"paused": True})
    with pytest.raises(SpecError, match="keeps its name"):
        changed_schedule(old, b'{"name": "other"}', JOBS, NOW)
    with pytest.raises(SpecError, match="has passed"):
        changed_schedule(old, b'{"when": "at(2026-01-02T00:00:00)"}', JOBS, NOW)


def test_what_a_schedule_sends_is_what_submit_reads() -> None:
    sent = message(Schedule(**GOOD))
    due = messages.read(json.loads(sent.replace("<aws.scheduler.scheduled-time>", "2026-12-05T11:00:00Z")))
    assert isinstance(due, messages.Due)
    assert (due.event, due.source) == (
        "schedule:schedules/monthly/2026-12-05T110000Z",
        "schedules/monthly/2026-12-05T110000Z",
    )
    filled_in = rendered(due.spec, due.scheduled_at, due.timezone)
    assert filled_in["params"]["trips"] == ["s3://data/yellow_2026-12.csv"]
