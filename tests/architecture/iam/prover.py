"""Whether a stack's roles are allowed what they need, and nothing else."""

import re
from collections.abc import Iterator, Mapping, Sequence

from tests.architecture.iam.authorization import Authorization, authorization
from tests.architecture.iam.needs import Need
from tests.architecture.iam.stack import MARK, Stack, Statement


def findings(stack: Stack, needs: Mapping[str, Sequence[Need]]) -> list[str]:
    """What is wrong, a sentence each; `needs` by role. Nothing is wrong where both sides are equal."""
    return judged(stack.statements(), needs)


def judged(statements: Mapping[str, Sequence[Statement]], needs: Mapping[str, Sequence[Need]]) -> list[str]:
    """The same for statements by role."""
    table = authorization()
    found: list[str] = []
    for role in sorted({*statements, *needs}):
        allowed, needed = statements.get(role, []), needs.get(role, [])
        found += [f"{role} {text}" for text in _missing(allowed, needed)]
        for statement in allowed:
            found += [f"{role}/{statement.sid} {text}" for text in _wrong(statement, needed, table)]
    return list(dict.fromkeys(found))


def matches(pattern: str, arn: str) -> bool:
    """Whether IAM's pattern, with `*` and `?`, covers the ARN, or covers all that another pattern covers."""
    parts = (".*" if part == "*" else "." if part == "?" else re.escape(part) for part in re.split(r"([*?])", pattern))
    return re.fullmatch("".join(parts), arn, re.DOTALL) is not None


def _missing(allowed: Sequence[Statement], needed: Sequence[Need]) -> Iterator[str]:
    for need in needed:
        granted = (
            matches(resource, need.arn)
            for statement in allowed
            if need.action in statement.actions
            if statement.items is None or need.items in statement.items
            for resource in statement.resources
        )
        if not any(granted):
            items = f", items {need.items}" if need.items else ""
            yield f"lacks {need.action} on {need.arn}{items} ({need.why})"


def _wrong(statement: Statement, needed: Sequence[Need], table: Authorization) -> Iterator[str]:
    for action in statement.actions:
        if "*" in action or "?" in action:
            yield f"allows {action}: an action has to be named"
            continue
        if not table.knows(action):
            yield f"allows {action}, which authorization.json does not know"
            continue
        if table.conditions.get(action) not in (None, *statement.conditions):
            yield f"allows {action} without the condition {table.conditions[action]}"
        ours = [need for need in needed if need.action == action]
        if not ours:
            yield f"allows {action}, which nothing needs"
            continue
        items = sorted({need.items for need in ours if need.items})
        if items and statement.items is None:
            yield f"allows {action} on every item; {' and '.join(items)} would do"
        elif statement.items is not None:
            yield from (
                f"allows {action} on items {each}, where nothing needs it"
                for each in statement.items
                if each not in items
            )
        for resource in statement.resources:
            yield from (f"allows {action} {text}" for text in _wide(action, resource, ours, table))


def _wide(action: str, resource: str, needed: Sequence[Need], table: Authorization) -> Iterator[str]:
    if resource == "*" and not table.takes_star(action):
        yield "on *, though it knows resources"
    elif not table.agrees(action, resource):
        yield f"on {resource}, which is no resource of that action"
    elif resource != "*" and MARK not in re.split(r"[*?]", resource)[0] and resource not in table.not_ours:
        yield f"on {resource}, which is no resource of this stack"
    elif not any(matches(resource, need.arn) for need in needed):
        yield f"on {resource}, where nothing needs it"
    elif not any(matches(need.within, resource) for need in needed if matches(resource, need.arn)):
        within = sorted({need.within for need in needed if matches(resource, need.arn)})
        yield f"on {resource}; {' or '.join(within)} would do"
