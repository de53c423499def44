"""Schedules in a group of EventBridge Scheduler; each sends its spec to the queue of submissions when it is due."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from functions.core.schedules import Schedule
from jobspec import AlreadyExists, NotFound, Problem, SpecError

if TYPE_CHECKING:
    from types_boto3_scheduler import EventBridgeSchedulerClient


@dataclass(frozen=True)
class Schedules:
    """The schedules of one stack."""

    client: "EventBridgeSchedulerClient"
    group: str
    queue: str  # ARN
    role: str  # ARN, of a role that may send to the queue

    def create(self, schedule: Schedule) -> None:
        """Enter a new one. Raises AlreadyExists, and SpecError for what the service will not take."""
        with _told(schedule.name):
            self.client.create_schedule(**self._asked(schedule))

    def replace(self, schedule: Schedule) -> None:
        """Put it in the place of the one of its name. Raises NotFound, SpecError."""
        with _told(schedule.name):
            self.client.update_schedule(**self._asked(schedule))

    def find(self, name: str) -> Schedule:
        """The schedule of that name. Raises NotFound."""
        with _told(name, unfit_is_absent=True):
            found = self.client.get_schedule(GroupName=self.group, Name=name)
        return Schedule(
            name=found["Name"],
            when=found["ScheduleExpression"],
            timezone=found.get("ScheduleExpressionTimezone", "UTC"),
            paused=found["State"] == "DISABLED",
            description=found.get("Description", ""),
            spec=json.loads(found["Target"]["Input"])["spec"],
        )

    def page(self, limit: int, following: str | None = None) -> tuple[list[Schedule], str | None]:
        """At most so many schedules and where the next page begins. Raises SpecError for a bad `following`."""
        asked: dict[str, Any] = {"GroupName": self.group, "MaxResults": limit}
        if following:
            asked["NextToken"] = following
        with _told(following or "", pointer="/after"):
            answer = self.client.list_schedules(**asked)
        found = []
        for entry in answer["Schedules"]:
            with suppress(NotFound):  # deleted a moment ago
                found.append(self.find(entry["Name"]))
        return found, answer.get("NextToken")

    def delete(self, name: str) -> None:
        """Delete it. Raises NotFound."""
        with _told(name, unfit_is_absent=True):
            self.client.delete_schedule(GroupName=self.group, Name=name)

    def _asked(self, schedule: Schedule) -> Any:
        return {
            "GroupName": self.group,
            "Name": schedule.name,
            "Description": schedule.description,
            "ScheduleExpression": schedule.when,
            "ScheduleExpressionTimezone": schedule.timezone,
            "State": "DISABLED" if schedule.paused else "ENABLED",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"Arn": self.queue, "RoleArn": self.role, "Input": message(schedule)},
        }


def message(schedule: Schedule) -> str:
    """What the queue gets; the service fills in what stands between angle brackets."""
    document = {
        "trigger": "schedule",
        "name": schedule.name,
        "timezone": schedule.timezone,
        "spec": schedule.spec,
        "scheduled": "<aws.scheduler.scheduled-time>",
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


@contextmanager
def _told(name: str, pointer: str = "", unfit_is_absent: bool = False) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        match error.response["Error"]["Code"]:
            case "ConflictException":
                raise AlreadyExists("schedule", name) from error
            case "ResourceNotFoundException":
                raise NotFound("schedule", name) from error
            case "ValidationException" if unfit_is_absent:  # no schedule can have that name
                raise NotFound("schedule", name) from error
            case "ValidationException":
                reason = error.response["Error"].get("Message", "refused")
                raise SpecError([Problem(pointer, reason, name, "what EventBridge Scheduler takes")]) from error
        raise
