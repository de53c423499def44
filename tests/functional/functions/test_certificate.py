"""The custom resource that makes the stack's TLS parameter, on moto, up to a handshake with what it made."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.certificate import document, handle, handler
from functions.core.runs import now
from functions.core.tls import Act
from functions.settings import Settings
from functions.wiring import Wiring, wiring
from jobspec import DispatchError

NAME = "/dispatch/taxis/tls"


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wiring]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "RUNS_TABLE": "runs",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        boto3.client("dynamodb").create_table(
            TableName="runs",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        wiring.cache_clear()
        yield Wiring(Settings())
        wiring.cache_clear()


def asked(request: str, generation: int = 1, before: int | None = None) -> dict[str, Any]:
    properties = {"ServiceToken": "arn", "Name": NAME, "Generation": str(generation)}
    event: dict[str, Any] = {"RequestType": request, "ResourceProperties": properties}
    if before is not None:  # what CloudFormation says was there; it is not believed
        event["OldResourceProperties"] = properties | {"Generation": str(before)}
    return event


def kept() -> dict[str, Any]:
    parameter = boto3.client("ssm").get_parameter(Name=NAME, WithDecryption=True)["Parameter"]
    assert parameter["Type"] == "SecureString"
    made: dict[str, Any] = json.loads(parameter["Value"])
    return made


def ledger(draining: bool, leases: dict[str, Any]) -> None:
    document = json.dumps({"cap": 20, "draining": draining, "leases": leases, "queue": []})
    boto3.resource("dynamodb").Table("runs").put_item(Item={"pk": "ledger", "version": 3, "document": document})


def test_a_key_is_made_once_and_removed_once_however_often_it_is_asked_for(stack: Wiring) -> None:
    assert handle(asked("Create"), stack) is Act.MAKE
    first = kept()
    handle(asked("Create"), stack)
    assert handle(asked("Update", before=1), stack) is Act.KEEP
    assert kept() == first
    for _ in range(2):
        assert handle(asked("Delete"), stack) is Act.REMOVE
    assert boto3.client("ssm").describe_parameters()["Parameters"] == []


@pytest.mark.parametrize(
    ("draining", "leases"), [(False, {}), (True, {"some-run": {"workers": 3}}), (False, {"some-run": {"workers": 3}})]
)
def test_a_stack_that_is_not_drained_keeps_its_key(stack: Wiring, draining: bool, leases: dict[str, Any]) -> None:
    handle(asked("Create"), stack)
    first = kept()
    ledger(draining, leases)
    with pytest.raises(DispatchError, match="drain first"):
        handle(asked("Update", 2, before=1), stack)
    assert kept() == first


def test_a_new_key_that_was_refused_is_refused_once_and_the_rollback_is_not(stack: Wiring) -> None:
    """Else the stack were left in UPDATE_ROLLBACK_FAILED."""
    handle(asked("Create"), stack)
    first = kept()
    ledger(draining=False, leases={"some-run": {"workers": 3}})
    with pytest.raises(DispatchError, match="drain first"):
        handle(asked("Update", 2, before=1), stack)
    assert handle(asked("Update", 1, before=2), stack) is Act.KEEP
    assert kept() == first


def test_a_rollback_keeps_a_key_that_was_made_anew_for_nobody_has_the_old_one(stack: Wiring) -> None:
    handle(asked("Create"), stack)
    assert handle(asked("Update", 2, before=1), stack) is Act.REPLACE
    second = kept()
    ledger(draining=False, leases={"some-run": {"workers": 3}})  # somebody resumed meanwhile
    assert handle(asked("Update", 1, before=2), stack) is Act.KEEP
    assert handle(asked("Update", 2, before=1), stack) is Act.KEEP, "it is of that generation already"
    assert kept() == second


def test_a_key_that_somebody_deleted_is_made_again(stack: Wiring) -> None:
    handle(asked("Create"), stack)
    boto3.client("ssm").delete_parameter(Name=NAME)
    assert handle(asked("Update", 1, before=1), stack) is Act.MAKE
    assert kept()["generation"] == 1


@pytest.mark.parametrize("has_ledger", [True, False])
def test_a_drained_stack_gets_a_new_key(stack: Wiring, has_ledger: bool) -> None:
    handle(asked("Create"), stack)
    first = kept()
    if has_ledger:
        ledger(draining=True, leases={})
    assert handle(asked("Update", 2, before=1), stack) is Act.REPLACE
    assert kept()["key"] != first["key"]
    assert (first["generation"], kept()["generation"]) == (1, 2)


def test_both_ends_of_a_connection_trust_it_by_the_letter_and_trust_no_other(tmp_path: Path) -> None:
    ours, foreign = (json.loads(document(NAME, 1, now())) for _ in range(2))
    assert len(json.dumps(ours)) < 4096  # what a standard parameter holds, for nothing
    assert shake_hands(ours, ours, tmp_path) == b"dask"
    with pytest.raises(ssl.SSLError):
        shake_hands(ours, foreign, tmp_path)


def shake_hands(server: dict[str, str], client: dict[str, str], folder: Path) -> bytes:
    """What the client reads over TLS 1.3, both sides showing their certificates, as Dask's do."""
    contexts = []
    for name, part, purpose in (
        ("server", server, ssl.Purpose.CLIENT_AUTH),
        ("client", client, ssl.Purpose.SERVER_AUTH),
    ):
        key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
        key.write_text(part["key"])
        certificate.write_text(part["certificate"])
        context = ssl.create_default_context(purpose, cafile=str(certificate))
        context.verify_flags |= ssl.VERIFY_X509_STRICT  # the default from Python 3.13 on, which the image has
        context.verify_mode, context.check_hostname = ssl.CERT_REQUIRED, False
        context.load_cert_chain(certificate, key)
        contexts.append(context)
    here, there = socket.socketpair()

    def serve() -> None:
        try:
            with contexts[0].wrap_socket(here, server_side=True) as connection:
                connection.sendall(b"dask")
        except OSError:
            here.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with contexts[1].wrap_socket(there) as connection:
            return connection.recv(16)
    finally:
        there.close()
        thread.join()


