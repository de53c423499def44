"""What `dispatch run` shows people: a bar on a terminal, lines of JSON in a log, and what came out."""

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from jobs.runtime.progress import Event, Progress
    from jobs.runtime.run import Outcome

_WORDS = {
    "resolve": "Finding the files",
    "plan": "Looking at the files",
    "workers": "Waiting for workers",
    "compute": "Reading and computing",
    "run": "Running the job",
    "present": "Writing tables and the report",
    "done": "Done",
}


@contextlib.contextmanager
def progress(quiet: bool) -> "Iterator[Progress]":
    """A way to show progress that suits standard error."""
    from jobs.runtime.progress import json_lines, silent

    if quiet:
        yield silent
    elif not sys.stderr.isatty():
        yield json_lines(sys.stderr)
    else:
        with _bar() as show:
            yield show


@contextlib.contextmanager
def _bar() -> "Iterator[Progress]":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<30}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task("", total=None)

        stage = ""

        def show(event: "Event") -> None:
            nonlocal stage
            entered, stage = event.stage != stage, event.stage
            # A stage with nothing to count leaves the bar where it is: back at 0 it would look like a second run.
            counted: dict[str, Any] = {"completed": event.done, "total": event.total} if event.total else {}
            bars.update(bar, description=_WORDS.get(event.stage, event.stage), refresh=entered, **counted)

        yield show


def outcome(outcome: "Outcome") -> None:
    """The headline figures, what was set aside, and where everything is."""
    result = outcome.result
    quality = result.quality
    read, kept = quality["trips"]["read"], quality["trips"]["kept"]
    click.echo(f"{outcome.run_id}: {outcome.state}")
    click.echo(f"  {read:,} trips read, {kept:,} kept")
    for reason, count in quality["reasons"].items():
        if count:
            click.echo(f"    {reason:<24}{count:>14,}")
    for reason, count in quality["lines_set_aside"].items():
        click.echo(f"    lines: {reason:<17}{count:>14,}")
    for file in quality["skipped_files"]:
        click.echo(f"    skipped {file['uri']}: {file['reason']}")
    for name, value in result.answers.items():
        if not isinstance(value, list):
            click.echo(f"  {name}: {_plain(value)}")
    seconds = result.timings
    click.echo(f"  computed in {seconds['compute']:.2f} s, all in all {seconds['total']:.2f} s")
    click.echo(f"  result: {outcome.result_path}")
    for output in result.outputs:
        if output.media_type == "text/html":
            click.echo(f"  {output.name}: {outcome.result_path.removesuffix('result.json')}{output.path}")


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(item)}" for key, item in list(value.items())[:8]) + (
            " ..." if len(value) > 8 else ""
        )
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
