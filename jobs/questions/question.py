"""What a question is.

A question is a monoid: an `empty` partial, an associative and commutative `merge` of which `empty` is the identity,
and `finish`, which makes the answer. Partials are plain tuples and dicts of exact integers, so however the trips are
split and in whatever order partials meet, the answer is the same to the byte. Nothing here computes over trips: the
compiled loops that fill partials live in `jobs.runtime`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs.questions.values import Key, Value, columns_of
from jobs.trips import Taxi


@dataclass(frozen=True)
class Where:
    """Which trips a question is about: KEPT, ALL, or those kept whose `value` lies in [at_least, at_most]."""

    name: str
    value: Value | None = None
    at_least: float = float("-inf")
    at_most: float = float("inf")


KEPT = Where("kept")  # the trips that the run keeps: the plausible ones, or all of them with keep: all
ALL = Where("all")  # every trip read


class Question(ABC):
    """What every question can do; `Partial` below is each question's own type of exact partial."""

    where: Where

    @abstractmethod
    def columns(self) -> frozenset[str]:
        """The canonical columns whose values it needs."""

    @abstractmethod
    def empty(self) -> Any:
        """The partial of no trips."""

    @abstractmethod
    def merge(self, a: Any, b: Any) -> Any:
        """The partial of both their trips; neither `a` nor `b` is changed."""

    @abstractmethod
    def finish(self, partial: Any, taxi: Taxi) -> Any:
        """The answer, ready for JSON."""

    def headline(self, partial: Any) -> Mapping[str, Any]:  # noqa: ARG002 - most questions have none
        """The statistics that `quality.effect` shows over all trips beside those kept, by name."""
        return {}


def columns_asked(where: Where, *expressions: Value | Key) -> frozenset[str]:
    """The canonical columns that the expressions and the predicate of `where` are computed from."""
    asked = (*expressions, where.value) if where.value is not None else expressions
    return frozenset(column for expression in asked for column in columns_of(expression))
