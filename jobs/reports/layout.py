"""The parts a report is laid out from: `Report`, `Section`, `Fact` and `Table`."""

from collections.abc import Sequence
from dataclasses import dataclass

from jobs.reports.numbers import Value
from jobs.reports.plots import Plot


@dataclass(frozen=True)
class Fact:
    """One headline figure, such as `Fact("Mean duration", 842.5, "seconds", note="drop-off minus pick-up")`.

    For units see `jobs.reports.quantity`.
    """

    label: str
    value: Value
    unit: str = ""
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of values under named columns; put units in the column names. Numbers of a column get equal decimals."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Value]]
    note: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(self.columns))
        object.__setattr__(self, "rows", tuple(tuple(row) for row in self.rows))
        for at, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ValueError(
                    f"table {self.title!r}: row {at} has {len(row)} values for {len(self.columns)} columns"
                )


@dataclass(frozen=True)
class Section:
    """Words, then plots, then tables, under one title. A blank line in `text` starts a new paragraph."""

    title: str
    text: str = ""
    plots: Sequence[Plot] = ()
    tables: Sequence[Table] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "plots", tuple(self.plots))
        object.__setattr__(self, "tables", tuple(self.tables))


@dataclass(frozen=True)
class Report:
    """All that a job has to show of its answers."""

    title: str
    summary: Sequence[Fact] = ()
    sections: Sequence[Section] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "summary", tuple(self.summary))
        object.__setattr__(self, "sections", tuple(self.sections))
        names = [plot.name for plot in self.plots]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"report {self.title!r}: plots share a name: {', '.join(doubled)}")

    @property
    def plots(self) -> tuple[Plot, ...]:
        """Every plot, in the order of the sections; each becomes `plots/<name>.png`."""
        return tuple(plot for section in self.sections for plot in section.plots)
