"""Time, as something that a test can hold in its hand."""

import time
from datetime import datetime
from typing import Protocol

from functions.core.runs import now


class Clock(Protocol):
    """What tells the time and lets it pass."""

    def now(self) -> datetime:
        """The time, in UTC."""

    def sleep(self, seconds: float) -> None:
        """Return after so long."""


class SystemClock:
    """The machine's own."""

    def now(self) -> datetime:
        """The time, in UTC."""
        return now()

    def sleep(self, seconds: float) -> None:
        """Return after so long."""
        time.sleep(seconds)
