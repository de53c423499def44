"""What comes through the queue: specs that were dropped into S3, and schedules that are due."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from functions.core import keys


class UnknownMessage(ValueError):  # noqa: N818 (it says what happened)
    """Raised for a message of nobody who should write to the queue; it ends among the dead letters, to be seen."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A version of an object under `specs/`."""

    key: str
    version: str | None
    bytes: int
    event: str

    @property
    def is_folder(self) -> bool:
        """Whether it is what consoles make where somebody asks for a folder."""
        return self.key.endswith("/") and self.bytes == 0


@dataclass(frozen=True, slots=True)
class Due:
    """A firing of a schedule."""

    schedule: str
    timezone: str
    spec: Mapping[str, Any]
    scheduled_at: datetime
    event: str
    source: str  # what it is answered under


def read(body: Any) -> Dropped | Due:
    """The message of a body, as JSON. Raises UnknownMessage."""
    try:
        if body.get("detail-type") == "Object Created":
            return _dropped(body["detail"]["object"])
        if body.get("trigger") == "schedule":
            return _due(body)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnknownMessage(f"{type(error).__name__}: {error} in {str(body)[:500]}") from error
    raise UnknownMessage(str(body)[:500])


def _dropped(found: Mapping[str, Any]) -> Dropped:
    key, version = str(found["key"]), found.get("version-id")
    # A bucket without versions has no version id; the sequencer differs with every write all the same.
    event = f"s3:{key}:{version or found['sequencer']}"
    return Dropped(key, version, int(found["size"]), event)


def _due(body: Mapping[str, Any]) -> Due:
    name, scheduled_at = str(body.get("name", "unnamed")), datetime.fromisoformat(body["scheduled"]).astimezone(UTC)
    # Not the service's execution id: a firing that it tries twice has two.
    source = keys.schedule_source(name, scheduled_at)
    return Due(
        schedule=name,
        timezone=body.get("timezone", "UTC"),
        spec=dict(body["spec"]),
        scheduled_at=scheduled_at,
        event=f"schedule:{source}",
        source=source,
    )
