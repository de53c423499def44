class FakeExecutions:
    """The executions of a state machine, which do nothing by themselves."""

    def __init__(self) -> None:
        self.inputs: dict[str, str] = {}
        self.ended: dict[str, str] = {}
        self.started: list[str] = []  # every call, the repeated ones too

    def start(self, name: str, document: str) -> None:
        self.started.append(name)
        assert self.inputs.setdefault(name, document) == document, "another input under the same name"

    def stop(self, name: str, reason: str) -> bool:
        if name in self.inputs:
            self.ended.setdefault(name, "ABORTED")
        return name in self.inputs

    def status(self, name: str) -> str | None:
        return self.ended.get(name, "RUNNING") if name in self.inputs else None
