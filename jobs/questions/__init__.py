"""The vocabulary in which a job says what it wants to know of every trip."""

from jobs.questions.columns import Columns, Missing, Seen
from jobs.questions.export import Export, Part
from jobs.questions.groups import By, Count, Mean, Measure, Quantiles, Sum
from jobs.questions.question import ALL, KEPT, Question, Where
from jobs.questions.statistics import Span, Stats, Top, Trips
from jobs.questions.values import DURATION, PUBLISHED_DURATION, Bins, Day, Elapsed, Key, Value

__all__ = [
    "ALL",
    "DURATION",
    "KEPT",
    "PUBLISHED_DURATION",
    "Bins",
    "By",
    "Columns",
    "Count",
    "Day",
    "Elapsed",
    "Export",
    "Key",
    "Mean",
    "Measure",
    "Missing",
    "Part",
    "Quantiles",
    "Question",
    "Seen",
    "Span",
    "Stats",
    "Sum",
    "Top",
    "Trips",
    "Value",
    "Where",
]
