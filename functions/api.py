"""The HTTP API. It reads; whatever becomes a run goes through the function submit."""

import base64
import binascii
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Header, Path, Query
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.core import keys
from functions.core.answers import RunDocument, run_document
from functions.core.inputs import check_readable
from functions.core.runs import Run
from functions.core.schedules import Schedule, changed_schedule, new_schedule
from functions.web import problems
from functions.web.documents import (
    JobDocument,
    JobsPage,
    PlanDocument,
    ResultDocument,
    RunsPage,
    ScheduleDocument,
    SchedulesPage,
)
from functions.web.openapi import body_of, document, responses
from functions.web.problems import HttpProblem
from functions.wiring import Wiring, wiring
from jobspec import IllegalTransition, Job, NotFound, NotReady, RunState, job_schema, parse_spec, spec_schema
from jobspec.document import MAX_BYTES
from jobspec.problem import closest, show

logger, tracer, metrics = Logger(), Tracer(auto_patch=False), Metrics()
app = APIGatewayHttpResolver(enable_validation=True)
problems.register(app)

MAX_WAIT = 25  # seconds; the gateway gives up after 30
POLL_SECONDS = 1.0
LINK_SECONDS = 3600
MAX_OUTPUTS = 1000
MAX_RUN_ID = 200  # bytes; ours have about 40

RunId = Annotated[str, Path(description="A run's id.")]
JobName = Annotated[str, Path(description="A job's name.")]
ScheduleName = Annotated[str, Path(description="A schedule's name.")]
Limit = Annotated[int, Query(ge=1, le=100, description="How many at most.")]
After = Annotated[str | None, Query(max_length=2048, description="`next` of the page before.")]


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)  # links in it are keys, and traces have many readers
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The function."""
    return handle(event, wiring(), context)


def handle(event: dict[str, Any], wiring: Wiring, context: Any = None) -> dict[str, Any]:
    """One request, in the form of the HTTP API's payload 2.0."""
    app.context["wiring"] = wiring
    return app.resolve(event, context)


@app.post(
    "/runs",
    status_code=202,
    openapi_extensions=body_of("Spec"),
    responses=responses({200: PlanDocument, 202: RunDocument}, [400, 413, 415, 422, 503], location=[202]),
)
def post_run(
    dry_run: Annotated[bool, Query(description="Answer with the plan, and start nothing.")] = False,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=255,
            pattern=r"^[!-~]+$",
            description="Makes asking again safe: the same key is answered with the same run for 91 days.",
        ),
    ] = None,
) -> Response[Any]:
    """Hand in a spec. The same work is not done twice: it is answered with the run that does it or has done it."""
    raw = _body()
    check_readable(parse_spec(raw, _wiring().jobs))
    call = {"trigger": "api", "spec": raw.decode("utf-8-sig"), "event": idempotency_key, "dry_run": dry_run}
    answer = _wiring().submit_function(call)
    if "problem" in answer:
        return problems.answer(answer["problem"])
    if "plan" in answer:
        return _answer(answer["plan"])
    return _answer(answer["run"], HTTPStatus.ACCEPTED, {"Location": answer["run"]["links"]["self"]})


@app.get("/runs", responses=responses({200: RunsPage}, [400, 503]))
def get_runs(
    state: Annotated[RunState | None, Query(description="Only runs in this state.")] = None,
    job: Annotated[str | None, Query(max_length=40, description="Only runs of this job.")] = None,
    label: Annotated[
        str | None, Query(pattern="^[^=]+=", max_length=320, description="Only runs with this label: name=value.")
    ] = None,
    limit: Limit = 20,
    after: After = None,
) -> Response[Any]:
    """List the runs, the newest first."""
    name, _, value = (label or "").partition("=")
    page = _wiring().runs.page(limit, after, state, job, (name, value) if label else None)
    return _answer({"runs": [_told(run) for run in page.runs], "next": page.following})


