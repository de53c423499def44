"""Draws a report's plots as PNG images, with matplotlib's own figure and never pyplot, which is slow to import.

One look for all: titles at the left, what a vertical axis shows above it instead of turned beside it, thin grids, few
colours, which every eye tells apart. What is cut from view is told in a note below the plot.
"""

import io
import math
import unicodedata
import warnings
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import cycle
from typing import TYPE_CHECKING, Any

from jobs.reports import Bars, Lines, Plot, Steps, column, number, quantity
from jobs.runtime.plots.view import bulk, finite, gaps, limit, lone

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT, PANEL_HEIGHT, DPI = 6.6, 3.6, 1.6, 190
"""Inches, and dots per inch: sharp at twice the size at which the report shows a plot."""

MOST_BARS = 40
LONGEST_LABEL = 34
LEFT = 0.012

COLOURS = ("#20639b", "#d1603d", "#3c8d7d", "#8a5a9e", "#c99a2e", "#6aa9d6")
INK, FAINT_INK = "#1f2933", "#5f6b76"

STYLE: Mapping[str, Any] = {
    "font.family": ["DejaVu Sans"],  # ships with matplotlib: the same plot on every machine
    "font.size": 9.5,
    "text.color": INK,
    "text.parse_math": False,  # a zone may be named "$" and mean it
    "axes.titlesize": 9.5,
    "axes.titlecolor": FAINT_INK,
    "axes.labelcolor": FAINT_INK,
    "axes.edgecolor": "#b8c0c8",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#e4e7eb",
    "grid.linewidth": 0.7,
    "xtick.color": FAINT_INK,
    "ytick.color": FAINT_INK,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
}


def draw(plot: Plot) -> bytes:
    """The plot as a PNG image, 1254 pixels wide. A plot of nothing says "Nothing to show"."""
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    with mpl.rc_context(dict(STYLE)), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a name in a script that the font lacks
        margins = ConstrainedLayoutEngine(w_pad=0.09, h_pad=0.09)
        figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, layout=margins)
        figure.suptitle(_plain(plot.title, 72), x=LEFT, ha="left", fontsize=12, fontweight="bold")
        match plot:
            case Bars():
                notes = _draw_bars(figure, plot)
            case Lines():
                notes = _draw_lines(figure, plot)
            case Steps():
                notes = _draw_steps(figure, plot)
        if notes:
            figure.supxlabel("\n".join(notes), x=LEFT, ha="left", fontsize=8, color=FAINT_INK)
        image = io.BytesIO()
        figure.savefig(image, format="png", metadata={"Software": None})
        return image.getvalue()


def _draw_bars(figure: "Figure", plot: Bars) -> list[str]:
    labels = [_plain(label, LONGEST_LABEL) for label in plot.labels[:MOST_BARS]]
    values = finite(plot.values[:MOST_BARS])
    if all(map(math.isnan, values)):
        return _draw_nothing(figure)
    notes = []
    if len(plot.labels) > MOST_BARS:
        notes.append(f"The first {MOST_BARS} of {number(len(plot.labels))} are shown.")
    longest = limit(values, share=0.34)
    cut = math.inf if longest is None else 1.25 * longest
    if cut < math.inf:
        notes.append("A bar of this other colour is cut short: it goes on to the value written on it.")
    lengths = [0.0 if math.isnan(value) else max(-cut, min(value, cut)) for value in values]
    colours = [COLOURS[1] if abs(value) > cut else COLOURS[0] for value in values]

    axes = figure.add_subplot()
    places = range(len(labels))
    if plot.horizontal:
        figure.set_figheight(max(2.0, 1.0 + 0.26 * len(labels)))
        bars = axes.barh(places, lengths, color=colours, height=0.74)
        axes.set_yticks(places, labels, color=INK)
        axes.invert_yaxis()
        axes.margins(x=0.13, y=0.02)
    else:
        bars = axes.bar(places, lengths, color=colours, width=0.74)
        crowded = sum(len(label) + 2 for label in labels) > 84
        if crowded and len(labels) <= 20:
            axes.set_xticks(places, labels, color=INK, rotation=40, ha="right", rotation_mode="anchor")
        else:
            axes.set_xticks(places, labels, color=INK, rotation=90 if crowded else 0)
        room = max(0.0, 2.5 - len(labels) / 2)  # on both sides, so that one bar is no wall
        axes.set_xlim(-0.6 - room, len(labels) - 0.4 + room)
        axes.margins(y=0.12)
    if plot.horizontal or len(labels) <= 12:
        # Each bar says its value: an axis would say it again.
        texts = column([None if math.isnan(value) else value for value in values])
        axes.bar_label(bars, texts, padding=3, fontsize=8.5, color=INK)
        (axes.xaxis if plot.horizontal else axes.yaxis).set_ticks([])
        axes.spines["bottom" if plot.horizontal else "left"].set_visible(False)
    else:
        _scale_values(axes, lengths)
    axes.set_xlabel(_plain(plot.x_label, 80))
    axes.set_title(_plain(plot.y_label, 80), loc="left")
    return notes


