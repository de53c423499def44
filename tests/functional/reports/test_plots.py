"""Plots as they come out: PNG images that show what matters."""

import io
import subprocess
import sys
from datetime import date, timedelta

import pytest
from PIL import Image

from jobs.reports import Bars, Lines, Plot, Steps
from jobs.runtime.plots import COLOURS, draw
from tests.functional.reports import sample

DAYS = [date(2009, 1, 1) + timedelta(days=at) for at in range(6000)]
HARD: list[Plot] = [
    Bars("no-bars", "None", [], []),
    Bars("null-bars", "Null", ["a"], [None]),
    Lines("no-lines", "None", [], {"trips": []}),
    Lines("null-lines", "Null", [None, None], {"trips": [1, 2]}),
    Steps("no-steps", "None", [], []),
    Steps("zero-steps", "Zero", [0, 1], [0]),
    Bars("one-bar", "One", ["a"], [1]),
    Bars("zero-bars", "Zero", ["a", "b"], [0, 0]),
    Lines("one-point", "One", ["2018-01-01"], {"trips": [1]}, lower_series={"passengers": [1.5]}),
    Lines("same-points", "Same", [0, 1, 2], {"trips": [5, 5, 5]}),
    Steps("one-step", "One", [0, 1], [1]),
    Lines("6000-days", "Many", DAYS, {"trips": list(range(6000))}, lower_series={"passengers": [1.5] * 6000}),
    Bars("265-zones", "Many", [f"Zone {at}" for at in range(265)], range(265)),
    Bars(
        "odd-labels",
        "$x_{$",
        ["$\\frac{$", "x" * 500, "", "\x00\ud800\n", "\u65e5 <b>"],
        [1, 2, 3, 4, -5],
        horizontal=True,
    ),
    Lines("huge", "Huge", range(60), {"trips": [1e300, -1e308, 1e12, *range(57)]}),
]


def opened(plot: Plot) -> Image.Image:
    return Image.open(io.BytesIO(draw(plot))).convert("RGB")


def width_of(colour: str, image: Image.Image) -> int:
    """How many columns of the image hold the colour."""
    wanted = tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))
    pixels = image.load()
    return sum(any(pixels[x, y] == wanted for y in range(image.height)) for x in range(image.width))


@pytest.mark.parametrize("plot", [*sample.report(sample.answers()).plots, *HARD], ids=lambda plot: plot.name)
@pytest.mark.filterwarnings("error")
def test_every_plot_becomes_an_image(plot):
    assert opened(plot).width == 1254


def test_the_same_plot_is_the_same_file():
    plot = Bars("fares", "Fares", ["a", "b"], [1, 2])
    assert draw(plot) == draw(plot)


def test_an_absurd_fare_leaves_the_others_visible():
    fares = Bars("fares", "Fares", ["JFK", "LGA", "EWR", "Queens"], [429_490.25, 800, 700, 600], horizontal=True)
    image = opened(fares)
    assert width_of(COLOURS[0], image) > image.width / 4
    assert width_of(COLOURS[1], image) > width_of(COLOURS[0], image), "the absurd one is still the longest"


def test_stray_dates_do_not_squeeze_the_others():
    days = ["1970-01-01", *(day.isoformat() for day in DAYS[:60]), "2098-01-01"]
    image = opened(Lines("days", "Days", days, {"trips": [1, *[300_000] * 60, 2]}))
    assert width_of(COLOURS[0], image) > image.width / 2


def test_a_long_tail_does_not_squeeze_the_bulk():
    image = opened(Steps("durations", "Durations", range(1441), [1000] * 60 + [0] * 1379 + [1]))
    assert width_of(COLOURS[0], image) > image.width / 2


def test_absent_days_leave_a_gap():
    through = opened(Lines("days", "Days", DAYS[:90], {"trips": [5] * 90}))
    broken = opened(Lines("days", "Days", [*DAYS[:30], *DAYS[60:90]], {"trips": [5] * 60}))
    assert width_of(COLOURS[0], broken) < 0.75 * width_of(COLOURS[0], through)


def test_drawing_never_imports_pyplot():
    code = (
        "import sys; from jobs.reports import Bars; from jobs.runtime.plots import draw; "
        "assert 'matplotlib' not in sys.modules, 'matplotlib is imported before anything is drawn'; "
        "draw(Bars('a', 'A', ['x'], [1])); assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
