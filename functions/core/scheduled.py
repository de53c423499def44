"""The moment a schedule fired, put into its spec: `{scheduled:%Y-%m}` anywhere in a text becomes `2026-11`.

The time is the schedule's own: a run that is due at half past midnight of the first in Tokyo says the new month.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from jobspec import Problem, SpecError
from jobspec.problem import Path, pointer_to, show

DIRECTIVES = "YmdHMSjyGVuB"
"""The letters of strftime that may follow a %: those that read the same everywhere."""

_ALLOWED = "{scheduled:FORMAT} with any of " + ", ".join(f"%{letter}" for letter in DIRECTIVES) + ", such as %Y-%m"
_PLACEHOLDER = re.compile(r"\{scheduled(?::(?P<format>[^{}]*))?\}")
_FORMAT = re.compile(rf"(?:[^%]|%[{DIRECTIVES}%])+")


def rendered(spec: Mapping[str, Any], scheduled_at: datetime, timezone: str) -> dict[str, Any]:
    """The spec with every placeholder filled in. Raises SpecError for those that cannot be."""
    problems = [
        Problem(pointer_to(path), "this placeholder cannot be filled in", show(placeholder), _ALLOWED)
        for path, text in _texts(spec, ())
        for placeholder in _wrong(text)
    ]
    if problems:
        raise SpecError(problems)
    local = scheduled_at.astimezone(ZoneInfo(timezone))
    result: dict[str, Any] = _filled(spec, local)
    return result


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*path, index))


def _wrong(text: str) -> Iterator[str]:
    for found in _PLACEHOLDER.finditer(text):
        if found["format"] is None or not _FORMAT.fullmatch(found["format"]):
            yield found[0]


def _filled(value: Any, moment: datetime) -> Any:
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda found: moment.strftime(found["format"]), value)
    if isinstance(value, Mapping):
        return {key: _filled(item, moment) for key, item in value.items()}
    return [_filled(item, moment) for item in value] if isinstance(value, list) else value