def _draw_lines(figure: "Figure", plot: Lines) -> list[str]:
    series = {label: finite(values) for label, values in {**plot.series, **plot.lower_series}.items()}
    placed = [at for at, x in enumerate(plot.x) if x is not None]
    if all(math.isnan(values[at]) for values in series.values() for at in placed):
        return _draw_nothing(figure)
    notes = []
    if missing := len(plot.x) - len(placed):
        notes.append(f"Without a place on the axis, left out: {number(missing)}.")
    places = [float(x.toordinal() if isinstance(x, date) else x) for x in plot.x if x is not None]
    weights = next(iter(series.values()))
    shown = placed[bulk(places, [weights[at] for at in placed], share=0.001)]
    if len(shown) < len(placed):
        notes.append(f"Out of view, far off and of next to no weight: {number(len(placed) - len(shown))}.")

    panels = [(list(plot.series), plot.y_label)]
    if plot.lower_series:
        panels.append((list(plot.lower_series), plot.lower_label))
        figure.set_figheight(HEIGHT + PANEL_HEIGHT)
    colours = cycle(COLOURS)
    x = [plot.x[at] for at in shown]
    every_axes = figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0]
    for axes, (labels, title) in zip(every_axes, panels, strict=True):
        notes += _draw_panel(axes, x, {label: [series[label][at] for at in shown] for label in labels}, colours)
        axes.set_title(_plain(title, 80), loc="left")
    _scale_places(axes, x)
    axes.set_xlabel(_plain(plot.x_label, 80))
    return notes


def _draw_panel(axes: "Axes", x: Sequence[Any], series: Mapping[str, Sequence[float]], colours: Any) -> list[str]:
    most = limit([value for values in series.values() for value in values], share=0.02)
    cut = math.inf if most is None else most
    beyond: list[float] = []
    for label, values in series.items():
        colour = next(colours)
        seen = [value if abs(value) <= cut else math.nan for value in values]
        places, heights = gaps(x, seen)
        width = 1.6 if len(x) <= 150 else 1.0 if len(x) <= 1500 else 0.6
        axes.plot(places, heights, color=colour, linewidth=width, label=_plain(label, LONGEST_LABEL))
        dots = [at for at, height in enumerate(heights) if not math.isnan(height)] if len(x) <= 31 else lone(heights)
        if dots:
            axes.plot([places[at] for at in dots], [heights[at] for at in dots], ".", color=colour, markersize=6)
        if off := [at for at, value in enumerate(values) if abs(value) > cut]:
            beyond += [values[at] for at in off]
            edge = [1.0 if values[at] > 0 else 0.0 for at in off]
            at_edge = axes.get_xaxis_transform()
            axes.plot([x[at] for at in off], edge, "d", color=colour, markersize=5, clip_on=False, transform=at_edge)
    _scale_values(axes, [value for values in series.values() for value in values if abs(value) <= cut])
    if len(series) > 1:
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0, ncols=min(3, len(series)))
    if not beyond:
        return []
    furthest = max(beyond, key=abs)
    return [f"Off the scale (diamonds): {number(len(beyond))}, the furthest at {number(furthest)}."]


def _draw_steps(figure: "Figure", plot: Steps) -> list[str]:
    total = sum(plot.counts)
    if not total:
        return _draw_nothing(figure)
    shown = bulk(plot.edges[:-1], plot.counts, share=0.01)
    counts = plot.counts[shown]
    edges = plot.edges[shown.start : shown.stop + 1]
    axes = figure.add_subplot()
    axes.stairs(counts, edges, fill=True, color=COLOURS[0])
    if len(counts) <= 80:
        axes.vlines(edges, 0, [*counts, 0], color="white", linewidth=0.7)
    axes.margins(x=0.01)
    _scale_values(axes, [0, *counts])
    _scale_places(axes, edges)
    axes.set_xlabel(_plain(plot.x_label, 80))
    axes.set_title(_plain(plot.y_label, 80), loc="left")
    if not (rest := total - sum(counts)):
        return []
    sides = []
    if shown.start > 0:
        sides.append(f"from {number(plot.edges[0])} to {number(edges[0])}")
    if shown.stop < len(plot.counts):
        sides.append(f"from {number(edges[-1])} to {number(plot.edges[-1])}")
    return [f"Out of view: {number(rest)} ({quantity(100 * rest / total, '%')}), {' and '.join(sides)}."]


def _draw_nothing(figure: "Figure") -> list[str]:
    figure.set_figheight(1.6)
    figure.text(0.5, 0.4, "Nothing to show", ha="center", va="center", fontsize=11, color=FAINT_INK)
    return []


def _scale_values(axes: "Axes", values: Sequence[float]) -> None:
    """A vertical axis with few ticks and a thin grid; it starts at 0 unless that would flatten the plot."""
    from matplotlib.ticker import MaxNLocator

    known = [value for value in values if not math.isnan(value)]
    if known and 0 <= min(known) <= 0.6 * max(known):
        axes.set_ylim(bottom=0)
    low, high = axes.get_ylim()
    whole = all(value == int(value) for value in known)
    ticks = MaxNLocator(6, integer=whole, steps=[1, 2, 5, 10]).tick_values(low, high)
    decimals = max(0, -math.floor(math.log10(ticks[1] - ticks[0])))
    ticks = [tick for tick in ticks if low <= tick <= high]
    axes.set_yticks(ticks, [number(float(tick), decimals) for tick in ticks])
    axes.grid(axis="y")
    axes.spines["left"].set_visible(False)


def _scale_places(axes: "Axes", x: Sequence[Any]) -> None:
    """A horizontal axis of dates or numbers; few dates are each named."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.ticker import FuncFormatter

    if not isinstance(x[0], date):
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(float(value))))
    elif len(x) <= 4:
        axes.set_xticks(x, [number(at) for at in x])
        axes.margins(x=0.2)
    else:
        locator = AutoDateLocator(minticks=3, maxticks=8)
        beside = ["", "%Y", "%Y", "%d %b %Y", "%d %b %Y", "%d %b %Y"]  # what year, month or day the ticks are of
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, offset_formats=beside))


def _plain(text: str, longest: int) -> str:
    """One line of at most `longest` characters, all of which can be drawn."""
    printable = "".join(char if unicodedata.category(char)[0] != "C" else " " for char in text)
    line = " ".join(printable.split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
