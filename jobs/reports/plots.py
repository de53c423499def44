"""The three plots a report may hold, as data: `Bars`, `Lines` and `Steps`."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from jobs.reports.numbers import number

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?")

Number = int | float | None


@dataclass(frozen=True)
class Bars:
    """One bar a label, in the order given: give the most important first.

    `labels` are plain text, long ones are cut when drawn; `x_label` and `y_label` name what the drawn horizontal and
    vertical axes show, with units. `horizontal` suits long labels. A null value has no bar.
    """

    name: str
    title: str
    labels: Sequence[str]
    values: Sequence[Number]
    x_label: str = ""
    y_label: str = ""
    horizontal: bool = False

    def __post_init__(self) -> None:
        _check_name(self.name)
        _freeze(self, labels=tuple(self.labels), values=tuple(self.values))
        _check_lengths(self.name, {"labels": self.labels, "values": self.values})

    def describe(self) -> str:
        """The plot in words, for who cannot see it."""
        known = [(value, label) for value, label in zip(self.values, self.labels, strict=True) if value is not None]
        if not known:
            return f"{self.title}: nothing to show."
        value, label = max(known, key=lambda pair: pair[0])
        return f"{self.title}: bar chart of {len(self.labels)} values; the largest is {label} with {number(value)}."


@dataclass(frozen=True)
class Lines:
    """Series over dates or numbers, in one panel or, when their units differ, in two that share the horizontal axis.

    `x` holds dates (a `date`, or its ISO text as answers have it) or numbers, ascending; a null x has no place on the
    axis and its point is left out. `series` and `lower_series` map a legend label to one value for each x; null
    values and days that are absent are gaps. `y_label` names the vertical axis, `lower_label` that of the lower panel.
    """

    name: str
    title: str
    x: Sequence[date | float | str | None]
    series: Mapping[str, Sequence[Number]]
    x_label: str = ""
    y_label: str = ""
    lower_series: Mapping[str, Sequence[Number]] = field(default_factory=dict)
    lower_label: str = ""

    def __post_init__(self) -> None:
        _check_name(self.name)
        x = tuple(date.fromisoformat(at) if isinstance(at, str) else at for at in self.x)
        known = [at for at in x if at is not None]
        if len({isinstance(at, date) for at in known}) > 1:
            raise ValueError(f"plot {self.name}: x holds both dates and numbers")
        if not all(earlier < later for earlier, later in pairwise(known)):  # type: ignore[operator]
            raise ValueError(f"plot {self.name}: x is not ascending")
        series = {label: tuple(values) for label, values in self.series.items()}
        lower_series = {label: tuple(values) for label, values in self.lower_series.items()}
        if not series or set(series) & set(lower_series):
            raise ValueError(f"plot {self.name}: needs at least one series, and no label in both panels")
        _freeze(self, x=x, series=series, lower_series=lower_series)
        _check_lengths(
            self.name, {"x": x} | {f"series {label!r}": values for label, values in (series | lower_series).items()}
        )

    def describe(self) -> str:
        """The plot in words, for who cannot see it."""
        known = [at for at in self.x if at is not None]
        if not known:
            return f"{self.title}: nothing to show."
        names = " and ".join([*self.series, *self.lower_series])
        return f"{self.title}: line chart of {names}, from {number(known[0])} to {number(known[-1])}."


@dataclass(frozen=True)
class Steps:
    """A histogram already counted: `counts[i]` lie between `edges[i]` and `edges[i + 1]`, edges ascending.

    A thin tail far from the bulk is cut from view when drawn, and the plot says how many lie there.
    """

    name: str
    title: str
    edges: Sequence[float]
    counts: Sequence[int]
    x_label: str = ""
    y_label: str = ""

    def __post_init__(self) -> None:
        _check_name(self.name)
        _freeze(self, edges=tuple(self.edges), counts=tuple(self.counts))
        if len(self.edges) != len(self.counts) + 1 and (self.edges or self.counts):
            raise ValueError(f"plot {self.name}: {len(self.counts)} counts need {len(self.counts) + 1} edges")
        if not all(lower < upper for lower, upper in pairwise(self.edges)):
            raise ValueError(f"plot {self.name}: edges are not ascending")

    def describe(self) -> str:
        """The plot in words, for who cannot see it."""
        if not any(self.counts):
            return f"{self.title}: nothing to show."
        most = max(range(len(self.counts)), key=lambda i: self.counts[i])
        return (
            f"{self.title}: histogram of {number(sum(self.counts))}; "
            f"most lie between {number(self.edges[most])} and {number(self.edges[most + 1])} {self.x_label}.".rstrip()
        )


Plot = Bars | Lines | Steps


def _freeze(plot: object, **values: object) -> None:
    """Keep copies that nobody else can change."""
    for name, value in values.items():
        object.__setattr__(plot, name, value)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(f"plot name {name!r} is no safe file name: use a-z, 0-9, _ and -, at most 64")


def _check_lengths(name: str, columns: Mapping[str, Sequence[object]]) -> None:
    if len({len(values) for values in columns.values()}) > 1:
        lengths = ", ".join(f"{column} {len(values)}" for column, values in columns.items())
        raise ValueError(f"plot {name}: lengths differ: {lengths}")
