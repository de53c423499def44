from collections.abc import Mapping
from typing import Any


class FakeNotices:
    """A topic or a bus that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[Mapping[str, Any]] = []

    def publish(self, notice: Mapping[str, Any]) -> None:
        self.told.append(notice)
