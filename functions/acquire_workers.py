"""State AcquireWorkers: a lease at once, or a place in the queue until somebody sends the task's token back."""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.core.leasing import acquire, refuse
from functions.core.ledger import Ticket
from functions.core.scaling import reconcile
from functions.unanswered import sdk_errors_as_unanswered
from functions.wiring import Wiring, wiring
from jobspec import DispatchError, Unanswered

logger, tracer = Logger(), Tracer(auto_patch=False)


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """The function."""
    with sdk_errors_as_unanswered():
        handle(event, wiring())


def handle(event: dict[str, Any], wiring: Wiring) -> None:
    """`{run_id, workers, token, timeout_seconds}`; what comes of it goes to the token, now or later."""
    now = wiring.clock.now()
    ticket = Ticket(event["run_id"], event["workers"], now, event["timeout_seconds"])
    try:
        lease = acquire(wiring.ledger, wiring.executions, ticket, event["token"], now)
    except Unanswered:
        raise
    except DispatchError as error:
        logger.warning("refused", run_id=ticket.run_id, problem=error.as_problem())
        refuse(wiring.executions, event["token"], error)
        return
    logger.info("granted" if lease else "queued", run_id=ticket.run_id, workers=ticket.workers)
    if lease:
        reconcile(wiring.ledger, wiring.dask_services)
