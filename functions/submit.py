"""The only door to a new run: specs dropped into S3 and schedules by the queue, the API by a call."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.core import keys, messages
from functions.core.answers import error_document, run_document
from functions.core.messages import Dropped, Due
from functions.core.runs import Run
from functions.core.scheduled import rendered
from functions.core.submission import Submission
from functions.wiring import Wiring, wiring
from jobspec import DispatchError, InputUnavailable, Problem, QueueFull, SpecError, Unanswered
from jobspec.document import MAX_BYTES

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

logger, tracer, metrics = Logger(), Tracer(auto_patch=False), Metrics()

TRY_AGAIN = (InputUnavailable, QueueFull)
"""Refusals that may not be there any more in a while."""
LONGEST_MS = 60_000
"""How long one submission may take: FIND_SECONDS, a server that is slow to the last, and what is written then."""


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """The function."""
    return handle(event, wiring(), context)


def handle(event: dict[str, Any], wiring: Wiring, context: Any = None) -> Any:
    """Messages of the queue, or one call of the API."""
    if "Records" not in event:
        return _called(event, wiring)
    # Whoever calls waits, and needs none of this: every kind of event there is comes with it.
    from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

    def one(record: "SQSRecord") -> None:
        if context and context.get_remaining_time_in_millis() < LONGEST_MS:
            raise Unanswered("no time is left for this one; the queue hands it out again")
        last = int(record.attributes.approximate_receive_count) >= wiring.settings.max_receives
        _answered(messages.read(_json(record.body)), wiring, last)

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(event=event, record_handler=one, processor=processor, context=context)


def _called(event: Mapping[str, Any], wiring: Wiring) -> dict[str, Any]:
    key = event.get("event")
    submission = Submission("api", event["spec"], event=None if key is None else f"api:{key}")
    try:
        if event.get("dry_run"):
            return {"plan": wiring.submitter.dry_run(submission).as_dict()}
        run = wiring.submitter.submit(submission)
    except DispatchError as error:
        return {"problem": error.as_problem()}
    metrics.add_metric("RunsSubmitted", MetricUnit.Count, 1)
    return {"run": run_document(run, wiring.settings.results_bucket)}


def _answered(message: Dropped | Due, wiring: Wiring, last: bool) -> None:
    """Submit, and leave the answer where whoever asked will look for it; the last try says that there is no other."""
    if isinstance(message, Dropped) and message.is_folder:
        return
    source = message.key if isinstance(message, Dropped) else message.source
    try:
        run = wiring.submitter.submit(replace(_submission(message, wiring), event=message.event, source=source))
    except DispatchError as error:
        again = isinstance(error, TRY_AGAIN)
        document = error_document(error, message.event, again and not last)
        wiring.specs.write(keys.error_answer(source), _bytes(document))
        logger.info("refused", source=source, problem=error.as_problem())
        metrics.add_metric("SpecsRefused", MetricUnit.Count, 1)
        if again or error.code == DispatchError.code:
            raise
        return
    metrics.add_metric("RunsSubmitted", MetricUnit.Count, 1)
    _tell(run, source, wiring)
    wiring.specs.remove(keys.error_answer(source))  # an earlier try's, or an earlier version's


def _tell(run: Run, source: str, wiring: Wiring) -> None:
    """Write how the run stands; again where it has moved on meanwhile, for finish_run may have been overwritten."""
    told: Run | None = None
    while told is None or told.state is not run.state:
        told = run
        wiring.specs.write(keys.run_answer(source), _bytes(run_document(told, wiring.settings.results_bucket)))
        run = wiring.runs.find(run.run_id) or told


def _submission(message: Dropped | Due, wiring: Wiring) -> Submission:
    if isinstance(message, Due):
        return Submission("schedule", rendered(message.spec, message.scheduled_at, message.timezone))
    if message.bytes > MAX_BYTES:
        raise _unusable("the document is too large", f"{message.bytes:,} bytes", f"at most {MAX_BYTES:,} bytes")
    document = wiring.specs.read(message.key, message.version, MAX_BYTES + 1)
    if document is None:
        raise _unusable("the object is no longer there", message.key, "an object that stays until it has been read")
    return Submission("s3", document)


def _unusable(message: str, value: str, allowed: str) -> SpecError:
    return SpecError([Problem("", message, value, allowed)])


def _json(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        raise messages.UnknownMessage(body[:500]) from error


def _bytes(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n").encode()
