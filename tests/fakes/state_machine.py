"""Step Functions in memory: executions by the name of their run, and task tokens."""

import json
from collections.abc import Mapping
from typing import Any


class FakeStateMachine:
    """`Executions` and `Tokens` of the ledger. What is stopped may show as running until somebody lets it `settle`.

    Its attributes are replaced, never changed: a copy is a snapshot.
    """

    def __init__(self, statuses: Mapping[str, str] | None = None) -> None:
        self.statuses: Mapping[str, str] = dict(statuses or {})
        self.answers: Mapping[str, tuple[str, Any]] = {}  # by token: (error code or "success", what came with it)
        self.slow = False
        self.stopping: tuple[str, ...] = ()

    def status(self, name: str) -> str | None:
        return self.statuses.get(name)

    def stop(self, name: str, reason: str) -> bool:
        if self.slow:
            self.stopping = (*self.stopping, name)
        elif self.statuses.get(name) == "RUNNING":
            self.statuses = {**self.statuses, name: "ABORTED"}
        return name in self.statuses

    def settle(self) -> None:
        self.slow = False
        for name in self.stopping:
            self.stop(name, "stopped")

    def succeed(self, token: str, output: dict[str, Any]) -> bool:
        return self._answer(token, ("success", json.loads(json.dumps(output))))

    def fail(self, token: str, error: str, cause: str) -> bool:
        return self._answer(token, (error, json.loads(cause)))

    def copy(self) -> "FakeStateMachine":
        twin = FakeStateMachine.__new__(FakeStateMachine)
        twin.__dict__.update(self.__dict__)
        return twin

    def _answer(self, token: str, answer: tuple[str, Any]) -> bool:
        new = token not in self.answers  # a task is answered once
        if new:
            self.answers = {**self.answers, token: answer}
        return new
