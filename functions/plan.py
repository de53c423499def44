"""State Plan: how many workers the run gets, how long it may take, and where what it reads is listed."""

import json
from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.core import keys
from functions.core.planning import plan
from functions.unanswered import sdk_errors_as_unanswered
from functions.wiring import Wiring, wiring
from jobspec import InputFile, NotFound, parse_spec

logger, tracer = Logger(), Tracer(auto_patch=False)


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The function."""
    with sdk_errors_as_unanswered():
        return handle(event, wiring())


def handle(event: dict[str, Any], wiring: Wiring) -> dict[str, Any]:
    """`{run_id, spec}` to the plan that the states behind this one go by. Raises TooManyWorkers, OverBudget."""
    run_id, bucket = event["run_id"], wiring.settings.results_bucket
    inputs_key = keys.run_file(run_id, keys.INPUTS)
    spec = parse_spec(_read(event["spec"].removeprefix(f"s3://{bucket}/"), wiring), wiring.jobs)
    inputs = [InputFile.model_validate(one) for one in json.loads(_read(inputs_key, wiring))]
    planned = plan(wiring.jobs[spec.job], spec, inputs, wiring.stack)
    wiring.runs.save_plan(run_id, planned.as_dict(), wiring.clock.now())
    logger.info("planned", run_id=run_id, plan=planned.as_dict())
    return {
        "workers": planned.workers,
        "timeout_seconds": planned.timeout_seconds,
        "paid_seconds": planned.paid_seconds,
        "queue_seconds": planned.queue_seconds,
        "start_seconds": planned.start_seconds,
        "inputs": f"s3://{bucket}/{inputs_key}",
        "results": f"s3://{bucket}",
    }


def _read(key: str, wiring: Wiring) -> bytes:
    content = wiring.results.read(key)
    if content is None:
        raise NotFound("object", key)
    return content
