"""Every five minutes: whatever somebody else should have done, and died before. See `functions.core.sweeping`."""

from itertools import islice
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.core.finishing import Ending
from functions.core.submission import start
from functions.core.sweeping import Swept, forgotten, sweep
from functions.unanswered import SDK_ERRORS
from functions.wiring import Wiring, wiring
from jobspec import DispatchError

logger, tracer, metrics = Logger(), Tracer(auto_patch=False), Metrics()

MOST = 100  # runs that are neither leased nor queued; the others are for the next time


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The function."""
    return handle(wiring())


def handle(wiring: Wiring) -> dict[str, Any]:
    """Tidy up; returns how much there was to do."""
    now = wiring.clock.now()

    def ended(ending: Ending) -> None:
        try:
            wiring.finish_function(ending)
        except (DispatchError, *SDK_ERRORS) as error:  # this run is for the next time; the others are for now
            logger.error("not ended", run_id=ending.run_id, error=str(error))

    swept = sweep(wiring.ledger, wiring.dask_services, wiring.executions, wiring.executions, ended, now)
    started = 0
    nowhere = (run for run in wiring.runs.open_runs() if not swept.ledger.names(run.run_id))
    for run in islice(nowhere, MOST):
        action = forgotten(run, swept.ledger, wiring.executions, now)
        if isinstance(action, Ending):
            ended(action)
        elif action:
            start(run, wiring.executions)
            started += 1
    _measure(swept, started)
    counts = {"overdue": len(swept.overdue), "stopped": len(swept.stopped), "started": started}
    logger.info("swept", counts=counts, leased=swept.ledger.workers, queued=len(swept.ledger.queue))
    return counts


def _measure(swept: Swept, started: int) -> None:
    """A metric is billed for as long as it is sent: nothing to tell, nothing sent."""
    told = {
        "OverdueLeases": len(swept.overdue),
        "StrayTasks": swept.without_lease,
        "LeasedWorkers": swept.ledger.workers,
        "QueuedRuns": len(swept.ledger.queue),
        "RunsStartedAgain": started,
    }
    for name, count in told.items():
        if count:
            metrics.add_metric(name, MetricUnit.Count, count)
