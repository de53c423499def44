"""What CloudFormation asks of the TLS parameter, and what is done about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Act(Enum):
    """What is done to the parameter."""

    MAKE = "make"
    REPLACE = "replace"
    REMOVE = "remove"  # which it may have been already
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of CloudFormation's: the parameter's name, and which key of its life it should hold at least."""

    request: str  # Create, Update or Delete
    name: str
    generation: int

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "Asked":
        """The request of a custom resource event. Raises KeyError or ValueError for one that is none."""
        properties = event["ResourceProperties"]
        return cls(event["RequestType"], properties["Name"], int(properties["Generation"]))


def decide(asked: Asked, kept: int | None) -> Act:
    """What to do, given the generation of the key that is kept; None where none is.

    What CloudFormation says was there before is not asked: it says so of an Update that was refused, too. A rollback
    lowers the generation and keeps the key, so it is never refused, and no stack is left between two states.
    """
    if asked.request == "Delete":
        return Act.REMOVE
    if kept is None:
        return Act.MAKE
    return Act.REPLACE if asked.request == "Update" and asked.generation > kept else Act.KEEP