@app.get("/runs/<run_id>", responses=responses({200: RunDocument}, [400, 404, 503]))
def get_run(
    run_id: RunId,
    wait: Annotated[int, Query(ge=0, le=MAX_WAIT, description="Seconds to wait for its state to change.")] = 0,
) -> Response[Any]:
    """Say how a run stands; with `wait`, as soon as its state is another than now, or it has ended."""
    clock, run = _wiring().clock, _run(run_id)
    seen, until = run.state, clock.now().timestamp() + wait
    while run.state is seen and not seen.is_final and clock.now().timestamp() < until:
        clock.sleep(POLL_SECONDS)
        run = _run(run_id)
    return _answer(_told(run))


@app.delete("/runs/<run_id>", status_code=202, responses=responses({202: RunDocument}, [404, 409, 503], location=[202]))
def delete_run(run_id: RunId) -> Response[Any]:
    """Cancel a run. It ends CANCELLED as soon as its client has stopped and its workers are given back."""
    run = _wiring().runs.mark_cancelling(_possible(run_id), _wiring().clock.now())
    if run is None:
        raise NotFound("run", run_id)
    if run.state.is_final and run.state is not RunState.CANCELLED:
        raise IllegalTransition(run.state, RunState.CANCELLED)
    if not run.state.is_final:
        # Its end is what gives back workers and place in the queue: finish_run hears of it. An execution that is not
        # there yet will be refused its workers.
        _wiring().executions.stop(run_id, "cancelled through the API")
    return _answer(_told(run), HTTPStatus.ACCEPTED, {"Location": f"/runs/{run_id}"})


@app.get("/runs/<run_id>/result", responses=responses({200: ResultDocument}, [404, 409, 503]))
def get_result(run_id: RunId) -> Response[Any]:
    """Say where to read what a run has left."""
    run, results = _run(run_id), _wiring().results
    raw = results.read(keys.run_file(run_id, keys.RESULT)) if run.state is RunState.SUCCEEDED else None
    if raw is None:
        raise NotReady(run_id, run.state, "result")

    def link(path: str) -> str:
        return results.link(keys.run_file(run_id, path), LINK_SECONDS)

    shown = ("name", "path", "bytes", "media_type")
    outputs = [
        {name: output[name] for name in shown} | {"url": link(output["path"])}
        for output in json.loads(raw)["outputs"][:MAX_OUTPUTS]
    ]
    return _answer(
        {
            "run_id": run_id,
            "state": run.state,
            "expires_in": LINK_SECONDS,
            "result": link(keys.RESULT),
            "receipt": link(keys.RECEIPT),
            "outputs": outputs,
        }
    )


@app.get("/jobs", responses=responses({200: JobsPage}, []))
def get_jobs() -> Response[Any]:
    """List the catalogue."""
    return _answer({"jobs": [_summary(job) for job in _wiring().jobs.values()]})


@app.get("/jobs/<name>", responses=responses({200: JobDocument}, [404]))
def get_job(name: JobName) -> Response[Any]:
    """Describe a job, with the JSON Schema of a spec for it."""
    job = _wiring().jobs.get(name)
    if job is None:
        raise NotFound("job", name, closest(name, _wiring().jobs))
    return _answer(_summary(job) | {"documentation": job.documentation, "spec_schema": job_schema(job)})


@app.post(
    "/schedules",
    status_code=201,
    openapi_extensions=body_of("Schedule"),
    responses=responses({201: ScheduleDocument}, [400, 409, 413, 415, 503], location=[201]),
)
def post_schedule() -> Response[Any]:
    """Make a schedule."""
    schedule = new_schedule(_body(), _wiring().jobs, _wiring().clock.now())
    _wiring().schedules.create(schedule)
    return _answer(_scheduled(schedule), HTTPStatus.CREATED, {"Location": f"/schedules/{schedule.name}"})


