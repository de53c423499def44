from functions.core.schedules import Schedule
from jobspec import AlreadyExists, NotFound


class FakeSchedules:
    """Schedules that never fire."""

    def __init__(self) -> None:
        self.schedules: dict[str, Schedule] = {}

    def create(self, schedule: Schedule) -> None:
        if schedule.name in self.schedules:
            raise AlreadyExists("schedule", schedule.name)
        self.schedules[schedule.name] = schedule

    def replace(self, schedule: Schedule) -> None:
        self.find(schedule.name)
        self.schedules[schedule.name] = schedule

    def find(self, name: str) -> Schedule:
        if name not in self.schedules:
            raise NotFound("schedule", name)
        return self.schedules[name]

    def page(self, limit: int, following: str | None = None) -> tuple[list[Schedule], str | None]:
        names = sorted(name for name in self.schedules if name > (following or ""))
        shown = names[:limit]
        return [self.schedules[name] for name in shown], shown[-1] if len(names) > limit else None

    def delete(self, name: str) -> None:
        self.find(name)
        del self.schedules[name]
