"""The question that is answered with files: all trips in canonical form."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from jobs.questions.question import KEPT, Question, Where
from jobs.trips import COLUMNS, Taxi

UNKNOWN_MONTH = "unknown"


@dataclass(frozen=True, order=True)
class Part:
    """One file that a unit wrote: kept trips of one month, or (month is None) what the unit set aside."""

    path: str  # below the run's folder
    month: str | None
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Export(Question):
    """Writes the kept trips as canonical Parquet, `trips/month=YYYY-MM/`, by the month of their pick-up.

    Every file has the same columns: those that any input has, then a 0/1 column for each level of the columns in
    `one_hot`. What is set aside, trips and lines, goes to `quarantine.parquet` with its reason. Partial: the parts.
    """

    one_hot: tuple[str, ...] = ()
    where: Where = KEPT

    def columns(self) -> frozenset[str]:  # noqa: D102
        return frozenset(column.name for column in COLUMNS)

    def empty(self) -> tuple[Part, ...]:  # noqa: D102
        return ()

    def merge(self, a: Any, b: Any) -> Any:  # noqa: D102
        return tuple(sorted((*a, *b)))

    def finish(self, partial: Any, taxi: Taxi) -> dict[str, Any]:  # noqa: ARG002, D102
        trips: Counter[str] = Counter()
        files: Counter[str] = Counter()
        for part in partial:
            if part.month is not None:
                trips[part.month] += part.rows
                files[part.month] += 1
        return {
            "months": [{"month": month, "trips": trips[month], "files": files[month]} for month in sorted(trips)],
            "quarantined": sum(part.rows for part in partial if part.month is None),
        }
