"""`dispatch destroy`: a stack goes, and leaves nothing that is billed.

In this order, because each step would undo the next: nobody begins a run any more; those that have begun end, and hand
their workers back; their last words are written; the tasks stop; the buckets are emptied; the stack is deleted. Every
step takes what is gone already for done, so whoever was interrupted, or left with DELETE_FAILED, does it again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import click

from cli.cloud.buckets import Buckets
from cli.cloud.executions import Executions
from cli.cloud.functions import Functions
from cli.cloud.stacks import Stacks
from cli.cloud.tasks import Tasks
from cli.draining import ledger_in
from cli.stage import Stage
from functions.core import draining
from functions.core.clock import Clock, SystemClock
from functions.core.leasing import LedgerStore
from jobspec import DispatchError, Refused

ROLES = ("scheduler", "worker", "client")
REASON = "the stack is being deleted"
BEGIN_RUNS = ("ApiFunction", "SubmitFunction", "JanitorFunction")
"""Who starts executions, or has them started. What lies in the queue stays there."""
SERVICES = ("WorkerService", "SchedulerService")
BUCKETS = ("SpecsBucket", "ResultsBucket")
END_SECONDS = 180.0  # FinishRun may take a minute, and Lambda calls it again where it failed
POLL_SECONDS = 5.0
TRIES = 3
"""A function that was under way may write for two minutes after it was closed, and a network interface of Fargate's may
outlive its task: CloudFormation fails at either, and does not when it is asked again."""


@dataclass(frozen=True)
class Removal:
    """A stack on its way out."""

    stage: Stage
    stacks: Any
    tasks: Any
    executions: Any
    buckets: Any
    functions: Any
    ledger_in: Callable[[str, str], LedgerStore] = ledger_in
    clock: Clock = field(default_factory=SystemClock)

    @classmethod
    def of(cls, stage: Stage) -> "Removal":
        """In the account that the credentials are of."""
        region = stage.region
        return cls(stage, Stacks(region), Tasks(region), Executions(region), Buckets(region), Functions(region))

    def destroy(self) -> bool:
        """Do all of it; returns whether there was a stack. Works on one that is only half there too.

        Raises Refused for a stack that CloudFormation is busy with, DispatchError for what would not go.
        """
        stack = self.stacks.find(self.stage.stack)
        if stack is not None:
            if stack.status.endswith("_IN_PROGRESS") and stack.status != "DELETE_IN_PROGRESS":
                raise Refused(f"{stack.name} is {stack.status}: wait until that has ended, then destroy it")
            there = self.stacks.resources(stack.name)
            self._close(there, *BEGIN_RUNS)
            self._end_runs(there)
            self._close(there, "FinishRunFunction")
            if "Cluster" in there:
                self.tasks.stop_all(there["Cluster"], [there[name] for name in SERVICES if name in there], REASON)
                click.echo("no tasks run any more")
            self._delete(there)
        for role in ROLES:  # their old revisions were kept for runs that waited
            self.tasks.deregister(f"{self.stage.stack}-{role}")
        return stack is not None

    def _close(self, there: Mapping[str, str], *functions: str) -> None:
        for function in (there[name] for name in functions if name in there):
            self.functions.close(function)

    def _end_runs(self, there: Mapping[str, str]) -> None:
        """Stop every execution, and wait until FinishRun, which EventBridge calls, has given back what each held."""
        ledger = self.ledger_in(self.stage.region, there["RunsTable"]) if "RunsTable" in there else None
        if ledger is not None:
            draining.drain(ledger, self.clock, wait=False, told=lambda _: None)
        stopped, until = 0, self.clock.now().timestamp() + END_SECONDS
        while True:
            stopping = self.executions.stop_all(there["RunJob"], REASON) if "RunJob" in there else 0
            stopped += stopping
            unended = _unended(ledger)
            if not (stopping or unended) or self.clock.now().timestamp() > until:
                break
            self.clock.sleep(POLL_SECONDS)
        click.echo(f"stopped {stopped} runs")
        if unended:
            click.echo(f"{unended} runs have not ended in {END_SECONDS:g} s: they get no receipt", err=True)

    def _delete(self, there: Mapping[str, str]) -> None:
        """Empty and delete, again where something was written meanwhile. Raises DispatchError for what would not go."""
        for attempt in range(1, TRIES + 1):
            for bucket in (there[name] for name in BUCKETS if name in there):
                self.buckets.empty(bucket)
                click.echo(f"emptied {bucket}")
            click.echo(f"deleting {self.stage.stack}; this takes some minutes")
            try:
                self.stacks.delete(self.stage.stack)
                return
            except DispatchError as error:
                if attempt == TRIES:
                    raise
                click.echo(f"{error}; once more", err=True)


def _unended(ledger: LedgerStore | None) -> int:
    if ledger is None:
        return 0
    found = ledger.read()
    return len(found.leases) + len(found.queue)
