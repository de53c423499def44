"""Writes `report.html`: a run's answers, plots, data quality and circumstances, in one file that needs no network."""

import base64
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from jobs.reports import Fact, Plot, Report, Section, Table, quantity
from jobs.runtime.page.markup import Html, paragraphs, section, table, tag, terms, together
from jobs.runtime.page.quality import quality_section
from jobs.runtime.page.run import WHEN, run_section

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""What the browser lets the page load: nothing from anywhere, whatever a spec or a file name may have smuggled in."""

TONES = {"SUCCEEDED": "good", "FAILED": "bad", "TIMED_OUT": "bad", "CANCELLED": "bad"}


def render(result: Mapping[str, Any], report: Report, images: Mapping[str, bytes]) -> str:
    """The page as HTML5.

    `result` is `jobspec.Result.model_dump()`, of which any key may be absent; `images` maps each plot's name to its
    PNG, and a plot without one leaves its description.
    """
    sections = [_section(at, part, images) for at, part in enumerate(report.sections, start=1)]
    links = [(f"part-{at}", part.title) for at, part in enumerate(report.sections, start=1)]
    links += [("quality", "Data quality"), ("how-it-ran", "How it ran")]
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{report.title} · {result.get('run_id', '')}".rstrip(" ·")),
        tag("style", Html(files(__name__).joinpath("style.css").read_text(encoding="utf-8"))),
    )
    body = tag(
        "body",
        _header(result, report),
        tag("nav", *(tag("a", title, href=f"#{name}") for name, title in links), aria_label="Sections"),
        tag("main", *sections, quality_section(result.get("quality") or {}), run_section(result)),
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _header(result: Mapping[str, Any], report: Report) -> Html:
    environment = result.get("environment") or {}
    state = str(result.get("state") or "")
    known = [("Run", str(result.get("run_id") or ""))]
    known += [(name, str(environment.get(key) or "")) for name, key in zip(("Started", "Finished"), WHEN, strict=True)]
    return tag(
        "header",
        tag(
            "p",
            tag("span", str(result.get("job") or ""), class_="job"),
            tag("span", state, class_=f"state {TONES.get(state, 'open')}") if state else None,
        ),
        tag("h1", report.title),
        terms([(name, text) for name, text in known if text]),
        tag("ul", *(_fact(fact) for fact in report.summary), class_="facts") if report.summary else None,
    )


def _fact(fact: Fact) -> Html:
    return tag(
        "li",
        tag("span", fact.label, class_="label"),
        tag("strong", quantity(fact.value, fact.unit)),
        tag("span", fact.note, class_="note") if fact.note else None,
    )


def _section(at: int, part: Section, images: Mapping[str, bytes]) -> Html:
    return section(
        f"part-{at}",
        part.title,
        paragraphs(part.text),
        tag("div", *(_figure(plot, images.get(plot.name)) for plot in part.plots), class_="plots")
        if part.plots
        else None,
        *(_table(rows) for rows in part.tables),
    )


def _figure(plot: Plot, image: bytes | None) -> Html:
    if image is None:
        return tag("figure", tag("figcaption", f"{plot.describe()} (It could not be drawn.)"), class_="missing")
    width, height = int.from_bytes(image[16:20]), int.from_bytes(image[20:24])  # where PNG has them: no jump on loading
    source = f"data:image/png;base64,{base64.b64encode(image).decode('ascii')}"
    return tag("figure", tag("img", src=source, alt=plot.describe(), width=str(width), height=str(height)))


def _table(rows: Table) -> Html:
    empty = tag("p", f"{rows.title}: no rows.", class_="note")
    return together(table(rows.title, rows.columns, rows.rows, rows.note) or empty)
