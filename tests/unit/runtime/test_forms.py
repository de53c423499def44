"""Where a run's tasks run: decided by its size, the machine, and what was asked for."""

import pickle
from dataclasses import fields, replace
from typing import Any

import pytest

from jobs.questions import Stats, Trips
from jobs.runtime.answering import Asked
from jobs.runtime.execution import FEW_CORES, LARGE, Form, form

MANY_CORES = FEW_CORES + 1


@pytest.mark.parametrize(
    ("trips", "cores", "asked", "expected"),
    [
        (LARGE - 1, 2, {"report": True}, Form.THREADS),
        (LARGE - 1, MANY_CORES, {"frames": True}, Form.THREADS),
        (LARGE, 2, {}, Form.THREADS),
        (LARGE, FEW_CORES, {"report": True}, Form.REPORTED_THREADS),
        (LARGE, MANY_CORES, {}, Form.PROCESSES),
        (LARGE, 2, {"frames": True}, Form.PROCESSES),
        (0, 2, {"workers": 1}, Form.PROCESSES),
        (LARGE, 2, {"workers": 3, "report": True}, Form.PROCESSES),
    ],
)
def test_form(trips: int, cores: int, asked: dict[str, Any], expected: Form) -> None:
    assert form(trips, cores, **asked) is expected


def test_what_is_asked_is_there_once_in_a_process() -> None:
    """However many tasks are sent there with it."""
    asked = Asked({"trips": Trips(), "fares": Stats("fare_amount")}, keeps_all=True)
    one, other = (pickle.loads(pickle.dumps((number, asked)))[1] for number in (1, 2))
    assert one is other
    assert one == asked


@pytest.mark.parametrize("field", [field.name for field in fields(Asked)])
def test_every_part_of_what_is_asked_is_sent(field: str) -> None:
    plain = Asked({"trips": Trips()})
    others = {"questions": {"fares": Stats("fare_amount")}, "export_to": "anything"}
    asked = replace(plain, **{field: others.get(field, True)})
    assert asked != plain
    assert pickle.loads(pickle.dumps(asked)) == asked
