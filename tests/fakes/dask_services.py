"""ECS in memory: it takes orders at once, follows them late, and shows what it was told later still."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from functions.core.scaling import Role, Task


class FakeDaskServices:
    """`DaskServices`. `orders` are all that it was ever told, the newest last; `running` are its tasks.

    Its attributes are replaced, never changed: a copy is a snapshot.
    """

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.orders: tuple[tuple[str, int], ...] = ()
        self.running: tuple[Task, ...] = ()
        self.gone: tuple[Task, ...] = ()
        self.protected: frozenset[str] = frozenset()  # ARNs of tasks that scaling in spares
        self.reasons: dict[str, str] = {}  # why a task was stopped, by ARN
        self._made = 0

    def want_workers(self, count: int) -> None:
        self.orders = (*self.orders, ("worker", count))

    def want_scheduler(self, count: int) -> None:
        self.orders = (*self.orders, ("scheduler", count))

    def tasks(self, role: Role) -> Sequence[Task]:
        return tuple(task for task in self.running if task.role == role)

    def stopped(self, role: Role) -> Sequence[Task]:
        return tuple(task for task in self.gone if task.role == role)

    def stop(self, task: Task, reason: str) -> None:
        self.reasons = {**self.reasons, task.arn: reason}
        self._stop(task)

    # What ECS does of itself, and what a test looks at.

    def desired(self, role: str) -> int:
        """The last order."""
        return next((count for told, count in reversed(self.orders) if told == role), 0)

    def described(self, role: str, age: int = 0) -> int:
        """What DescribeServices says: the order that stood `age` orders ago."""
        counts = [0, *(count for told, count in self.orders if told == role)]
        return counts[max(0, len(counts) - 1 - age)]

    def start(self, role: Role, run_id: str | None = None, status: str = "RUNNING") -> Task:
        """Start a task, by whatever wants one."""
        self._made += 1
        started = self.now if status == "RUNNING" else None
        task = Task(
            arn=f"arn:aws:ecs:us-east-1:123456789012:task/cluster/{role}-{self._made}",
            role=role,
            status=status,
            spot=False,
            created_at=self.now,
            pull_started_at=started,
            started_at=started,
            address=f"10.0.0.{self._made}",
            run_id=run_id,
        )
        self.running = (*self.running, task)
        return task

    def settle(self, steps: int = 1_000) -> None:
        """Start and stop tasks towards what is desired, this many at most."""
        roles: tuple[Role, ...] = ("scheduler", "worker")
        for role in roles:
            while steps and len(self.tasks(role)) < self.desired(role):
                self.start(role)
                steps -= 1
            spare = [task for task in self.tasks(role) if task.arn not in self.protected]
            surplus = min(steps, max(0, len(self.tasks(role)) - self.desired(role)))
            for task in spare[:surplus]:
                self._stop(task)

    def _stop(self, task: Task) -> None:
        if task in self.running:
            self.running = tuple(other for other in self.running if other != task)
            self.gone = (*self.gone, replace(task, status="STOPPED", stopped_at=self.now))

    def copy(self) -> "FakeDaskServices":
        twin = FakeDaskServices.__new__(FakeDaskServices)
        twin.__dict__.update(self.__dict__)
        return twin
