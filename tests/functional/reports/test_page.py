"""report.html: one file that opens offline, shows everything, and trusts no text it is given."""

import json
from collections import Counter
from html.parser import HTMLParser

import pytest

from jobs.reports import Bars, Fact, Report, Section, Table
from jobs.runtime.page import POLICY, render
from jobs.runtime.page.quality import RULES
from tests.functional.reports import sample

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\x04\xe6\x00\x00\x02\xac" + bytes(20)
VOID = {"meta", "img"}
HOSTILE = """<script>alert("1")</script>'"><img src=x onerror=alert(1)>&lt;\x00\ud800</style></title>"""


class Page(HTMLParser):
    """The page taken apart; fails on a tag that is not closed where it should be."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.declaration = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_decl(self, decl: str) -> None:
        self.declaration = decl

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"an attribute of <{tag}> is doubled"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def whole() -> Page:
    result = sample.result()
    report = sample.report(result["answers"])
    return Page(render(result, report, {plot.name: PNG for plot in report.plots}))


def test_it_is_html5_for_every_screen_in_english(whole):
    assert whole.declaration == "doctype html"
    assert whole.all("html") == [{"lang": "en"}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in whole.all("meta")
    assert whole.tags[2] == ("meta", {"charset": "utf-8"})


def test_nothing_is_fetched_from_anywhere(whole):
    for tag, attributes in whole.tags:
        assert tag not in {"script", "link", "iframe", "object", "embed", "base"}
        assert not [name for name in attributes if name.startswith("on") or name in {"srcset", "action", "background"}]
        assert (attributes.get("src") or "data:").startswith("data:image/png;base64,") or tag != "img"
        assert (attributes.get("src") or "data:").startswith("data:")
        assert (attributes.get("href") or "#").startswith("#")
    assert {"http-equiv": "Content-Security-Policy", "content": POLICY} in whole.all("meta")
    assert POLICY.startswith("default-src 'none';")
    style = render({}, Report("R"), {}).split("<style>")[1].split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style


def test_links_lead_to_sections_of_the_page(whole):
    names = [attributes["id"] for _, attributes in whole.tags if "id" in attributes]
    assert max(Counter(names).values()) == 1
    targets = [str(link["href"])[1:] for link in whole.all("a")]
    assert targets == names
    assert targets[-2:] == ["quality", "how-it-ran"]


def test_every_plot_is_there_with_words_for_who_cannot_see_it(whole):
    plots = sample.report(sample.answers()).plots
    assert [image["alt"] for image in whole.all("img")] == [plot.describe() for plot in plots]
    assert {(image["width"], image["height"]) for image in whole.all("img")} == {("1254", "684")}


def test_it_tells_answers_quality_and_how_it_ran(whole):
    for told in (
        "explore-trips-0f3a9c21b7d4e6588a10-1", "SUCCEEDED", "2026-11-23T15:44:02Z",
        "26,312,870", "13 min 59 s", "75,912,332 miles", "$1,986.00", "JFK Airport",
        "26,384,919 trips were read and 26,312,870 of them (99.7 %) kept; 72,049 were set aside.",
        "Duration not positive", "26,301", "The drop-off is not after the pick-up.",
        "Duration seconds, max", "1,986,101", "86,391",
        "trip_distance", "The line has more or fewer fields than the header.", "120,331",
        "Bad value (trip_distance)", "2,2018-02-03 10:11:12",
        "not a Parquet file: no magic bytes", "mystery", "examples/data/empty.csv",
        "712 MB", "8,759,875", "Together 2.1 GB, 26,279,628 rows.", "Read and compute", "41.9 s",
        "Dask", "2026.8.0", "tables/trips_by_pickup_date.parquet", '"team": "pricing"',
    ):  # fmt: skip
        assert told in whole.text


def test_rules_that_no_trip_failed_are_left_out(whole):
    assert "Missing time" not in whole.text


@pytest.mark.parametrize("reason", RULES)
def test_every_rule_is_explained(reason):
    page = Page(render({"quality": {"trips": {"read": 9, "kept": 2}, "reasons": {reason: 7}}}, Report("R"), {}))
    meaning = RULES[reason]
    assert meaning[0].upper() + meaning[1:] in page.text


def test_no_text_of_a_spec_a_file_or_an_answer_becomes_markup():
    result = {
        "run_id": HOSTILE,
        "job": HOSTILE,
        "state": HOSTILE,
        "spec": {"labels": {HOSTILE: HOSTILE}},
        "answers": {HOSTILE: HOSTILE},
        "outputs": [{"path": HOSTILE, "bytes": 1, "media_type": HOSTILE}],
        "inputs": [{"uri": HOSTILE, "bytes": 1, "etag": HOSTILE, "rows": 1}],
        "timings": {HOSTILE: 1.0},
        "environment": {HOSTILE: HOSTILE, "started_at": HOSTILE, "finished_at": HOSTILE},
        "quality": {
            "trips": {"read": 3, "kept": 2},
            "reasons": {HOSTILE: 1},
            "effect": {HOSTILE: {"all": HOSTILE, "kept": 1}},
            "non_finite": {HOSTILE: 1},
            "lines_set_aside": {HOSTILE: 1},
            "set_aside_examples": [{"file": HOSTILE, "line": 1, "reason": HOSTILE, "text": HOSTILE}],
            "skipped_files": [{"uri": HOSTILE, "reason": HOSTILE}],
            "unrecognised_columns": {HOSTILE: [HOSTILE]},
            "empty_files": [HOSTILE],
        },
    }
    section = Section(
        HOSTILE,
        f"{HOSTILE}\n\n{HOSTILE}",
        plots=[Bars("drawn", HOSTILE, [HOSTILE], [1]), Bars("not-drawn", HOSTILE, [HOSTILE], [1])],
        tables=[Table(HOSTILE, [HOSTILE], [[HOSTILE]], HOSTILE), Table(HOSTILE, [HOSTILE], [])],
    )
    report = Report(HOSTILE, summary=[Fact(HOSTILE, HOSTILE, HOSTILE, HOSTILE)], sections=[section])
    text = render(result, report, {"drawn": PNG})
    page = Page(text)
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "b"})
    assert len(page.all("img")) == 1
    assert page.text.count('<script>alert("1")</script>') > 30
    assert "\x00" not in text
    assert text.encode("utf-8"), "what cannot be written has been replaced"


@pytest.mark.parametrize("result", [{}, {"quality": {}}, {"quality": None, "inputs": [], "timings": {}, "spec": None}])
def test_what_is_not_known_is_left_out(result):
    page = Page(render(result, Report("Just a title"), {}))
    assert "Just a title" in page.text
    assert "None" not in page.text


def test_where_everything_is_kept_the_implausible_trips_are_told_all_the_same():
    quality = {"trips": {"read": 9, "kept": 9, "plausible": 2}, "reasons": {"misdated": 7}}
    text = Page(render({"quality": quality}, Report("R"), {})).text
    assert "All 9 trips that were read were kept, the 7 that are not plausible among them." in text
    assert "set aside" not in text


def test_an_empty_run_divides_by_nothing():
    quality = {"trips": {"read": 0, "kept": 0}, "reasons": {"misdated": 0}}
    assert "All 0 trips that were read were kept." in Page(render({"quality": quality}, Report("R"), {})).text


def test_a_plot_that_was_not_drawn_is_told_in_words():
    plot = Bars("fares", "Top fares", ["JFK"], [52])
    page = Page(render({}, Report("R", sections=[Section("Fares", plots=[plot])]), {}))
    assert plot.describe() in page.text
    assert "could not be drawn" in page.text


def test_very_long_tables_and_answers_are_cut_and_say_so():
    inputs = [{"uri": f"file-{at}", "bytes": 1, "rows": 1} for at in range(10_000)]
    text = render({"inputs": inputs, "answers": {"days": list(range(100_000))}}, Report("R"), {})
    assert "The first 500 of 10,000 rows." in text
    assert "Together 10.0 kB, 10,000 rows." in text
    assert "all of it is in result.json" in text
    assert len(text) < 400_000


def test_the_spec_can_be_copied_out_of_the_page():
    spec = {"job": "explore-trips", "labels": {"team": "<pricing> & \u65e5\u672c"}}
    page = Page(render({"spec": spec}, Report("R"), {}))
    start = page.text.index("{")
    assert json.JSONDecoder().raw_decode(page.text[start:])[0] == spec
