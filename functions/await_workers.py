"""State AwaitWorkers: makes ECS match the leases, and says whether the run has enough workers to start."""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.core.leasing import RunChange
from functions.core.planning import seconds_left
from functions.core.scaling import readiness, reconcile
from functions.unanswered import sdk_errors_as_unanswered
from functions.wiring import Wiring, wiring
from jobspec import Cancelled, RunState

logger, tracer = Logger(), Tracer(auto_patch=False)


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The function."""
    with sdk_errors_as_unanswered():
        return handle(event, wiring())


def handle(event: dict[str, Any], wiring: Wiring) -> dict[str, Any]:
    """`{run_id, workers, granted_at, start_seconds, timeout_seconds, paid_seconds}` to `{ready, scheduler, count,
    timeout_seconds}`, the last one the client's, for whom less is left the longer its workers took to come.

    A run that is ready is RUNNING from then on. Raises NoWorkers when the time is over, TimedOut when its money is
    spent, and Cancelled where the run has ended, or was asked to.
    """
    run_id, now = event["run_id"], wiring.clock.now()
    reconcile(wiring.ledger, wiring.dask_services)
    ledger = wiring.ledger.read()
    if run_id not in ledger.leases:
        raise Cancelled(f"{run_id} has no workers any more: it has ended")
    services = wiring.dask_services
    found = readiness(
        ledger, run_id, services.tasks("scheduler"), services.tasks("worker"), event["start_seconds"], now
    )
    logger.info("workers", run_id=run_id, **asdict(found))
    waited = (now - ledger.leases[run_id].granted_at).total_seconds()
    left = seconds_left(event["timeout_seconds"], event["paid_seconds"], waited)
    if found.ready:
        running = RunChange(run_id, RunState.RUNNING, now, {"task_token": None})
        if not wiring.ledger.change(running):
            raise Cancelled(f"{run_id} was asked to stop before it started")
    return asdict(found) | {"timeout_seconds": left}
