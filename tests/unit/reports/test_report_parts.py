"""A report is checked when it is composed, where its author sees what is wrong."""

from datetime import date

import pytest

from jobs.reports import Bars, Lines, Report, Section, Steps, Table


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: Bars("fares", "Fares", ["a", "b"], [1]), "fares: lengths differ: labels 2, values 1"),
        (lambda: Lines("days", "Days", [1, 2], {"trips": [1]}), "days: lengths differ: x 2, series 'trips' 1"),
        (lambda: Lines("days", "Days", [1], {"a": [1]}, lower_series={"b": []}), "series 'b' 0"),
        (lambda: Lines("days", "Days", [1], {"a": [1]}, lower_series={"a": [1]}), "no label in both panels"),
        (lambda: Lines("days", "Days", [1], {}), "at least one series"),
        (lambda: Lines("days", "Days", [2, 1], {"a": [1, 1]}), "not ascending"),
        (lambda: Lines("days", "Days", [1, 1], {"a": [1, 1]}), "not ascending"),
        (lambda: Lines("days", "Days", [1, "2018-01-01"], {"a": [1, 1]}), "both dates and numbers"),
        (lambda: Lines("days", "Days", ["yesterday"], {"a": [1]}), "yesterday"),
        (lambda: Steps("durations", "D", [0, 1], [1, 2]), "2 counts need 3 edges"),
        (lambda: Steps("durations", "D", [0, 0], [1]), "edges are not ascending"),
        (lambda: Table("Fares", ["fare", "zone"], [[1, "a"], [2]]), "row 1 has 1 values for 2 columns"),
        (lambda: Report("R", sections=[Section("S", plots=[Bars("a", "A", [], []), Bars("a", "B", [], [])])]), "a"),
    ],
)
def test_what_does_not_fit_together_is_refused_with_a_reason(make, complaint):
    with pytest.raises(ValueError, match=complaint):
        make()


@pytest.mark.parametrize("name", ["", "../up", "a/b", "A", "a b", "a.png", "-a", "a" * 65, "a\n", "ä"])
def test_a_plot_is_named_as_a_safe_file(name):
    with pytest.raises(ValueError, match="no safe file name"):
        Bars(name, "Title", [], [])


def test_answers_go_in_as_they_are():
    plot = Lines("days", "Days", ["2018-01-01", "2018-01-03", None], {"trips": [3, None, 1]})
    assert plot.x == (date(2018, 1, 1), date(2018, 1, 3), None)


def test_a_report_does_not_change_with_the_lists_it_was_made_from():
    labels, values, rows = ["a"], [1.0], [["a", 1]]
    plot, table = Bars("bars", "Bars", labels, values), Table("Table", ["name", "number"], rows)
    labels.append("b")
    values.append(2.0)
    rows[0].append("more")
    assert (plot.labels, plot.values, table.rows) == (("a",), (1.0,), (("a", 1),))


def test_plots_come_in_the_order_of_the_sections():
    plots = [Bars(name, name, [], []) for name in ("c", "a", "b")]
    report = Report("R", sections=[Section("1", plots=plots[:2]), Section("2"), Section("3", plots=plots[2:])])
    assert [plot.name for plot in report.plots] == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("plot", "words"),
    [
        (Bars("p", "Top fares", ["JFK", "LGA", "?"], [52.5, 1200, None]), "the largest is LGA with 1,200"),
        (Lines("p", "Trips", ["2018-01-01", "2018-01-02", None], {"trips": [1, 2, 3]}), "2018-01-01 to 2018-01-02"),
        (Steps("p", "Durations", [0, 5, 10], [1, 3], x_label="minutes"), "between 5 and 10 minutes"),
        (Bars("p", "Top fares", ["a"], [None]), "nothing to show"),
        (Lines("p", "Trips", [], {"trips": []}), "nothing to show"),
        (Steps("p", "Durations", [], []), "nothing to show"),
    ],
)
def test_a_plot_says_in_words_what_it_shows(plot, words):
    assert words in plot.describe()
