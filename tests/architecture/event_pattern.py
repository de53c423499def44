"""What EventBridge makes of a pattern: the parts of its language that template.yaml may use, and no others.

Source: "Amazon EventBridge event patterns", its user guide, read on 2026-11-25: a pattern matches if every field that
it names is in the event and one of the values listed for it fits. Fields are joined by AND, values in a list by OR.
"""

from collections.abc import Mapping
from typing import Any


def matches(pattern: Mapping[str, Any], event: Any) -> bool:
    """Whether the event is one that the pattern selects."""
    for name, wanted in pattern.items():
        found = event.get(name) if isinstance(event, Mapping) else None
        if isinstance(wanted, Mapping):
            if not matches(wanted, found):
                return False
        elif not any(_fits(one, value) for value in (found if isinstance(found, list) else [found]) for one in wanted):
            return False
    return True


def _fits(wanted: Any, value: Any) -> bool:
    if not isinstance(wanted, Mapping):
        return bool(value == wanted) and type(value) is type(wanted)
    ((comparison, operand),) = wanted.items()
    match comparison:
        case "prefix":
            return isinstance(value, str) and value.startswith(operand)
        case "suffix":
            return isinstance(value, str) and value.endswith(operand)
        case "exists":
            return (value is not None) is operand
    raise NotImplementedError(f"{comparison}: teach this matcher what EventBridge says of it, or do without it")
