"""Whatever goes wrong as problem details (RFC 9457), `application/problem+json`."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from functions.unanswered import SDK_ERRORS
from jobspec import DispatchError, Unanswered
from jobspec.problem import show

MEDIA_TYPE = "application/problem+json"
logger = Logger(child=True)


class HttpProblem(Exception):  # noqa: N818 (it is answered, not reported)
    """Raised for what is wrong with HTTP rather than with what was asked; the type of its problem is about:blank."""

    def __init__(self, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.headers = status, headers
        self.document = {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": detail} | more


def answer(problem: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response[Any]:
    """The response that is a problem."""
    more = dict(headers or {})
    if problem["status"] == HTTPStatus.SERVICE_UNAVAILABLE:
        more.setdefault("Retry-After", "10")
    body = json.dumps(problem, ensure_ascii=False, default=str)
    return Response(status_code=problem["status"], content_type=MEDIA_TYPE, body=body, headers=more)


def register(app: APIGatewayHttpResolver) -> None:
    """Make every error that leaves a route, and every request that has none, a problem."""
    app.exception_handler(DispatchError)(lambda error: answer(error.as_problem()))
    app.exception_handler(HttpProblem)(lambda error: answer(error.document, error.headers))
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(Exception)(_unexpected)
    app.not_found(lambda _: _no_route(app))


def _invalid(error: RequestValidationError) -> Response[Any]:
    problems = [
        {"parameter": str(found["loc"][-1]), "in": str(found["loc"][0]), "message": found["msg"]}
        | ({"value": show(found["input"])} if found.get("input") is not None else {})
        for found in error.errors()
    ]
    detail = "; ".join(f"{one['parameter']}: {one['message']}" for one in problems)
    return answer(HttpProblem(HTTPStatus.BAD_REQUEST, detail, problems=problems).document)


def _unexpected(error: Exception) -> Response[Any]:
    logger.exception("no name for this")
    if isinstance(error, SDK_ERRORS):
        return answer(Unanswered("a part of the stack gave no answer; try again").as_problem())
    return answer(DispatchError("this is a fault of ours; the log of the function api says more").as_problem())


def _no_route(app: APIGatewayHttpResolver) -> Response[Any]:
    path, method = app.current_event.path, app.current_event.http_method
    # Powertools offers no other way to ask which methods a path has.
    routes = app._static_routes + app._dynamic_routes
    if methods := sorted({route.method for route in routes if route.rule.match(path)}):
        allowed = ", ".join(methods)
        detail = f"{path} knows no {method}; it knows {allowed}"
        return answer(HttpProblem(HTTPStatus.METHOD_NOT_ALLOWED, detail).document, {"Allow": allowed})
    return answer(HttpProblem(HTTPStatus.NOT_FOUND, f"there is nothing at {path}; see /openapi.json").document)
