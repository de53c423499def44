"""The API as HTTP: a WSGI application that does what API Gateway's HTTP API does with a request and an answer."""

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote

from functions import api


def event_of(method: str, path: str, query: str = "", headers: dict[str, str] | None = None, body: bytes = b"") -> Any:
    """The event of a request, payload format 2.0."""
    headers = {name.lower(): value for name, value in (headers or {}).items()}
    try:
        text, encoded = body.decode(), False
    except UnicodeDecodeError:
        text, encoded = base64.b64encode(body).decode(), True
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        **({"queryStringParameters": parameters} if parameters else {}),
        **({"body": text} if body else {}),
        "isBase64Encoded": encoded,
        "requestContext": {
            "stage": "$default",
            "requestId": "r",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "t"},
        },
    }


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        import json

        return json.loads(self.body)


def ask(
    stack: Any,
    method: str,
    target: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    path: str | None = None,
) -> Answer:
    """Ask the API for something; `path` where it cannot be had from the target."""
    raw, _, query = target.partition("?")
    if body:
        headers = {"Content-Type": "application/json"} | (headers or {})
    answer = api.handle(event_of(method, path or unquote(raw), query, headers, body), stack)
    content = answer.get("body") or ""
    raw_body = base64.b64decode(content) if answer["isBase64Encoded"] else content.encode()
    return Answer(answer["statusCode"], {k.lower(): v for k, v in answer["headers"].items()}, raw_body)


def application(stack: Any) -> Callable[..., Iterable[bytes]]:
    """The API as a WSGI application."""

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        headers = {name[5:].replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
        if environ.get("CONTENT_TYPE"):
            headers["Content-Type"] = environ["CONTENT_TYPE"]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
        event = event_of(environ["REQUEST_METHOD"], path, environ.get("QUERY_STRING", ""), headers, body)
        answer = api.handle(event, stack)
        content = answer.get("body") or ""
        raw = base64.b64decode(content) if answer["isBase64Encoded"] else content.encode()
        status = HTTPStatus(answer["statusCode"])
        length = ("Content-Length", str(len(raw)))
        start_response(f"{status} {status.phrase}", [*answer["headers"].items(), length])
        return [raw]

    return serve
