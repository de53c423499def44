"""Every way in which a run can end: the event in a file, what was so before and what comes of it in the file beside."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from functions import finish_run
from functions.core import keys
from functions.core.ledger import Lease, Ledger, Ticket
from jobspec import Receipt, RunState
from tests.chaos.world import NOON, run_row
from tests.fakes.leases import leasing_wiring

EVENTS = Path(__file__).parent / "events"
NAMES = sorted(path.stem for path in EVENTS.glob("*.json") if not path.stem.endswith(".expected"))
RUN = "vendor-summary-0123456789abcdef0123-1"
OTHER = "explore-trips-0123456789abcdef0123-1"


def before(given: dict[str, Any]) -> Any:
    """A stack in which the run holds four workers, or waits for them, and another run waits behind it."""
    state = RunState(given.get("state", "RUNNING"))
    told = {name: given[name] for name in ("cancelling", "announced") if name in given}
    run = run_row(RUN, state, spec_key="specs/mine.json", task_token="token", **told)
    other = run_row(OTHER, RunState.QUEUED, task_token="token of the other")
    leases, queue = {}, [Ticket(OTHER, 6, NOON, 60)]
    lease = Lease(4, NOON, NOON + timedelta(seconds=3600))
    if given.get("waiting"):
        leases["somebody-else"] = Lease(2, NOON, NOON)
        queue.insert(0, Ticket(RUN, 8, NOON, 3600))
    elif given.get("lease", True):
        leases[RUN] = lease
    rows = [run, other, run_row("somebody-else", RunState.RUNNING)]
    wiring = leasing_wiring(Ledger(cap=8, version=1, leases=leases, queue=tuple(queue)), rows)
    for name, document in given.get("left", {}).items():
        wiring.results.write(keys.run_file(RUN, name), json.dumps(document).encode())
    return wiring


@pytest.mark.parametrize("name", NAMES)
def test_what_comes_of_an_event(name: str) -> None:
    event = json.loads((EVENTS / f"{name}.json").read_text())
    expected = json.loads((EVENTS / f"{name}.expected.json").read_text())
    then, wiring = expected["then"], before(expected["given"])
    services = wiring.dask_services
    client = services.start("client", RUN)
    strangers_client = services.start("client", OTHER)

    assert finish_run.handle(event, wiring) == {"state": then["state"]}

    run, ledger = wiring.ledger.run(RUN), wiring.ledger.read()
    assert run.state == then["state"]
    assert not ledger.names(RUN), "the lease and the ticket are gone"
    assert list(ledger.leases)[-1] == OTHER, "whoever waited has its workers"
    assert wiring.executions.answers["token of the other"][0] == "success"
    assert services.desired("worker") == ledger.workers
    assert list(services.tasks("client")) == [strangers_client], "the run's own client does not go on"
    assert services.reasons == {client.arn: f"{RUN} is {then['state']}"}
    if not then.get("told", True):
        assert (wiring.topic.told, wiring.bus.told, wiring.results.written) == ([], [], [])
        return
    if then["state"] == "SUCCEEDED":
        assert run.error is None
    else:
        assert run.error["type"] == f"urn:dispatch:error:{then['code']}"
        assert then["detail"] in run.error["detail"]
        assert {"title", "status"} <= run.error.keys()
    receipt = Receipt.model_validate_json(wiring.results.objects[keys.run_file(RUN, keys.RECEIPT)], strict=False)
    assert (receipt.state, receipt.total_usd) == (run.state, run.cost_usd)
    answer = json.loads(wiring.specs.objects["answers/specs/mine.json.run.json"])
    assert (answer["state"], answer["error"], answer["cost_usd"]) == (run.state, run.error, run.cost_usd)
    assert answer["links"]["receipt"] == f"s3://the-results/runs/{RUN}/receipt.json"
    assert wiring.topic.told == wiring.bus.told == [answer]


def test_every_event_lies_beside_its_outcome() -> None:
    assert len(NAMES) >= 20
    assert all((EVENTS / f"{name}.expected.json").exists() for name in NAMES)


def event(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text())


def test_an_end_that_is_told_twice_happens_once() -> None:
    wiring = before({})
    assert finish_run.handle(event("the-client-took-too-long"), wiring) == {"state": "TIMED_OUT"}
    first = wiring.ledger.run(RUN), wiring.ledger.read(), list(wiring.results.written)
    assert finish_run.handle(event("the-last-state-failed"), wiring) == {"state": "TIMED_OUT"}
    assert (wiring.ledger.run(RUN), wiring.ledger.read(), list(wiring.results.written)) == first
    assert len(wiring.topic.told) == len(wiring.bus.told) == 1


@pytest.mark.parametrize("letter", ["x", "ü", "\U0001f695", "\ud800"])
def test_an_error_of_any_length_ends_its_run(letter: str) -> None:
    error = {"type": "urn:dispatch:error:internal", "title": "Internal", "status": 500, "detail": letter * 450_000}
    wiring = before({"left": {"error.json": error | {"more": "y" * 300_000}}})
    assert finish_run.handle(event("the-client-found-bad-data-and-said-so"), wiring) == {"state": "FAILED"}
    kept = wiring.ledger.run(RUN).error
    assert len(json.dumps(kept)) < 40_000
    assert kept["detail"].startswith(letter.encode("utf-8", "replace").decode() * 1_000)
    assert kept["detail"].endswith("(error.json and the log have the rest)")
    (told,) = wiring.topic.told
    assert len(json.dumps(told)) < 100_000, "SNS takes 256 KB"


def test_an_end_that_was_not_made_known_is_made_known_by_the_next_call() -> None:
    wiring = before({})

    class Broken:
        def publish(self, notice: Any) -> None:
            raise OSError("no way out")

    working, wiring.topic = wiring.topic, Broken()
    with pytest.raises(OSError, match="no way out"):
        finish_run.handle(event("the-client-took-too-long"), wiring)
    wiring.topic = working
    finish_run.handle(event("the-client-took-too-long"), wiring)
    assert [told["state"] for told in wiring.topic.told] == ["TIMED_OUT"]
    assert wiring.ledger.run(RUN).announced


def test_a_run_that_never_ran_cannot_succeed_whatever_lies_in_its_folder() -> None:
    wiring = before({"state": "SCALING", "left": {"result.json": {"run_id": RUN}}})
    assert finish_run.handle(event("the-client-succeeded"), wiring) == {"state": "FAILED"}


def test_a_late_end_of_one_attempt_does_not_touch_the_next() -> None:
    wiring = before({"state": "TIMED_OUT", "lease": False, "announced": True})
    following = RUN[:-1] + "2"
    lease = Lease(1, NOON, NOON)
    wiring.ledger.put(run_row(following, RunState.RUNNING))
    wiring.ledger.ledger = replace(wiring.ledger.ledger, leases={following: lease}, queue=())
    finish_run.handle(event("the-last-state-failed"), wiring)
    assert wiring.ledger.read().leases == {following: lease}
    assert wiring.ledger.run(following).state is RunState.RUNNING


def test_an_execution_that_is_nobodys_run_changes_nothing() -> None:
    wiring = before({})
    stranger = event("aborted-in-the-console")
    stranger["detail"]["name"] = "a-test-of-the-console"
    assert finish_run.handle(stranger, wiring) == {"state": None}
    assert RUN in wiring.ledger.read().leases
    assert wiring.topic.told == []


def test_the_bill_is_that_of_the_workers_that_the_result_names() -> None:
    wiring = before({})
    services = wiring.dask_services
    services.now = NOON
    used, _ = services.start("worker"), services.start("worker")
    result = {"environment": {"worker_names": [used.name]}}
    wiring.results.write(keys.run_file(RUN, keys.RESULT), json.dumps(result).encode())
    wiring.clock.at = NOON + timedelta(minutes=30)
    finish_run.handle(event("the-client-succeeded"), wiring)
    bill = wiring.ledger.run(RUN).receipt["bill"]
    assert [(line["what"], line["seconds"]) for line in bill] == [
        ("worker, 2 vCPU, 4 GB", 1800.0),
        ("public IPv4 addresses", 1800.0),
    ]