@app.get("/schedules", responses=responses({200: SchedulesPage}, [400, 503]))
def get_schedules(
    limit: Annotated[int, Query(ge=1, le=50, description="How many at most.")] = 20, after: After = None
) -> Response[Any]:
    """List the schedules."""
    found, following = _wiring().schedules.page(limit, after)
    return _answer({"schedules": [_scheduled(schedule) for schedule in found], "next": following})


@app.get("/schedules/<name>", responses=responses({200: ScheduleDocument}, [404, 503]))
def get_schedule(name: ScheduleName) -> Response[Any]:
    """Describe a schedule."""
    return _answer(_scheduled(_wiring().schedules.find(name)))


@app.patch(
    "/schedules/<name>",
    openapi_extensions=body_of("ScheduleChange"),
    responses=responses({200: ScheduleDocument}, [400, 404, 413, 415, 503]),
)
def patch_schedule(name: ScheduleName) -> Response[Any]:
    """Change a schedule: the fields that are given. `{"paused": true}` pauses it, false lets it go on."""
    old = _wiring().schedules.find(name)
    schedule = changed_schedule(old, _body(), _wiring().jobs, _wiring().clock.now())
    _wiring().schedules.replace(schedule)
    return _answer(_scheduled(schedule))


@app.delete("/schedules/<name>", status_code=204, responses=responses({204: None}, [404, 503]))
def delete_schedule(name: ScheduleName) -> Response[Any]:
    """Delete a schedule. Its runs stay."""
    _wiring().schedules.delete(name)
    return Response(status_code=HTTPStatus.NO_CONTENT, body="")


@app.get("/openapi.json", responses=responses({200: dict}, []))
def get_openapi() -> Response[Any]:
    """This document."""
    return _answer(openapi(_wiring().jobs))


def openapi(jobs: Mapping[str, Job]) -> dict[str, Any]:
    """The OpenAPI document of the API over a catalogue."""
    return document(app, spec_schema(jobs), Schedule.model_json_schema())


def _wiring() -> Wiring:
    found: Wiring = app.context["wiring"]
    return found


def _body() -> bytes:
    """The body of the request. Raises HttpProblem where it is no JSON by its own account, or too large."""
    event = app.current_event
    media_type = event.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type != "application/json":
        allowed = {"Accept-Post" if event.http_method == "POST" else "Accept-Patch": "application/json"}
        raise HttpProblem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"{media_type}; allowed: application/json", allowed)
    text = event.body or ""
    try:
        raw = base64.b64decode(text) if event.is_base64_encoded else text.encode("utf-8", "surrogatepass")
    except binascii.Error as error:
        raise HttpProblem(HTTPStatus.BAD_REQUEST, f"the body cannot be decoded: {error}") from error
    if len(raw) > MAX_BYTES:
        raise HttpProblem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"{len(raw):,} bytes; allowed: {MAX_BYTES:,}")
    return raw


def _answer(
    body: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK, headers: dict[str, Any] | None = None
) -> Response[Any]:
    return Response(status_code=status, content_type="application/json", body=dict(body), headers=headers)


def _possible(run_id: str) -> str:
    """The id, if a run may have it. DynamoDB refuses keys over 2,048 bytes, which would look like an outage."""
    if len(run_id.encode()) > MAX_RUN_ID:
        raise NotFound("run", show(run_id))
    return run_id


def _run(run_id: str) -> Run:
    run = _wiring().runs.find(_possible(run_id))
    if run is None:
        raise NotFound("run", run_id)
    return run


def _told(run: Run) -> dict[str, Any]:
    return run_document(run, _wiring().settings.results_bucket)


def _summary(job: Job) -> dict[str, Any]:
    size = {name: getattr(job.size, name) for name in ("min_workers", "max_workers", "trips_per_worker")}
    return {"name": job.name, "description": job.description, "size": size}


def _scheduled(schedule: Schedule) -> dict[str, Any]:
    return schedule.model_dump()
