import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from functions.adapters.runs_table import Page
from functions.core.runs import Run
from functions.core.submission import KnownEvent, LastAttempt
from jobspec import RunState


class FakeRuns:
    """The runs table in memory; every method is one atomic step."""

    def __init__(self) -> None:
        self.rows: dict[str, Run] = {}
        self.work: dict[str, tuple[int, str]] = {}
        self.events: dict[str, KnownEvent] = {}
        self._lock = threading.Lock()

    def find(self, run_id: str) -> Run | None:
        return self.rows.get(run_id)

    def last_attempt(self, work_id: str) -> LastAttempt | None:
        if work_id not in self.work:
            return None
        attempt, run_id = self.work[work_id]
        return LastAttempt(attempt, self.rows.get(run_id))

    def known_event(self, event: str) -> KnownEvent | None:
        return self.events.get(event)

    def create(self, run: Run, after: int, event: str | None, digest: str) -> bool:
        with self._lock:
            last = self.work.get(run.work_id, (0, ""))[0]
            if run.run_id in self.rows or last != after or (event and event in self.events):
                return False
            self.rows[run.run_id] = run
            self.work[run.work_id] = (run.attempt, run.run_id)
            if event:
                self.events[event] = KnownEvent(run.run_id, digest)
            return True

    def note_event(self, event: str, run_id: str, digest: str) -> None:
        with self._lock:
            self.events.setdefault(event, KnownEvent(run_id, digest))

    def save_plan(self, run_id: str, plan: dict[str, Any], at: datetime) -> None:
        self._change(run_id, plan=plan, updated_at=at)

    def mark_cancelling(self, run_id: str, at: datetime) -> Run | None:
        self._change(run_id, cancelling=True, updated_at=at)
        return self.find(run_id)

    def page(
        self,
        limit: int,
        following: str | None = None,
        state: str | None = None,
        job: str | None = None,
        label: tuple[str, str] | None = None,
    ) -> Page:
        newest = sorted(self.rows.values(), key=lambda run: run.created_at, reverse=True)
        fitting = [
            run
            for run in newest
            if state in (None, run.state)
            and job in (None, run.job)
            and (label is None or run.labels.get(label[0]) == label[1])
        ]
        start = next((index + 1 for index, run in enumerate(fitting) if run.run_id == following), 0)
        shown = fitting[start : start + limit]
        return Page(shown, shown[-1].run_id if len(fitting) > start + limit else None)

    def open_runs(self) -> Iterator[Run]:
        oldest = sorted(self.rows.values(), key=lambda run: run.created_at)
        return iter([run for run in oldest if not run.announced])

    def end(self, run_id: str, state: RunState) -> None:
        """What finish_run does to a row."""
        self._change(run_id, state=state)

    def _change(self, run_id: str, **fields: Any) -> None:
        with self._lock:
            if run_id in self.rows and (not self.rows[run_id].state.is_final or "announced" in fields):
                self.rows[run_id] = replace(self.rows[run_id], **fields)
