"""One unit of trips, answered: read, made canonical, judged, and given to every question while it is in cache."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from jobs.questions import ALL, KEPT, Columns, Missing, Question, Seen
from jobs.runtime import canonical, csv_reading, parquet_files
from jobs.runtime.batch import Batch
from jobs.runtime.canonical import Scratch
from jobs.runtime.fillers import Filler, filler
from jobs.runtime.tally import EXAMPLES, Example, Range, Tally, merged
from jobs.runtime.tripfile import QuotedRange, RawBatch, Reading, TripFile, Unit, Wanted
from jobs.trips import COLUMNS, DROPOFF, PICKUP, Reason, month_window
from jobspec import UnreadableFile

# The columns that the rules of plausibility look at: read in every run.
RULED = frozenset({PICKUP, DROPOFF, "trip_distance", "fare_amount", "PULocationID"})


@dataclass(frozen=True)
class Asked:
    """What every unit of a run must answer."""

    questions: Mapping[str, Question]
    keeps_all: bool = False
    skips_bad_files: bool = False

    @cached_property
    def wanted(self) -> Wanted:
        """The columns to read."""
        values = RULED.union(*(question.columns() for question in self.questions.values()))
        counts_nulls = any(isinstance(question, Missing) for question in self.questions.values())
        return Wanted(values, frozenset(column.name for column in COLUMNS) if counts_nulls else frozenset())

    @cached_property
    def filled(self) -> Mapping[str, Question]:
        """The questions that are answered trip by trip; the others need only what was seen of the columns."""
        return {name: q for name, q in self.questions.items() if not isinstance(q, (Missing, Columns))}

    @cached_property
    def filled_aside(self) -> Mapping[str, Question]:
        """Those of them that are also asked of the trips set aside: all trips are those kept and those set aside."""
        return {name: q for name, q in self.filled.items() if self.keeps_all or q.where == ALL or has_headline(q)}


def has_headline(question: Question) -> bool:
    """Whether `quality.effect` shows this question's statistics over all trips."""
    return type(question).headline is not Question.headline


def answer(unit: Unit, asked: Asked) -> Tally:
    """The tally of one unit. A file that cannot be read raises UnreadableFile, or is skipped whole if asked so."""
    try:
        return _Answering(unit.file, asked).of(unit)
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
    if tally.quoted:
        tally = answer(Unit(replace(file, whole=True), file.body, file.input.bytes, file.trips), asked)
    return Tally(skipped=tally.skipped) if tally.skipped else tally


@dataclass
class _Fillers:
    """One filler for each question; the trips kept and those set aside have a set of their own."""

    questions: Mapping[str, Question]
    fillers: dict[str, Filler] = field(init=False)

    def __post_init__(self) -> None:
        self.fillers = {name: filler(question) for name, question in self.questions.items()}

    def update(self, batch: Batch, mask: Any) -> None:
        for name, question in self.questions.items():
            where = question.where
            chosen = mask
            if where not in (KEPT, ALL) and where.value is not None:
                chosen = batch.among(where.value, where.at_least, where.at_most, mask)
            self.fillers[name].update(batch, chosen)

    def partials(self) -> dict[str, Any]:
        return {name: filler.partial() for name, filler in self.fillers.items()}


class _Answering:
    def __init__(self, file: TripFile, asked: Asked) -> None:
        self._file = file
        self._asked = asked
        self._window = month_window(file.uri)
        self._columns = [column for column in COLUMNS if column.name in asked.wanted.values]
        self._present = file.columns().keys()
        self._scratch, self._aside_scratch = Scratch(), Scratch()
        self._kept, self._aside = _Fillers(asked.filled), _Fillers(asked.filled_aside)
        self._counts = np.zeros(len(Reason), np.int64)
        self._nulls: dict[str, int] = {}
        self._tally = Tally()

    def of(self, unit: Unit) -> Tally:
        reading = Reading()
        for raw in _read(unit, self._asked.wanted, reading):
            self._add(raw)
        tally = self._tally
        tally.kept, tally.aside = self._kept.partials(), self._aside.partials()
        tally.reasons.update({reason: count for reason, count in enumerate(self._counts.tolist()) if count})
        tally.trips[self._file.uri] = reading.rows
        tally.seen = self._seen(reading)
        if self._file.format != "parquet":
            self._account_for_lines(reading)
        return tally

    def _add(self, raw: RawBatch) -> None:
        columns = {}
        for column in self._columns:
            if column.name in raw.arrays:
                loaded = canonical.load(column, raw.arrays[column.name], self._scratch)
                self._count(column.name, loaded)
            else:
                loaded = canonical.absent(column, raw.rows, self._scratch)
            columns[column.name] = (loaded.values, loaded.valid)
        for name in raw.arrays.keys() - columns.keys():
            self._nulls[name] = self._nulls.get(name, 0) + raw.arrays[name].null_count
        batch = Batch(columns, raw.rows, self._scratch)
        kept_before = self._counts[Reason.KEPT]
        reasons, keep = batch.judge(self._window, self._counts)
        self._kept.update(batch, keep)
        if self._counts[Reason.KEPT] - kept_before < raw.rows and self._aside.fillers:
            few = batch.take(np.flatnonzero(reasons), self._aside_scratch)
            self._aside.update(few, few.everyone)

    def _count(self, name: str, loaded: canonical.Loaded) -> None:
        self._nulls[name] = self._nulls.get(name, 0) + loaded.nulls
        if loaded.non_finite:
            self._tally.non_finite[name] += loaded.non_finite
        if loaded.uncastable:
            self._tally.uncastable[name] += loaded.uncastable

    def _seen(self, reading: Reading) -> Seen:
        nulls = {column.name: reading.rows for column in COLUMNS if column.name not in self._present}
        nulls |= self._nulls | reading.known_nulls
        return Seen(reading.rows, frozenset(self._present), nulls)

    def _account_for_lines(self, reading: Reading) -> None:
        aside = reading.set_aside
        if reading.rows + len(aside) != reading.records:
            raise UnreadableFile(
                self._file.uri, f"{reading.records:,} lines gave {reading.rows:,} trips and {len(aside):,} set aside"
            )
        uri, tally = self._file.uri, self._tally
        tally.ranges[uri] = (
            Range(reading.start, reading.end, reading.lines, reading.records, reading.rows, len(aside)),
        )
        tally.lines_set_aside.update(line.reason for line in aside)
        tally.examples = tuple(Example(uri, line) for line in aside[:EXAMPLES])
        tally.unterminated = reading.unterminated


def _read(unit: Unit, wanted: Wanted, reading: Reading) -> Iterator[RawBatch]:
    reader = parquet_files if unit.file.format == "parquet" else csv_reading
    return reader.batches(unit, wanted, reading)
