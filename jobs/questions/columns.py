"""Questions about the columns of the files, over all trips read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from jobs.questions.question import ALL, Question, Where
from jobs.trips import COLUMNS, Taxi, printed_name


@dataclass(frozen=True)
class Seen:
    """What a stretch of trips was before any rule: its rows, the columns its file has, the nulls in each."""

    rows: int = 0
    present: frozenset[str] = frozenset()
    nulls: Mapping[str, int] = field(default_factory=dict)  # of every canonical column, absent ones included

    def __add__(self, other: "Seen") -> "Seen":
        names = self.nulls.keys() | other.nulls.keys()
        nulls = {name: self.nulls.get(name, 0) + other.nulls.get(name, 0) for name in names}
        return Seen(self.rows + other.rows, self.present | other.present, nulls)


@dataclass(frozen=True)
class Missing(Question):
    """How many values each column lacks, over all trips read: {column: count}; a column of no file is not listed.

    Numbers that are not finite and whole numbers that are not whole count as lacking in the columns named in `READ`,
    which are therefore read in full; the rest may be answered from the footers of Parquet files.
    """

    where: Where = ALL
    READ: ClassVar[frozenset[str]] = frozenset({"VendorID", "passenger_count"})

    def columns(self) -> frozenset[str]:  # noqa: D102
        return self.READ

    def empty(self) -> Seen:  # noqa: D102
        return Seen()

    def merge(self, a: Seen, b: Seen) -> Seen:  # noqa: D102
        return a + b

    def finish(self, partial: Seen, taxi: Taxi) -> dict[str, int]:  # noqa: D102
        listed = [column.name for column in COLUMNS if column.name in partial.present]
        return {printed_name(name, taxi): partial.nulls.get(name, 0) for name in listed}


@dataclass(frozen=True)
class Columns(Question):
    """Name, type and canonical size in bytes of every column that any file has, over all trips read."""

    where: Where = ALL

    def columns(self) -> frozenset[str]:  # noqa: D102
        return frozenset()

    def empty(self) -> Seen:  # noqa: D102
        return Seen()

    def merge(self, a: Seen, b: Seen) -> Seen:  # noqa: D102
        return a + b

    def finish(self, partial: Seen, taxi: Taxi) -> list[dict[str, Any]]:  # noqa: D102
        return [
            {"name": printed_name(c.name, taxi), "type": c.kind.value, "bytes": partial.rows * c.kind.width}
            for c in COLUMNS
            if c.name in partial.present
        ]
