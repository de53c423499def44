"""The exact, mergeable account of some units of a run: partial answers, what was judged and what was set aside."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jobs.questions import Part, Question, Seen
from jobs.runtime.tripfile import EXAMPLES, SetAside
from jobs.trips import Reason


@dataclass(frozen=True)
class Range:
    """A byte range of a CSV as it was read: [start, end), its line ends, its records and how many became trips."""

    start: int
    end: int
    lines: int
    records: int
    trips: int
    set_aside: int


Ranges = dict[str, tuple[Range, ...]]  # by file


@dataclass(frozen=True)
class Example:
    """A line that was set aside, and the file it stands in."""

    uri: str
    line: SetAside

    @property
    def place(self) -> tuple[str, int, int]:
        """Examples are in the order of their places, so that the first ones stay the same however they meet."""
        return self.uri, self.line.range_start, self.line.line


@dataclass
class Tally:
    """A monoid like the questions: `Tally()` is empty, `merged` is associative and commutative."""

    kept: dict[str, Any] = field(default_factory=dict)  # partials by question, of trips that break no rule
    aside: dict[str, Any] = field(default_factory=dict)  # the same of those that break one
    reasons: Counter[int] = field(default_factory=Counter)
    seen: Seen = field(default_factory=Seen)
    non_finite: Counter[str] = field(default_factory=Counter)
    uncastable: Counter[str] = field(default_factory=Counter)
    trips: Counter[str] = field(default_factory=Counter)  # by file
    ranges: Ranges = field(default_factory=dict)
    lines_set_aside: Counter[str] = field(default_factory=Counter)
    examples: tuple[Example, ...] = ()
    unterminated: int = 0
    parts: tuple[Part, ...] = ()  # files written, where the job exports
    skipped: dict[str, str] = field(default_factory=dict)  # files that could not be read, and why
    quoted: frozenset[str] = frozenset()  # files that turned out not to be divisible

    @property
    def kept_trips(self) -> int:
        """How many trips break no rule."""
        return self.reasons[Reason.KEPT]

    def __sizeof__(self) -> int:
        """About how many bytes it takes with all that it holds: Dask asks, to know what fills its workers."""
        from dask.sizeof import sizeof

        return super().__sizeof__() + sum(sizeof(held) for held in vars(self).values())


def merged(tallies: Iterable[Tally], questions: Mapping[str, Question]) -> Tally:
    """All the tallies as one."""
    total = Tally()
    for tally in tallies:
        _merge_partials(total.kept, tally.kept, questions)
        _merge_partials(total.aside, tally.aside, questions)
        for name in ("reasons", "non_finite", "uncastable", "trips", "lines_set_aside"):
            getattr(total, name).update(getattr(tally, name))
        total.seen += tally.seen
        for uri, ranges in tally.ranges.items():
            total.ranges[uri] = (*total.ranges.get(uri, ()), *ranges)
        total.examples = tuple(sorted((*total.examples, *tally.examples), key=lambda e: e.place)[:EXAMPLES])
        total.unterminated += tally.unterminated
        total.parts = tuple(sorted((*total.parts, *tally.parts)))
        total.skipped |= tally.skipped
        total.quoted |= tally.quoted
    return total


def _merge_partials(into: dict[str, Any], others: Mapping[str, Any], questions: Mapping[str, Question]) -> None:
    for name, partial in others.items():
        into[name] = questions[name].merge(into[name], partial) if name in into else partial
