"""Ports in pairs: the fake and the adapter on moto, both under the same contract."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from tests.functional.functions.aws import REGION


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[boto3.Session]]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield boto3.Session


@pytest.fixture(params=["fake", "moto"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which of the two."""
    return str(request.param)
