"""The OpenAPI document: the routes as Powertools sees them, and bodies and responses as we know them."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from functions.web.documents import ProblemDocument
from functions.web.problems import MEDIA_TYPE

_TITLE = "Dispatch"
_ABOUT = """Hand in specs, watch runs, read results, keep schedules.

Requests are signed with AWS Signature 4, or carry a JWT where the stack is deployed so. Errors are problem details
(RFC 9457); their types are listed in docs/generated/errors.md."""
_REFERENCES = "#/components/schemas/"
_LOCATION = {"Location": {"description": "Where it is.", "schema": {"type": "string"}}}
_RETRY = {"Retry-After": {"description": "Seconds to wait before the next try.", "schema": {"type": "string"}}}


def responses(good: Mapping[int, Any], bad: Sequence[int], location: Sequence[int] = ()) -> dict[int, Any]:
    """The responses of a route: a model for each good status (None: no body), problems for the bad ones and for 500."""
    answers: dict[int, Any] = {}
    for status, model in good.items():
        answers[status] = {"description": HTTPStatus(status).phrase, "content": {}}
        if model is not None:
            answers[status]["content"] = {"application/json": {"model": model}}
        if status in location:
            answers[status]["headers"] = _LOCATION
    for status in (*bad, 500):
        content = {MEDIA_TYPE: {"model": ProblemDocument}}
        answers[status] = {"description": HTTPStatus(status).phrase, "content": content}
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            answers[status]["headers"] = _RETRY
    return answers


def body_of(schema: str) -> dict[str, Any]:
    """The extension of a route that reads its own body, as a document of that schema."""
    content = {"application/json": {"schema": {"$ref": _REFERENCES + schema}}}
    return {"requestBody": {"required": True, "content": content}}


def document(
    app: APIGatewayHttpResolver, spec_schema: Mapping[str, Any], schedule_schema: Mapping[str, Any]
) -> dict[str, Any]:
    """The document, ready for JSON."""
    from importlib.metadata import version

    described: dict[str, Any] = json.loads(
        app.get_openapi_json_schema(title=_TITLE, version=version("dispatch-jobs"), description=_ABOUT)
    )
    for route in app._static_routes + app._dynamic_routes:  # Powertools offers no other way to ask for them
        operation = described["paths"][route.openapi_path][route.method.lower()]
        operation |= {"operationId": route.func.__name__, "summary": (route.func.__doc__ or "").split("\n")[0]}
    for path in described["paths"].values():
        for operation in path.values():
            unasked = operation["responses"].get("422", {}).get("content", {})
            if "application/json" in unasked:  # Powertools' own form of what is a problem with status 400 here
                del operation["responses"]["422"]
    schemas = described["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError", "ResponseValidationError"):
        schemas.pop(name, None)
    schemas |= _moved("Spec", _by_job(spec_schema)) | _moved("Schedule", schedule_schema)
    schemas["ScheduleChange"] = {
        key: value for key, value in schemas["Schedule"].items() if key not in ("required", "description", "title")
    } | {"description": "The fields of a schedule to change.", "minProperties": 1}
    return described


def _moved(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON Schema and all that it refers to, as components of the document."""
    moved: dict[str, Any] = json.loads(json.dumps(schema).replace("#/$defs/", _REFERENCES))
    moved.pop("$schema", None)
    definitions: dict[str, Any] = moved.pop("$defs", {})
    return definitions | {name: moved}


def _by_job(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a spec as one of a schema for each job: tools make more of that than of `if` and `then`."""
    fields, kinds = schema["properties"], {}
    for rule in schema["allOf"]:
        job = rule["if"]["properties"]["job"]
        kinds[f"{job['const']}-spec"] = {
            "type": "object",
            "additionalProperties": False,
            "properties": fields | {"job": fields["job"] | job} | rule["then"]["properties"],
            "required": [*schema["required"], *rule["then"]["required"]],
        }
    for kind in kinds.values():
        del kind["properties"]["job"]["enum"]
    return {
        "description": schema["description"],
        "oneOf": [{"$ref": f"#/$defs/{name}"} for name in kinds],
        "discriminator": {
            "propertyName": "job",
            "mapping": {name.removesuffix("-spec"): f"#/$defs/{name}" for name in kinds},
        },
        "$defs": schema["$defs"] | kinds,
    }
