"""A stack on moto for each test."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.functional.functions.aws import REGION, aws


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.delenv("AWS_PROFILE", raising=False)


@pytest.fixture
def stack(credentials: None) -> Iterator[Any]:
    with aws() as wiring:
        yield wiring
