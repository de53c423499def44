"""The part of the page on data quality: what was read, what was set aside and why, and what that changed."""

from collections.abc import Mapping
from typing import Any

from jobs.reports import number, quantity
from jobs.reports.numbers import Value
from jobs.runtime.page.markup import Html, section, table, tag, together, words
from jobs.trips.rules import REASONS

RULES: Mapping[str, str] = {reason.name.lower(): meaning for reason, meaning in REASONS.items()}
LINE_REASONS: Mapping[str, str] = {
    "truncated_line": "the file ends in the middle of this line",
    "field_count": "the line has more or fewer fields than the header",
    "bad_value": "a field that the job reads cannot be understood",
}


def quality_section(quality: Mapping[str, Any]) -> Html:
    """All that is known of the quality of the data; what is absent from `quality` is left out."""
    return section(
        "quality",
        "Data quality",
        _trips(quality.get("trips") or {}, quality.get("reasons") or {}),
        _reasons(quality.get("reasons") or {}, quality.get("trips") or {}),
        _effect(quality.get("effect") or {}),
        _values(quality.get("non_finite") or {}, quality.get("uncastable") or {}),
        _lines(quality),
        _files(quality),
    )


def _trips(trips: Mapping[str, int], reasons: Mapping[str, int]) -> Html | None:
    read, kept = trips.get("read"), trips.get("kept")
    if read is None or kept is None:
        return None
    if read == kept:
        implausible = sum(reasons.values())
        among = f", the {number(implausible)} that are not plausible among them" if implausible else ""
        return tag("p", f"All {number(read)} trips that were read were kept{among}.")
    share = quantity(100 * kept / read, "%")
    return tag(
        "p",
        f"{number(read)} trips were read and {number(kept)} of them ({share}) kept; {number(read - kept)} were set "
        "aside. Each of these counts once, for the first rule that it fails.",
    )


def _reasons(reasons: Mapping[str, int], trips: Mapping[str, int]) -> Html | None:
    read = trips.get("read")
    rows = [
        [words(reason), count, quantity(100 * count / read, "%") if read else None, _meaning(RULES, reason)]
        for reason, count in reasons.items()
        if count
    ]
    return table(
        "Trips that are not plausible, by rule",
        ["Rule", "Trips", "Of all read", "Meaning"],
        rows,
        right=["Of all read"],
    )


def _effect(effect: Mapping[str, Mapping[str, Any]]) -> Html | None:
    rows = [[words(name), number(both.get("all")), number(both.get("kept"))] for name, both in effect.items()]
    return table(
        "What trips that are not plausible change",
        ["Statistic", "Over all trips", "Over the plausible"],
        rows,
        note="Both are computed in the same pass over the data.",
        right=["Over all trips", "Over the plausible"],
    )


def _values(non_finite: Mapping[str, int], uncastable: Mapping[str, int]) -> Html | None:
    columns = dict.fromkeys([*non_finite, *uncastable])
    counts: list[list[Value]] = [[name, non_finite.get(name, 0), uncastable.get(name, 0)] for name in columns]
    return table(
        "Values taken as missing",
        ["Column", "Not a number, or infinite", "Not exact in the column's type"],
        [row for row in counts if any(row[1:])],
    )


def _lines(quality: Mapping[str, Any]) -> Html:
    set_aside = {"truncated_line": quality.get("truncated_line") or 0, **(quality.get("lines_set_aside") or {})}
    unterminated = quality.get("unterminated") or 0
    return together(
        table(
            "Lines set aside",
            ["Reason", "Lines", "Meaning"],
            [[words(reason), count, _meaning(LINE_REASONS, reason)] for reason, count in set_aside.items() if count],
        ),
        tag("p", f"Files whose last line has no line end, but is whole and was kept: {number(unterminated)}.")
        if unterminated
        else None,
        table(
            "Examples of lines set aside",
            ["File", "Line", "Reason", "Text"],
            [
                [
                    example.get("file"),
                    example.get("line"),
                    _cause(example),
                    _code(example.get("text")),
                ]
                for example in quality.get("set_aside_examples") or ()
            ],
        ),
    )


def _files(quality: Mapping[str, Any]) -> Html:
    return together(
        table(
            "Files skipped",
            ["File", "Reason"],
            [[skipped.get("uri"), skipped.get("reason")] for skipped in quality.get("skipped_files") or ()],
        ),
        table("Files without any trip", ["File"], [[uri] for uri in quality.get("empty_files") or ()]),
        table(
            "Columns that are not known, and were not read",
            ["Column", "Files"],
            [[name, ", ".join(files)] for name, files in (quality.get("unrecognised_columns") or {}).items()],
        ),
    )


def _meaning(meanings: Mapping[str, str], reason: str) -> str:
    meaning = meanings.get(reason, "")
    return meaning and f"{meaning[0].upper()}{meaning[1:]}."


def _cause(example: Mapping[str, Any]) -> str:
    column = example.get("column")
    return words(example.get("reason") or "") + (f" ({column})" if column else "")


def _code(text: str | None) -> Html:
    return tag("code", (text or "")[:300])
