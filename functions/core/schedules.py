"""Schedules: specs that are submitted again and again, or once at a time to come."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, ValidationError

from functions.core import when
from functions.core.inputs import check_readable
from functions.core.scheduled import rendered
from jobspec import Job, Problem, SpecError, parse_spec
from jobspec.document import read_document
from jobspec.parse import model_problems
from jobspec.problem import closest, show
from jobspec.spec import Strict


class Schedule(Strict):
    """A spec and when it is submitted."""

    name: str = Field(pattern=r"^[0-9A-Za-z_.-]{1,64}$", description="What it is called in this stack.")
    when: str = Field(
        max_length=256,
        description="cron(minutes hours day-of-month month day-of-week year), rate(value unit) or at(time), "
        "as EventBridge Scheduler reads them.",
    )
    timezone: str = Field("UTC", max_length=50, description="The time zone of `when`, such as America/New_York.")
    paused: bool = Field(False, description="Whether it stands still.")
    description: str = Field("", max_length=512, description="What it is for.")
    spec: dict[str, Any] = Field(
        description="The spec. Every text in it may hold the time at which it is due: {scheduled:%Y-%m}."
    )


def new_schedule(raw: bytes, jobs: Mapping[str, Job], now: datetime) -> Schedule:
    """The schedule that a document asks for. Raises SpecError with everything that is wrong with it."""
    return _judged(raw, {}, jobs, now)


def changed_schedule(old: Schedule, raw: bytes, jobs: Mapping[str, Job], now: datetime) -> Schedule:
    """The schedule with the fields of the document in place of its own. Raises SpecError; a name never changes."""
    return _judged(raw, old.model_dump(), jobs, now)


def _judged(raw: bytes, old: dict[str, Any], jobs: Mapping[str, Job], now: datetime) -> Schedule:
    document = read_document(raw)
    given = document.value
    if not isinstance(given, dict):
        fields = ", ".join(Schedule.model_fields)
        raise SpecError(document.problems or [Problem("", "not an object", show(given), f"an object with {fields}")])
    problems = list(document.problems)
    if old and given.get("name", old["name"]) != old["name"]:
        problems.append(Problem("/name", "a schedule keeps its name", show(given["name"]), show(old["name"])))
    try:
        schedule = Schedule.model_validate(old | given)
    except ValidationError as error:
        problems += model_problems(error, Schedule, old | given, (), document)
        raise SpecError(problems) from error
    problems += _faults(schedule, jobs, now, moved="when" in given or not old)
    if problems:
        raise SpecError(problems)
    return schedule


def _faults(schedule: Schedule, jobs: Mapping[str, Job], now: datetime, moved: bool) -> Iterator[Problem]:
    zone = schedule.timezone
    if zone not in available_timezones():
        allowed = "a name of the IANA time zone database, such as America/New_York"
        yield Problem("/timezone", "unknown time zone", show(zone), allowed, closest(zone, available_timezones()))
        zone = "UTC"
    moment = now.astimezone(ZoneInfo(zone)).replace(tzinfo=None) if moved else None
    if fault := when.fault(schedule.when, moment):
        yield Problem("/when", fault, show(schedule.when), when.ALLOWED)
    try:
        # Now is as good a moment as any: what counts is that the spec is one when it is filled in.
        check_readable(parse_spec(rendered(schedule.spec, now, zone), jobs))
    except SpecError as error:
        for problem in error.problems:
            yield Problem(
                f"/spec{problem.pointer}", problem.message, problem.value, problem.allowed, problem.suggestion
            )
