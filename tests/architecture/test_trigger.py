"""No key that we write can ever trigger us: each is put through the pattern of the trigger itself."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml

from functions.core import keys
from tests.architecture.event_pattern import matches
from tests.functional.functions.queue import dropped

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
SPEC_KEYS = [
    "specs/a.json",
    "specs/team/ü/b.json",
    "specs/specs/specs/",
    "specs/" + "x" * 1018,
    "specs/answers/specs/a",
]
RUN = "explore-trips-0123456789abcdef0123-1"


def patterns(node: Any) -> list[dict[str, Any]]:
    """Every event pattern of a template that selects objects."""
    found = []
    if isinstance(node, dict):
        for name, value in node.items():
            if name in ("Pattern", "EventPattern") and "Object Created" in value.get("detail-type", []):
                found.append(value)
            found += patterns(value)
    elif isinstance(node, list):
        for value in node:
            found += patterns(value)
    return found


def trigger() -> dict[str, Any]:
    """The pattern by which dropped specs reach the queue, its bucket made ours."""
    (pattern,) = patterns(json.loads(json.dumps(cfn_yaml.load(str(TEMPLATE)))))
    detail = dict(pattern["detail"])
    detail.pop("bucket", None)  # the harder case: even in the bucket of specs itself
    return {name: value for name, value in pattern.items() if name != "source"} | {"detail": detail}


def created(key: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(dropped(key, "v", 1))
    return event


@pytest.mark.parametrize("key", SPEC_KEYS)
def test_a_dropped_spec_triggers_and_its_answers_do_not(key: str) -> None:
    assert matches(trigger(), created(key))
    assert not matches(trigger(), created(key) | {"detail-type": "Object Tags Added"})
    for answer in (keys.run_answer(key), keys.error_answer(key)):
        assert not matches(trigger(), created(answer)), answer


def test_nothing_that_a_run_or_a_schedule_leaves_triggers() -> None:
    source = keys.schedule_source("specs", datetime.now(UTC))
    names = (keys.SPEC, keys.INPUTS, keys.RESULT, keys.REPORT, keys.RECEIPT, keys.ERROR, "specs/x.json")
    written = [keys.run_answer(source), keys.error_answer(source), *(keys.run_file(RUN, name) for name in names)]
    assert [key for key in written if matches(trigger(), created(key))] == []


@pytest.mark.parametrize(
    ("pattern", "selected"),
    [
        ({"a": ["x"]}, True),
        ({"a": ["y", "x"]}, True),
        ({"a": ["y"]}, False),
        ({"a": ["x"], "b": [1]}, False),
        ({"a": [{"prefix": "x"}], "c": {"d": [{"suffix": "f"}]}}, True),
        ({"c": {"e": [{"exists": False}]}}, True),
        ({"c": {"d": [{"exists": False}]}}, False),
        ({"a": {"b": ["x"]}}, False),
        ({"n": ["1"]}, False),
    ],
)
def test_the_matcher(pattern: dict[str, Any], selected: bool) -> None:
    assert matches(pattern, {"a": "x", "c": {"d": "def"}, "n": 1}) is selected
    with pytest.raises(NotImplementedError):
        matches({"a": [{"anything-but": "x"}]}, {"a": "x"})