@dataclass
class CloudFormation:
    """Where the answers go."""

    url: str = ""
    answers: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=lambda: [503, 200])  # S3 has a bad moment first


@pytest.fixture
def cloudformation() -> Iterator[CloudFormation]:
    found = CloudFormation()

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"] == ""
            status = found.statuses.pop(0) if len(found.statuses) > 1 else found.statuses[0]
            if status == 200:
                found.answers.append(json.loads(body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}/answer?signature=x"
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Context:
    function_name: str = "certificate"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:certificate"
    aws_request_id: str = "request"


def test_cloudformation_is_answered_when_it_went_well_and_when_it_did_not(
    stack: Wiring, cloudformation: CloudFormation
) -> None:
    told = {"ResponseURL": cloudformation.url, "StackId": "s", "RequestId": "r", "LogicalResourceId": "TlsParameter"}
    with mock_aws(config={"core": {"passthrough": {"urls": [cloudformation.url.split("?")[0] + ".*"]}}}):
        handler(asked("Create") | told, Context())
        ledger(draining=False, leases={})
        handler(asked("Update", 2, before=1) | told, Context())
        handler({"RequestType": "Create", "ResourceProperties": {}} | told, Context())
    good, refused, broken = cloudformation.answers
    assert good == {
        "Status": "SUCCESS",
        "Reason": "",
        "PhysicalResourceId": NAME,
        "StackId": "s",
        "RequestId": "r",
        "LogicalResourceId": "TlsParameter",
    }
    assert (refused["Status"], refused["PhysicalResourceId"]) == ("FAILED", NAME)
    assert "drain first" in refused["Reason"]
    assert (broken["Status"], broken["Reason"]) == ("FAILED", "KeyError: 'Name'")
