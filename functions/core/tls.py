"""What CloudFormation asks of the TLS parameter, and what is done about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Act(Enum):
    """What is done to the parameter."""

    MAKE = "make"  # unless it is there already
    REPLACE = "replace"
    REMOVE = "remove"  # which it may have been already
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of CloudFormation's: the parameter's name and which key of its life, now and before."""

    request: str  # Create, Update or Delete
    name: str
    generation: str
    name_before: str | None = None
    generation_before: str | None = None

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "Asked":
        """The request of a custom resource event. Raises KeyError for one that is none."""
        properties, before = event["ResourceProperties"], event.get("OldResourceProperties", {})
        return cls(
            request=event["RequestType"],
            name=properties["Name"],
            generation=str(properties["Generation"]),
            name_before=before.get("Name"),
            generation_before=before.get("Generation"),
        )


def decide(asked: Asked) -> Act:
    """What to do. Whoever asks twice gets the same parameter: an Update that moves it makes one anew."""
    if asked.request == "Delete":
        return Act.REMOVE
    if asked.request == "Create" or asked.name != asked.name_before:
        return Act.MAKE
    return Act.KEEP if asked.generation == asked.generation_before else Act.REPLACE
