"""From the tally of a whole run to its answers and its account of quality."""

from collections.abc import Mapping
from typing import Any

from jobs.questions import ALL, Columns, Export, Missing, Question, Seen
from jobs.runtime.answering import Asked, has_headline
from jobs.runtime.plan import Plan, check_any_read
from jobs.runtime.tally import Example, Range, Tally
from jobs.runtime.tripfile import TripFile
from jobs.trips import REASONS, printed_name
from jobspec import UnreadableFile


def answers(tally: Tally, asked: Asked, plan: Plan) -> dict[str, Any]:
    """The answer to every question, in the order in which the job asks."""
    # A file without trips has no unit to say which columns it has.
    read = [file for file in plan.files if file.uri not in tally.skipped]
    tally.seen += Seen(0, frozenset(name for file in read for name in file.columns()))
    return {
        name: question.finish(_partial(name, question, tally, asked.keeps_all), plan.taxi)
        for name, question in asked.questions.items()
    }


def _partial(name: str, question: Question, tally: Tally, keeps_all: bool) -> Any:
    if isinstance(question, (Missing, Columns)):
        return tally.seen
    if isinstance(question, Export):
        return tally.parts
    kept = tally.kept.get(name, question.empty())
    if keeps_all or question.where == ALL:
        return question.merge(kept, tally.aside.get(name, question.empty()))
    return kept


def quality(tally: Tally, asked: Asked, plan: Plan) -> dict[str, Any]:
    """What was set aside and why, what it would have changed, and everything else a reader should know of the data."""
    read = tally.seen.rows
    kept = read if asked.keeps_all else tally.kept_trips
    return {
        "taxi": plan.taxi.value,
        "trips": {"read": read, "kept": kept, "set_aside": read - kept},
        "reasons": {reason.name.lower(): tally.reasons[reason] for reason in REASONS},
        "effect": _effect(tally, asked),
        "non_finite": _by_column(tally.non_finite, plan),
        "uncastable": _by_column(tally.uncastable, plan),
        "lines_set_aside": dict(sorted(tally.lines_set_aside.items())),
        "truncated_line": tally.lines_set_aside["truncated_line"],
        "unterminated": tally.unterminated,
        "set_aside_examples": [_example(example, tally, plan) for example in tally.examples],
        "skipped_files": [{"uri": uri, "reason": why} for uri, why in sorted((plan.skipped | tally.skipped).items())],
        "empty_files": [file.uri for file in plan.files if file.format == "empty"],
        "unrecognised_columns": _unrecognised(plan),
    }


def _effect(tally: Tally, asked: Asked) -> dict[str, dict[str, Any]]:
    """Each headline statistic over all trips read beside the plausible ones."""
    effect = {}
    for name, question in asked.filled.items():
        if not has_headline(question):
            continue
        kept = tally.kept.get(name, question.empty())
        every = question.merge(kept, tally.aside.get(name, question.empty()))
        over_kept, over_all = question.headline(kept), question.headline(every)
        for statistic, value in over_all.items():
            key = f"{name}.{statistic}" if statistic else name
            effect[key] = {"all": value, "kept": over_kept[statistic]}
    return effect


def _by_column(counts: Mapping[str, int], plan: Plan) -> dict[str, int]:
    return {printed_name(name, plan.taxi): count for name, count in sorted(counts.items())}


def _example(example: Example, tally: Tally, plan: Plan) -> dict[str, Any]:
    file = next(file for file in plan.files if file.uri == example.uri)
    return {
        "file": example.uri,
        "line": line_number(example, tally.ranges[example.uri], file),
        "reason": example.line.reason,
        "column": example.line.detail.strip() or None,
        "text": example.line.text,
    }


def line_number(example: Example, ranges: tuple[Range, ...], file: TripFile) -> int:
    """The line's number in its file, from 1: ranges know only how many lines they hold themselves."""
    before = sum(r.lines for r in ranges if r.start < example.line.range_start)
    return file.header_lines + before + example.line.line


def _unrecognised(plan: Plan) -> dict[str, list[str]]:
    """Columns that mean nothing to us and the files that have them; of many files the first three."""
    found: dict[str, list[str]] = {}
    for file in plan.files:
        for name in file.unrecognised():
            found.setdefault(name, []).append(file.uri)
    return {name: uris[:3] for name, uris in sorted(found.items())}


def check_whole(tally: Tally, plan: Plan) -> None:
    """Every byte of every CSV was read once, and every row of every Parquet file; raises UnreadableFile otherwise.

    Files that were skipped do not count, but there must be others: raises DataError where there are none.
    """
    check_any_read(plan, tally.skipped)
    for file in plan.files:
        if file.uri in tally.skipped or file.format == "empty":
            continue
        if file.format == "parquet":
            if tally.trips[file.uri] != file.trips:
                raise UnreadableFile(file.uri, f"{file.trips:,} rows in its footer, {tally.trips[file.uri]:,} read")
        elif file.format == "csv":
            _check_tiled(file, sorted(tally.ranges.get(file.uri, ()), key=lambda r: (r.start, r.end)))


def _check_tiled(file: TripFile, ranges: list[Range]) -> None:
    at = file.body
    for piece in ranges:
        if piece.start != at:
            raise UnreadableFile(file.uri, f"bytes {at:,} to {piece.start:,} were read twice or not at all")
        at = piece.end
    if at != file.input.bytes:
        raise UnreadableFile(file.uri, f"bytes {at:,} to {file.input.bytes:,} were not read")
