"""What a job's `report(answers)` returns: facts, words, plots and tables, as plain data.

Nothing here draws or knows HTML: `jobs.runtime` does both, from these. Standard library only, so that a Lambda
function can read the catalogue.

    Report
    ├─ summary: Fact, ...           the figures to read first
    └─ sections: Section, ...
       ├─ text                      a paragraph or two (a blank line parts them)
       ├─ plots: Bars | Lines | Steps, ...
       └─ tables: Table, ...

Everything is checked when it is made: lengths agree, plot names are unique and safe as file names. What does not hold
raises `ValueError` with the name of the plot or table. Values may be None, a null: a gap in a plot, a dash in a table.
"""

from jobs.reports.layout import Fact, Report, Section, Table
from jobs.reports.numbers import column, number, quantity
from jobs.reports.plots import Bars, Lines, Plot, Steps

__all__ = [
    "Bars",
    "Fact",
    "Lines",
    "Plot",
    "Report",
    "Section",
    "Steps",
    "Table",
    "column",
    "number",
    "quantity",
]
