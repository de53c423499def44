"""The laws that let trips be split and partials be merged in any way, for every class of question.

Every example is drawn once and put to every question: drawing costs far more than answering.
"""

import copy
import json
import pickle
from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from jobs.questions import Columns, Export, Missing, Part, Question, Seen
from jobs.trips import COLUMNS, Taxi
from tests.unit.runtime import slowly
from tests.unit.runtime.asked import FILLED
from tests.unit.runtime.drawn import BATCHES, Row
from tests.unit.runtime.filling import partials

QUESTIONS: dict[str, Question] = {**FILLED, "missing": Missing(), "columns": Columns(), "export": Export()}


@dataclass(frozen=True)
class Stretch:
    """Some trips of a run, and what else is known of them."""

    batches: list[list[Row]]
    seen: Seen
    parts: tuple[Part, ...]

    def partials(self) -> dict[str, Any]:
        """By question, as the loops that fill them in a run make them."""
        return {**partials(FILLED, self.batches), "missing": self.seen, "columns": self.seen, "export": self.parts}


NAMES = st.sampled_from([column.name for column in COLUMNS])
SEEN = st.builds(Seen, st.integers(0, 2**40), st.frozensets(NAMES), st.dictionaries(NAMES, st.integers(1, 2**40)))
PART = st.builds(
    Part, st.uuids().map(str), st.sampled_from(["2018-01", "unknown", None]), st.integers(0, 9), st.just(1), st.just("")
)
STRETCHES = st.builds(
    Stretch, BATCHES, SEEN | st.just(Seen()), st.lists(PART, max_size=2).map(lambda parts: tuple(sorted(parts)))
)


def classes(base: type) -> set[type]:
    return {base}.union(*(classes(each) for each in base.__subclasses__()))


def test_every_class_of_question_is_held_to_the_laws() -> None:
    shipped = {each for each in classes(Question) - {Question} if each.__module__.startswith("jobs.questions")}
    assert shipped == {type(question) for question in QUESTIONS.values()}


@given(stretches=st.tuples(STRETCHES, STRETCHES, STRETCHES))
def test_merging_is_associative_and_commutative_and_nothing_is_its_identity(stretches: tuple[Stretch, ...]) -> None:
    every = [stretch.partials() for stretch in stretches]
    for name, question in QUESTIONS.items():
        a, b, c = (each[name] for each in every)
        before = copy.deepcopy((a, b, c))
        merge, empty = question.merge, question.empty()

        assert merge(merge(a, b), c) == merge(a, merge(b, c)), name
        assert merge(a, b) == merge(b, a), name
        assert merge(a, empty) == a == merge(empty, a), name
        assert (a, b, c) == before, f"{name}: a merge has changed what it was given"
        assert question.empty() == empty, f"{name}: a merge has changed what nothing is"


@given(stretches=st.lists(STRETCHES, max_size=4), data=st.data())
def test_every_order_of_merging_prints_the_same_bytes(stretches: list[Stretch], data: st.DataObject) -> None:
    every = [stretch.partials() for stretch in stretches]
    shuffled = data.draw(st.permutations(every))
    for name, question in QUESTIONS.items():
        told = [
            json.dumps(question.finish(slowly.merged(question, [each[name] for each in order]), Taxi.YELLOW))
            for order in (every, shuffled)
        ]
        assert told[0] == told[1], name
        assert "NaN" not in told[0], name
        assert "Infinity" not in told[0], name


@given(batches=BATCHES)
def test_one_unit_or_many(batches: list[list[Row]]) -> None:
    apart = [partials(FILLED, [rows]) for rows in batches]
    together = partials(FILLED, [[row for rows in batches for row in rows]])
    in_turn = partials(FILLED, batches)
    for name, question in FILLED.items():
        assert slowly.merged(question, [each[name] for each in apart]) == together[name] == in_turn[name], name


@given(stretch=STRETCHES)
def test_a_journey_between_processes_changes_nothing(stretch: Stretch) -> None:
    partials_of = stretch.partials()
    for name, question in QUESTIONS.items():
        partial = partials_of[name]
        arrived, received = pickle.loads(pickle.dumps((question, partial)))
        assert received == partial, name
        assert arrived.columns() == question.columns(), name
        assert json.dumps(arrived.finish(received, Taxi.GREEN)) == json.dumps(question.finish(partial, Taxi.GREEN)), (
            name
        )
