"""What IAM knows of actions and of the resources that they are about: `authorization.json`, which names its source."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("authorization.json")


@dataclass(frozen=True)
class Authorization:
    """The actions that we use and the types of resources that each knows."""

    actions: dict[str, list[str]]  # action: names of types; none where it has no resource-level permissions
    resource_types: dict[str, str]  # service:type: regular expression of its ARNs
    conditions: dict[str, str]  # action: the condition key without which we do not allow it
    not_ours: dict[str, str]  # ARN of a resource that no template makes: why it is named all the same

    def knows(self, action: str) -> bool:
        return action in self.actions

    def takes_star(self, action: str) -> bool:
        """Whether the action has no resource-level permissions, so that `*` is all that can be said."""
        return self.actions[action] == []

    def agrees(self, action: str, arn: str) -> bool:
        """Whether the ARN, or the pattern of ARNs, is of a type that the action is about."""
        if self.takes_star(action):
            return arn == "*"
        service = action.split(":")[0]
        types = (self.resource_types[f"{service}:{name}"] for name in self.actions[action])
        return any(re.fullmatch(arns, arn) for arns in types)


@cache
def authorization() -> Authorization:
    """The committed table."""
    table = json.loads(TABLE.read_text())
    return Authorization(table["actions"], table["resource_types"], table["conditions"], table["not_ours"])
