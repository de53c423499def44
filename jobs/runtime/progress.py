"""How far a run has come: events for whoever wants to show them."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TextIO


@dataclass(frozen=True)
class Event:
    """A run enters or advances in a stage: `done` of `total` units, or 0 of 0 where there is nothing to count."""

    stage: str
    done: int = 0
    total: int = 0


Progress = Callable[[Event], None]


def silent(event: Event) -> None:
    """Show nothing."""


def json_lines(stream: TextIO, every_seconds: float = 5.0) -> Progress:
    """A line of JSON for each stage, and within one at most every few seconds: for a log."""
    last: list[tuple[str, float]] = [("", 0.0)]

    def show(event: Event) -> None:
        now = time.monotonic()
        stage, at = last[0]
        if stage != event.stage or now - at >= every_seconds or (event.total and event.done == event.total):
            last[0] = (event.stage, now)
            print(json.dumps({"event": "progress"} | asdict(event)), file=stream, flush=True)

    return show
