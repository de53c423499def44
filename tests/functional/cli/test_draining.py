"""A deploy in mid-run waits, and loses nothing: `dispatch drain` and `dispatch resume` against a stack on moto."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from click.testing import CliRunner

from cli import draining
from cli.main import main
from functions.adapters.ledger_table import LedgerTable
from functions.core.ledger import Lease, Ledger, Ticket, acquire, release
from tests.chaos.world import NOON
from tests.fakes.clock import FakeClock
from tests.functional.ledger.moto_ledger import REGION, TABLE, ledger_table, runs_table

BUSY = Ledger(cap=5, leases={"a": Lease(2, NOON, NOON), "b": Lease(1, NOON, NOON)}, queue=(Ticket("c", 4, NOON, 60),))


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[LedgerTable]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    template = {"Resources": {"T": {"Type": "AWS::SQS::Queue"}}, "Outputs": {"RunsTable": {"Value": TABLE}}}
    other = {"Resources": {"T": {"Type": "AWS::SQS::Queue"}}}
    with runs_table() as dynamodb:
        cloudformation = boto3.client("cloudformation", REGION)
        cloudformation.create_stack(StackName="ours", TemplateBody=json.dumps(template))
        cloudformation.create_stack(StackName="strangers", TemplateBody=json.dumps(other))
        yield ledger_table(dynamodb, BUSY)


def dispatch(*arguments: str) -> Any:
    return CliRunner().invoke(main, arguments)


def finished(store: LedgerTable, run_id: str) -> None:
    old = store.read()
    store.commit(old, release(old, run_id, NOON))


def test_a_drain_waits_until_nobody_has_workers_and_lets_those_wait_who_wait(
    store: LedgerTable, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = []

    class Clock(FakeClock):
        def sleep(self, seconds: float) -> None:
            seen.append(sorted(store.read().leases))
            assert store.read().draining
            finished(store, "a" if "a" in store.read().leases else "b")

    draining.drain("ours", force=False, clock=Clock())
    assert seen == [["a", "b"], ["b"]]
    out = capsys.readouterr()
    assert out.out == "ours is drained: 0 runs have workers, 1 wait\n"
    assert out.err == "waiting for a, b\nwaiting for b\n"
    ledger = store.read()
    assert (ledger.draining, ledger.leases, ledger.queue, ledger.cap) == (True, {}, BUSY.queue, 5)
    newcomer = acquire(ledger, Ticket("d", 1, NOON, 60), NOON)
    assert [ticket.run_id for ticket in newcomer.queue] == ["c", "d"]


def test_by_force_nobody_waits(store: LedgerTable) -> None:
    ended = dispatch("drain", "--stack", "ours", "--force")
    assert (ended.exit_code, ended.output) == (0, "ours: 2 runs have workers, 1 wait, by force\n")
    assert store.read().draining
    assert dispatch("drain", "--stack", "ours", "--force").exit_code == 0, "twice is no harm"


def test_a_resume_lets_runs_have_workers_again(store: LedgerTable) -> None:
    old = store.read()
    store.commit(old, replace(old, draining=True))
    ended = dispatch("resume", "--stack", "ours")
    assert (ended.exit_code, ended.output) == (0, "ours goes on: 2 runs have workers, 1 wait\n")
    assert not store.read().draining


def test_a_stack_that_has_never_run_anything_can_be_drained(store: LedgerTable) -> None:
    ledger_table(store._resource, None)
    assert dispatch("drain", "--stack", "ours").output == "ours is drained: 0 runs have workers, 0 wait\n"
    assert LedgerTable(store._resource, TABLE, 5, lambda _: None).read() == Ledger(cap=5, version=1, draining=True)


def test_whoever_drains_is_told_when_somebody_resumes(store: LedgerTable) -> None:
    class Clock(FakeClock):
        def sleep(self, seconds: float) -> None:
            old = store.read()
            store.commit(old, replace(release(old, "a", NOON + timedelta(1)), draining=False))

    with pytest.raises(draining.draining.DispatchError, match="somebody has resumed the stack meanwhile"):
        draining.drain("ours", force=False, clock=Clock())


@pytest.mark.parametrize("stack", ["nobodys", "strangers"])
@pytest.mark.parametrize("command", ["drain", "resume"])
def test_only_stacks_of_ours_are_drained(store: LedgerTable, command: str, stack: str) -> None:
    ended = dispatch(command, "--stack", stack)
    assert ended.exit_code == 7
    assert f"dispatch: there is no stack in us-east-1 '{stack}'" in ended.stderr
    assert not store.read().draining
