"""`dispatch drain` and `dispatch resume`: a stack before and after a deploy."""

import os
import time

import boto3
import click

from cli.cloud.stacks import Stacks
from functions.adapters.ledger_table import LedgerTable
from functions.core import draining
from functions.core.clock import Clock, SystemClock
from functions.core.ledger import Ledger
from jobspec import NotFound

OUTPUT = "RunsTable"
"""The stack's output that names its runs table."""


def drain(stack: str, force: bool, clock: Clock | None = None) -> None:
    """Let no run have workers any more, and wait for those that have some, or with `force` do not."""
    ledger = draining.drain(_ledger_of(stack), clock or SystemClock(), not force, _tell)
    click.echo(f"{stack} is drained: {_words(ledger)}" if not ledger.leases else f"{stack}: {_words(ledger)}, by force")


def resume(stack: str) -> None:
    """Let runs have workers again."""
    click.echo(f"{stack} goes on: {_words(draining.resume(_ledger_of(stack)))}")


def _ledger_of(stack: str) -> LedgerTable:
    """The ledger of a stack. Raises NotFound for a stack that is not there, or that is none of ours."""
    region = boto3.Session().region_name or os.environ.get("AWS_REGION", "us-east-1")
    found = Stacks(region).find(stack)
    if found is None or OUTPUT not in found.outputs:
        raise NotFound(f"stack in {region}", stack)
    return ledger_in(region, found.outputs[OUTPUT])


def ledger_in(region: str, runs_table: str) -> LedgerTable:
    """The ledger in that table. The command line does not know the cap, and leaves the ledger the one that it has."""
    return LedgerTable(boto3.resource("dynamodb", region), runs_table, None, time.sleep)


def _tell(ledger: Ledger) -> None:
    click.echo(f"waiting for {', '.join(sorted(ledger.leases))}", err=True)


def _words(ledger: Ledger) -> str:
    return f"{len(ledger.leases)} runs have workers, {len(ledger.queue)} wait"
