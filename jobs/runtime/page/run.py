"""The part of the page on how the job ran: inputs, times, versions, outputs, spec and answers."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from jobs.reports import number, quantity
from jobs.runtime.page.markup import Html, details, section, table, tag, terms, words

LONGEST_JSON = 100_000
WHEN = ("started_at", "finished_at")
"""Keys of `environment` that the head of the page shows."""
_FOR_PROGRAMS = ("worker_names",)


def run_section(result: Mapping[str, Any]) -> Html:
    """How the run went; what is absent from `result` is left out."""
    environment = result.get("environment") or {}
    return section(
        "how-it-ran",
        "How it ran",
        _inputs(result.get("inputs") or ()),
        _timings(result.get("timings") or {}),
        terms(
            [(words(name), number(value)) for name, value in environment.items() if name not in (*WHEN, *_FOR_PROGRAMS)]
        ),
        _outputs(result.get("outputs") or ()),
        details("The spec", _json(result.get("spec") or {})),
        details("All answers", _json(result.get("answers") or {})),
    )


def _inputs(inputs: Sequence[Mapping[str, Any]]) -> Html | None:
    sizes = [file.get("bytes") or 0 for file in inputs]
    rows = [file["rows"] for file in inputs if file.get("rows") is not None]
    counted = f", {number(sum(rows))} rows" if len(rows) == len(inputs) else ""
    return table(
        "Files read",
        ["File", "Size", "Rows"],
        [[file.get("uri"), quantity(file.get("bytes"), "bytes"), file.get("rows")] for file in inputs],
        note=f"Together {quantity(sum(sizes), 'bytes')}{counted}.",
        right=["Size"],
    )


def _timings(timings: Mapping[str, float]) -> Html | None:
    longest = max(timings.values(), default=0) or 1
    return table(
        "Time taken",
        ["Stage", "Time", ""],
        [
            [
                words(stage),
                quantity(seconds, "seconds"),
                tag("span", class_="bar", style=f"width:{seconds / longest:.1%}"),
            ]
            for stage, seconds in timings.items()
        ],
        right=["Time"],
    )


def _outputs(outputs: Sequence[Mapping[str, Any]]) -> Html | None:
    return table(
        "Files written, beside this one",
        ["File", "Size", "Type"],
        [[file.get("path"), quantity(file.get("bytes"), "bytes"), file.get("media_type")] for file in outputs],
        right=["Size"],
    )


def _json(value: object) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    if len(text) > LONGEST_JSON:
        return f"{text[:LONGEST_JSON]}\n... cut here: all of it is in result.json"
    return text
