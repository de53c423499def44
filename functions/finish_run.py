"""State FinishRun, and word of an execution that ended without it: the final state, the workers given back, the bill.

What others wait for comes first: the lease goes with the run's final state, the next run is woken, ECS is told. Then
the clients that still run are stopped, and the run's end is made known. A call that breaks off is made again by Step
Functions, EventBridge or the janitor, and does what is left to do.
"""

import json
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.core import keys
from functions.core.answers import run_document
from functions.core.finishing import Ending, Left, ending_of, final_state
from functions.core.leasing import RunChange, finish, wake
from functions.core.ledger import Ledger
from functions.core.receipt import Used, receipt
from functions.core.runs import Run
from functions.core.scaling import Task, reconcile
from functions.wiring import Wiring, wiring

logger, tracer, metrics = Logger(), Tracer(auto_patch=False), Metrics()


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The function."""
    return handle(event, wiring())


def handle(event: dict[str, Any], wiring: Wiring) -> dict[str, Any]:
    """The state's `{run_id, input}`, or EventBridge's status change, to `{state}`, the final one of the run.

    The state is None for an execution of that name that is nobody's run.
    """
    ending, now = ending_of(event), wiring.clock.now()
    evidence = _Evidence.of(ending, wiring)

    def decided(run: Run, ledger: Ledger) -> RunChange:
        state, problem = final_state(ending, evidence.left, run, ledger)
        bill = receipt(run, state, evidence.used(run, ledger), wiring.tariff, now)
        told = {"error": problem, "receipt": bill.model_dump(mode="json"), "cost_usd": bill.total_usd}
        return RunChange(run.run_id, state, now, told | {"task_token": None})

    ended = finish(wiring.ledger, ending.run_id, decided, now)
    wake(wiring.ledger, wiring.executions, now)
    reconcile(wiring.ledger, wiring.dask_services)
    run = wiring.ledger.run(ending.run_id)
    if run is None:
        logger.warning("an execution ended that is nobody's run", execution=ending.run_id)
        return {"state": None}
    for task in evidence.clients:
        if task.status != "STOPPED":
            wiring.dask_services.stop(task, f"{run.run_id} is {run.state}")
    if not run.announced:
        _announce(run, wiring)
    if ended:
        logger.info("ended", run_id=run.run_id, state=run.state, error=run.error, cost_usd=run.cost_usd)
        metrics.add_metric(f"Runs{run.state.title().replace('_', '')}", MetricUnit.Count, 1)
    return {"state": run.state}


@dataclass(frozen=True)
class _Evidence:
    """What the client and ECS have to say about a run."""

    left: Left
    clients: list[Task]
    workers: list[Task]
    schedulers: list[Task]

    @classmethod
    def of(cls, ending: Ending, wiring: Wiring) -> "_Evidence":
        result = _document(ending.run_id, keys.RESULT, wiring)
        error = None if result else _document(ending.run_id, keys.ERROR, wiring)
        services = wiring.dask_services
        clients = [*services.tasks("client"), *services.stopped("client")]
        return cls(
            Left(result, error),
            [task for task in clients if task.run_id == ending.run_id],
            [*services.tasks("worker"), *services.stopped("worker")],
            [*services.tasks("scheduler"), *services.stopped("scheduler")],
        )

    def used(self, run: Run, ledger: Ledger) -> Used:
        """What the run pays for, going by the lease that it holds."""
        lease = ledger.leases.get(run.run_id)
        environment = (self.left.result or {}).get("environment", {})
        return Used(
            clients=self.clients,
            workers=self.workers,
            schedulers=self.schedulers,
            granted_at=lease.granted_at if lease else None,
            leased=lease.workers if lease else 0,
            claimed=frozenset(environment.get("worker_names", [])),
            scheduler_share=lease.workers / ledger.workers if lease else 1.0,
        )


def _announce(run: Run, wiring: Wiring) -> None:
    """Write and publish how the run ended; all of it follows from its row, and may be done again."""
    results = wiring.settings.results_bucket
    document = run_document(run, results)
    wiring.results.write(keys.run_file(run.run_id, keys.RECEIPT), _json(run.receipt))
    if run.spec_key:
        wiring.specs.write(keys.run_answer(run.spec_key), _json(document))
    wiring.topic.publish(document)
    wiring.bus.publish(document)
    wiring.ledger.note_announced(run.run_id)


def _document(run_id: str, name: str, wiring: Wiring) -> dict[str, Any] | None:
    """One of the run's JSON files; None where there is none, or none that can be read."""
    content = wiring.results.read(keys.run_file(run_id, name))
    try:
        document = json.loads(content) if content else None
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _json(document: Any) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
