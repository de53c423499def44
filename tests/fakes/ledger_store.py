"""The ledger and the runs in memory."""

from collections.abc import Mapping
from dataclasses import replace

from functions.core.leasing import Outcome, RunChange
from functions.core.ledger import Ledger
from functions.core.runs import Run


class FakeLedgerStore:
    """A `LedgerStore`. Its state is two attributes that are replaced, never changed: a snapshot is a copy of them."""

    def __init__(self, ledger: Ledger, runs: Mapping[str, Run] | None = None) -> None:
        self.ledger = ledger
        self.runs: Mapping[str, Run] = dict(runs or {})

    def read(self) -> Ledger:
        return self.ledger

    def run(self, run_id: str) -> Run | None:
        return self.runs.get(run_id)

    def commit(self, old: Ledger, new: Ledger, change: RunChange | None = None) -> Outcome:
        if old.version != self.ledger.version:
            return Outcome.STALE
        if change and not self.change(change):
            return Outcome.REFUSED
        self.ledger = replace(new, version=old.version + 1)
        return Outcome.DONE

    def change(self, change: RunChange) -> bool:
        run = self.runs.get(change.run_id)
        stopped = run is not None and run.cancelling and not change.state.is_final
        if run is None or run.state not in change.sources or stopped:
            return False
        changed = replace(run, state=change.state, updated_at=change.at, **change.fields)
        self.runs = {**self.runs, change.run_id: changed}
        return True

    def note_announced(self, run_id: str) -> None:
        self.put(replace(self.runs[run_id], announced=True))

    def put(self, run: Run) -> None:
        """Make or replace a run's row, as others do."""
        self.runs = {**self.runs, run.run_id: run}

    def copy(self) -> "FakeLedgerStore":
        twin = FakeLedgerStore.__new__(FakeLedgerStore)
        twin.__dict__.update(self.__dict__)
        return twin
