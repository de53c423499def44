"""Step Functions in memory: executions by the name of their run, and task tokens."""

import json
from collections.abc import Mapping
from typing import Any

from functions.core.sweeping import Execution
from jobspec import DispatchError


class FakeExecutions:
    """`Executions` and `Tokens`. What is stopped may show as running until somebody lets it `settle`.

    Its attributes are replaced, never changed: a copy is a snapshot.
    """

    def __init__(self) -> None:
        self.known: Mapping[str, Execution] = {}
        self.answers: Mapping[str, tuple[str, Any]] = {}  # by token: ("success", output) or ("failure", problem)
        self.slow = False
        self.stopping: tuple[str, ...] = ()

    def describe(self, run_id: str) -> Execution | None:
        return self.known.get(run_id)

    def stop(self, run_id: str, reason: str) -> None:
        if self.slow:
            self.stopping = (*self.stopping, run_id)
        elif run_id in self.known and self.known[run_id].status == "RUNNING":
            self.known = {**self.known, run_id: Execution("ABORTED", None, reason)}

    def settle(self) -> None:
        self.slow = False
        for run_id in self.stopping:
            self.stop(run_id, "stopped")

    def succeed(self, token: str, output: Mapping[str, Any]) -> None:
        self._answer(token, ("success", json.loads(json.dumps(output))))

    def fail(self, token: str, error: DispatchError) -> None:
        self._answer(token, ("failure", error.as_problem()))

    def _answer(self, token: str, answer: tuple[str, Any]) -> None:
        if token not in self.answers:  # a task is answered once
            self.answers = {**self.answers, token: answer}

    def copy(self) -> "FakeExecutions":
        twin = FakeExecutions.__new__(FakeExecutions)
        twin.__dict__.update(self.__dict__)
        return twin
