"""S3 by moto, on a port of its own, with a record of what was asked and a list of keys that it refuses."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import boto3
import urllib3
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}


class _Quiet(WSGIRequestHandler):
    def log(self, *_: object) -> None:
        pass


@dataclass
class S3:
    """A running server. `refused` goes by /bucket/key, or by method, as in `PUT /bucket/key`."""

    url: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)  # (method, /bucket/key) in the order of arrival
    refused: dict[str, tuple[str, str]] = field(default_factory=dict)  # (HTTP status, S3's error code)

    @cached_property
    def client(self) -> Any:
        return boto3.client(
            "s3", endpoint_url=self.url, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
        )

    def reset(self) -> None:
        """Forget everything."""
        self.refused.clear()
        urllib3.request("POST", f"{self.url}/moto-api/reset")
        self.asked.clear()

    def put(self, bucket: str, key: str, content: bytes) -> None:
        self.client.put_object(Bucket=bucket, Key=key, Body=content)

    def get(self, bucket: str, key: str) -> bytes:
        return bytes(self.client.get_object(Bucket=bucket, Key=key)["Body"].read())

    def keys(self, bucket: str) -> list[str]:
        return [entry["Key"] for entry in self.client.list_objects_v2(Bucket=bucket).get("Contents", [])]

    def written(self, bucket: str) -> list[str]:
        """The keys that were put into the bucket, in order."""
        return [path.removeprefix(f"/{bucket}/") for method, path in self.asked if method == "PUT"]


@contextmanager
def s3_server() -> Iterator[S3]:
    moto = DomainDispatcherApplication(create_backend_app)
    server = S3()

    def application(environ: Any, start_response: Any) -> Any:
        path = environ["PATH_INFO"]
        method = environ["REQUEST_METHOD"]
        server.asked.append((method, path))
        if refusal := server.refused.get(path) or server.refused.get(f"{method} {path}"):
            status, code = refusal
            start_response(status, [("Content-Type", "application/xml")])
            if method == "HEAD":
                return []
            return [f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()]
        return moto(environ, start_response)

    http = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_port}"
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
