"""One unit of trips, answered: every question is asked of every batch while it is in cache."""

import pickle
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from jobs.questions import ALL, KEPT, Columns, Export, Missing, Question
from jobs.runtime.batch import Batch
from jobs.runtime.canonical import Scratch
from jobs.runtime.fillers import filler
from jobs.runtime.loading import RULED, Loader, whole_unit
from jobs.runtime.tally import Example, Range, Tally, merged
from jobs.runtime.tripfile import QuotedRange, Reading, TripFile, Unit, Wanted
from jobs.trips import COLUMNS, Reason
from jobspec import UnreadableFile

if TYPE_CHECKING:
    from jobs.runtime.exporting import ExportTo


@dataclass(frozen=True)
class Asked:
    """What every unit of a run must answer."""

    questions: Mapping[str, Question]
    keeps_all: bool = False
    skips_bad_files: bool = False
    export_to: "ExportTo | None" = None
    for_frame: bool = False  # a job on a frame follows, which may hold any column: what is lost in each is counted

    @cached_property
    def wanted(self) -> Wanted:
        """The columns to read."""
        every = frozenset(column.name for column in COLUMNS)
        if self.for_frame:
            return Wanted(every)
        values = RULED.union(*(question.columns() for question in self.questions.values()))
        counts_nulls = any(isinstance(question, Missing) for question in self.questions.values())
        return Wanted(values, every if counts_nulls else frozenset())

    @cached_property
    def filled(self) -> Mapping[str, Question]:
        """The questions that are answered trip by trip; the others need only what was seen or written on the way."""
        return {name: q for name, q in self.questions.items() if not isinstance(q, (Missing, Columns, Export))}

    @cached_property
    def filled_aside(self) -> Mapping[str, Question]:
        """Those of them that are also asked of the trips set aside: all trips are those kept and those set aside."""
        return {name: q for name, q in self.filled.items() if self.keeps_all or q.where == ALL or has_headline(q)}

    def __reduce__(self) -> tuple[Any, ...]:
        """How it is sent: a worker remembers its tasks until the run ends, so it had better share this among them."""
        return _received, (self._content,)

    @cached_property
    def _content(self) -> bytes:
        return pickle.dumps(tuple(getattr(self, field.name) for field in fields(self)))


@lru_cache(maxsize=8)
def _received(content: bytes) -> Asked:
    return Asked(*pickle.loads(content))  # noqa: S301 - it comes within what Dask has unpickled


def has_headline(question: Question) -> bool:
    """Whether `quality.effect` shows this question's statistics over all trips."""
    return bool(question.headline(question.empty()))


def answer(unit: Unit, asked: Asked) -> Tally:
    """The tally of one unit. A file that cannot be read raises UnreadableFile, or is skipped whole if asked so."""
    try:
        return _answer(unit, asked)
    except QuotedRange:
        return Tally(quoted=frozenset({unit.file.uri}))
    except UnreadableFile as error:
        if not asked.skips_bad_files:
            raise
        return Tally(skipped={unit.file.uri: error.reason})


def file_tally(file: TripFile, tallies: Sequence[Tally], asked: Asked) -> Tally:
    """The tally of a whole file from those of its units.

    A file in which a range holds a quote is read again as one unit; one that could not be read counts for nothing.
    """
    tally = merged(tallies, asked.questions)
    if tally.quoted and not tally.skipped:
        # It stays marked, so that whoever reads the file once more need not find out again.
        tally = replace(answer(whole_unit(file), asked), quoted=tally.quoted)
    return Tally(skipped=tally.skipped) if tally.skipped else tally


def _answer(unit: Unit, asked: Asked) -> Tally:
    exporter = asked.export_to.exporter(unit, asked.keeps_all) if asked.export_to else None
    loader = Loader(unit, asked.wanted, exporter.add_lines if exporter else None)
    kept, aside, aside_scratch = _Fillers(asked.filled), _Fillers(asked.filled_aside), Scratch()
    for judged in loader:
        kept.update(judged.batch, judged.keep)
        if judged.kept < judged.batch.rows and asked.filled_aside:
            few = judged.batch.take(np.flatnonzero(~judged.keep.view(bool)), aside_scratch)
            aside.update(few, few.everyone)
        if exporter:
            exporter.add(judged)
    tally = Tally(
        kept=kept.partials(),
        aside=aside.partials(),
        reasons=Counter({Reason(at): count for at, count in enumerate(loader.reasons.tolist()) if count}),
        seen=loader.seen(),
        non_finite=+loader.non_finite,
        uncastable=+loader.uncastable,
        trips=Counter({unit.file.uri: loader.reading.rows}),
        parts=exporter.finish() if exporter else (),
    )
    if unit.file.format != "parquet":
        _account_for_lines(tally, unit.file.uri, loader.reading)
    return tally


class _Fillers:
    """One filler for each question; the trips kept and those set aside have a set of their own."""

    def __init__(self, questions: Mapping[str, Question]) -> None:
        self._questions = questions
        self._fillers = {name: filler(question) for name, question in questions.items()}

    def update(self, batch: Batch, mask: Any) -> None:
        for name, question in self._questions.items():
            where = question.where
            chosen = mask
            if where not in (KEPT, ALL) and where.value is not None:
                chosen = batch.among(where.value, where.at_least, where.at_most, mask)
            self._fillers[name].update(batch, chosen)

    def partials(self) -> dict[str, Any]:
        return {name: filler.partial() for name, filler in self._fillers.items()}


def _account_for_lines(tally: Tally, uri: str, reading: Reading) -> None:
    """Every record is a trip or set aside: raises UnreadableFile where that does not add up."""
    aside = reading.aside.total()
    if reading.rows + aside != reading.records:
        raise UnreadableFile(uri, f"{reading.records:,} lines gave {reading.rows:,} trips and {aside:,} set aside")
    tally.ranges[uri] = (Range(reading.start, reading.end, reading.lines, reading.records, reading.rows, aside),)
    tally.lines_set_aside.update(reading.aside)
    tally.examples = tuple(Example(uri, line) for line in reading.examples)
    tally.unterminated = reading.unterminated
