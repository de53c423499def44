"""A file of trips as planned: its format, its columns, its units of work; and what reading a unit yields."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from jobs.runtime.storage import Source
from jobs.trips import Column, Taxi, canonical
from jobs.trips.rules import base_name
from jobspec import DataError, InputFile, MixedTaxis, UnreadableFile

EXAMPLES = 100  # lines set aside that the result shows; all are counted
CSV_TRIP_BYTES = 90  # about, for a guess at how many trips a CSV holds


@dataclass(frozen=True)
class TripFile:
    """What the head of a CSV or the footer of a Parquet file tells; enough to plan, split and read it."""

    input: InputFile
    format: str  # "csv", "csv.gz", "parquet" or "empty"
    names: tuple[str, ...] = ()  # as the file has them
    trips: int = 0  # in a Parquet file exactly, else about
    body: int = 0  # CSV: where the first record begins
    surplus: int = 0  # CSV: how many nameless, empty fields records have behind those of the header
    header_lines: int = 0  # CSV: lines before the first record
    whole: bool = False  # cannot be cut: gzip, quotes in its head, or a server without ranges
    groups: tuple[int, ...] = ()  # Parquet: rows of each row group

    @property
    def uri(self) -> str:
        """Where it lies."""
        return self.input.uri

    def columns(self) -> dict[str, int]:
        """Where each canonical column stands in the file, by its canonical name."""
        return {column.name: at for at, name in enumerate(self.names) if (column := canonical(name))}

    def unrecognised(self) -> list[str]:
        """Names that mean no canonical column."""
        return [name.strip() for name in self.names if name.strip() and canonical(name) is None]

    def taxi(self) -> tuple[Taxi, bool]:
        """The colour of the taxis, and whether the columns themselves say so (else the file's name, or no sign)."""
        names = {name.strip().lower() for name in self.names}
        for prefix, taxi in (("tpep_", Taxi.YELLOW), ("lpep_", Taxi.GREEN)):
            if any(name.startswith(prefix) for name in names):
                return taxi, True
        if names & {"trip_type", "ehail_fee"}:
            return Taxi.GREEN, True
        base = base_name(self.uri).lower()
        return (Taxi.GREEN if "green" in base and "yellow" not in base else Taxi.YELLOW), False


@dataclass(frozen=True)
class Unit:
    """A piece of one file that one task reads: a byte range of a CSV or a run of row groups."""

    file: TripFile
    start: int  # CSV: records that begin in [start, end); Parquet: row groups [start, end)
    end: int
    trips: int  # in it, exactly or about


@dataclass(frozen=True)
class Wanted:
    """Which canonical columns a reader must yield: some with their values, of others only how many are null."""

    values: frozenset[str]
    counted: frozenset[str] = frozenset()


@dataclass(frozen=True)
class RawBatch:
    """At most 65,536 trips as they stand in the file: Arrow arrays by canonical column; absent ones are left out."""

    rows: int
    arrays: dict[str, Any]


@dataclass(frozen=True)
class SetAside:
    """A line that is no trip: where, why and what it says. `line` counts from the start of its range."""

    range_start: int
    line: int
    reason: str  # "field_count", "bad_value" or "truncated_line"
    text: str
    detail: str = ""


@dataclass
class Reading:
    """What reading a unit has shown beside its trips; the reader fills it in as it goes."""

    rows: int = 0
    lines: int = 0  # CSV: line ends passed, so that later ranges can number their lines
    records: int = 0  # CSV: lines that are not empty
    start: int = 0  # CSV: where the first record begins, in bytes
    end: int = 0  # CSV: where the last one ends, and the next range must begin
    set_aside: list[SetAside] = field(default_factory=list)  # since they were last taken
    aside: Counter[str] = field(default_factory=Counter)  # all that were taken, by reason
    examples: list[SetAside] = field(default_factory=list)  # the first of them
    unterminated: int = 0
    known_nulls: dict[str, int] = field(default_factory=dict)  # counted without reading: from the footer

    def take_set_aside(self) -> list[SetAside]:
        """The lines set aside since the last time: counted, the first ones remembered, and no longer held here."""
        lines = list(self.set_aside)
        self.set_aside.clear()
        if lines:
            self.aside.update(line.reason for line in lines)
            self.examples = sorted([*self.examples, *lines], key=lambda line: line.line)[:EXAMPLES]
        return lines


class QuotedRange(Exception):  # noqa: N818 - a finding, not an error
    """Raised when a byte range turns out to hold a quote: only the whole file can be cut safely then."""


def check_columns(uri: str, names: Sequence[str]) -> None:
    """Raise UnreadableFile where the columns are not those of trips, or two of them mean the same."""
    meant: dict[str, str] = {}
    for name in names:
        column: Column | None = canonical(name)
        if column is None:
            continue
        if column.name in meant:
            raise UnreadableFile(uri, f"two of its columns mean {column.name}: {meant[column.name]!r} and {name!r}")
        meant[column.name] = name
    if not meant:
        seen = ", ".join(repr(name[:40]) for name in names[:8])
        raise UnreadableFile(uri, f"none of its columns is a trip's; it has {seen or 'none'}")


def colour(files: Iterable[TripFile], asked: str) -> Taxi:
    """The one colour of all the files. Raises MixedTaxis, or DataError where the spec says the other colour."""
    examples: dict[Taxi, TripFile] = {}
    for file in files:
        if file.format == "empty":
            continue
        taxi, certain = file.taxi()
        if asked == "auto":
            examples.setdefault(taxi, file)
        elif certain and taxi is not Taxi(asked):
            raise DataError(f"{file.uri}: its columns are those of {taxi} taxis, and the spec says taxi: {asked}")
    if len(examples) == 2:
        raise MixedTaxis(examples[Taxi.YELLOW].uri, examples[Taxi.GREEN].uri)
    return next(iter(examples), Taxi.YELLOW) if asked == "auto" else Taxi(asked)


def inspect(source: Source, pinned: InputFile) -> TripFile:
    """Look at a file's first bytes and plan it. Raises UnreadableFile naming it."""
    from jobs.runtime import csv_files, parquet_files

    if not source.size:
        if pinned.uri.lower().endswith((".parquet", ".pq", ".gz")):
            raise UnreadableFile(pinned.uri, "it is empty")
        return TripFile(pinned, "empty")
    if source.read(0, 4) == parquet_files.MAGIC:
        file = parquet_files.inspect(source, pinned)
    else:
        file = csv_files.inspect(source, pinned)
    if file.format != "empty":
        check_columns(file.uri, file.names)
    return file
