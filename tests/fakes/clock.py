from datetime import UTC, datetime, timedelta


class FakeClock:
    """Time that passes when it is told to."""

    def __init__(self, at: datetime = datetime(2026, 11, 25, 12, tzinfo=UTC)) -> None:
        self.at = at
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)
