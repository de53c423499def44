"""`dispatch destroy`: a stack goes, and leaves nothing that is billed."""

from dataclasses import dataclass
from typing import Any

import click

from cli.cloud.buckets import Buckets
from cli.cloud.executions import Executions
from cli.cloud.stacks import Stacks
from cli.cloud.tasks import Tasks
from cli.stage import Stage

ROLES = ("scheduler", "worker", "client")
REASON = "the stack is being deleted"


@dataclass(frozen=True)
class Removal:
    """A stack on its way out."""

    stage: Stage
    stacks: Any
    tasks: Any
    executions: Any
    buckets: Any

    @classmethod
    def of(cls, stage: Stage) -> "Removal":
        """In the account that the credentials are of."""
        region = stage.region
        return cls(stage, Stacks(region), Tasks(region), Executions(region), Buckets(region))

    def destroy(self) -> bool:
        """Stop what runs, empty the buckets, delete the stack; returns whether there was one.

        CloudFormation deletes no bucket that holds anything, and waits for tasks that protect themselves. The
        repository empties itself. Works on a stack that is only half there too.
        """
        stack = self.stacks.find(self.stage.stack)
        if stack is not None:
            outputs = stack.outputs
            if "RunJob" in outputs:
                click.echo(f"stopped {self.executions.stop_all(outputs['RunJob'], REASON)} runs")
            if "Cluster" in outputs:
                services = [outputs["WorkerService"], outputs["SchedulerService"]]
                self.tasks.stop_all(outputs["Cluster"], services, REASON)
                click.echo("no tasks run any more")
            for bucket in [outputs[name] for name in ("SpecsBucket", "ResultsBucket") if name in outputs]:
                self.buckets.empty(bucket)
                click.echo(f"emptied {bucket}")
            click.echo(f"deleting {self.stage.stack}; this takes some minutes")
            self.stacks.delete(self.stage.stack)
        for role in ROLES:  # their old revisions were kept for runs that waited
            self.tasks.deregister(f"{self.stage.stack}-{role}")
        return stack is not None
