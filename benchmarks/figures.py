"""From what was measured to medians, ratios (DuckDB = 1.0) and the targets that they meet or miss."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.suite import DUCKDB, LARGE, Measured

Figures = dict[str, float]


@dataclass(frozen=True)
class Target:
    """What a figure must reach: at most so much, or at least; of runs of `from_trips` and more."""

    name: str
    meaning: str
    bound: float
    at_least: bool = False
    from_trips: int = 0

    def met(self, value: float) -> bool:
        return value >= self.bound if self.at_least else value <= self.bound

    def wording(self) -> str:
        return f"{'at least' if self.at_least else 'at most'} {self.bound:g}"


TARGETS = (
    Target("parquet_warm", "Parquet, warm, DuckDB = 1", 0.5),
    Target("parquet_first", "Parquet, fresh process, DuckDB = 1", 0.8, from_trips=LARGE),
    Target("csv_warm", "CSV, warm, DuckDB = 1", 0.5),
    Target("csv_first", "CSV, fresh process, DuckDB = 1", 0.8, from_trips=LARGE),
    Target("article_over_ours_parquet", "The article's code on Parquet, times ours", 12, at_least=True),
    Target("article_over_ours_csv", "The article's code on CSV, times ours", 12, at_least=True),
    Target("uss_mb", "Peak private memory of a process, MB", 512),
    Target("uss_growth", "The same, times that at 1 M trips", 1.25),
    Target("tiny_ratio", "10,000 trips, process start to exit, DuckDB = 1", 3),
    Target("tiny_with_plots_s", "10,000 trips with plots and report, seconds", 4),
)


def medians(measured: Mapping[str, list[float]]) -> Figures:
    """The median seconds of each contender that was timed."""
    return {name: median(seconds) for name, seconds in measured.items() if seconds}


def figures(found: Measured) -> Figures:
    """Every headline figure by name; those that were not measured are not there."""
    figures: Figures = {}
    for kind, measured in found.warm.items():
        warm, first = medians(measured), medians(found.first[kind])
        figures[f"{kind}_warm"] = warm[found.chosen] / duckdb(warm)
        figures[f"{kind}_first"] = first["dispatch"] / duckdb(first)
        if "article" in warm:
            figures[f"article_over_ours_{kind}"] = warm["article"] / warm[found.chosen]
    tiny = medians(found.tiny)
    figures["tiny_ratio"] = tiny["dispatch"] / duckdb(tiny)
    figures["tiny_s"] = tiny["dispatch"]
    figures["tiny_with_plots_s"] = tiny["plots"]
    by_form = [{size: max(kinds.values()) for size, kinds in by_size.items()} for by_size in found.peak.values()]
    figures["uss_mb"] = max(max(peaks.values()) for peaks in by_form) / 1e6
    figures["uss_growth"] = max(peaks[max(peaks)] / peaks[min(peaks)] for peaks in by_form)
    return figures


def duckdb(seconds: Figures) -> float:
    """The faster of DuckDB's forms: the 1.0 of every ratio."""
    return min(seconds[name] for name in DUCKDB if name in seconds)


def record(found: Measured, date: str, machine: dict[str, Any]) -> dict[str, Any]:
    """A whole run as JSON: what the page is made of, and the last line of the output."""
    values = figures(found)
    targets = {
        target.name: {"bound": target.bound, "met": target.met(values[target.name])}
        for target in TARGETS
        if target.name in values and found.trips >= target.from_trips
    }
    sections = {
        f"{kind}_{section}": medians(by_kind[kind])
        for section, by_kind in (("warm", found.warm), ("first", found.first))
        for kind in by_kind
    } | {"tiny": medians(found.tiny)}
    return {
        "trips": found.trips,
        "runs": found.runs,
        "chosen": found.chosen,
        "date": date,
        "machine": machine,
        **{name: round(value, 4) for name, value in values.items()},
        "targets": targets,
        "seconds": {name: {who: round(s, 4) for who, s in each.items()} for name, each in sections.items()},
        "ratios": {
            name: {who: round(s / duckdb(each), 4) for who, s in each.items()} for name, each in sections.items()
        },
        "peak_uss_bytes": {
            name: {str(size): peaks for size, peaks in by_size.items()} for name, by_size in found.peak.items()
        },
        "left_out": found.left_out,
    }
