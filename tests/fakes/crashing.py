"""A process that can end at any call to the outside."""

from collections.abc import Callable
from typing import Any


class Crash(BaseException):
    """The end of the process: nothing catches it."""


class _Port:
    def __init__(self, port: Any, before: Callable[..., None], after: Callable[..., None]) -> None:
        self._port, self._before, self._after = port, before, after

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if not callable(method):
            return method

        def call(*arguments: Any, **named: Any) -> Any:
            self._before(name, *arguments)
            result = method(*arguments, **named)
            self._after(name, *arguments)
            return result

        return call


PORTS = ("runs", "ledger", "results", "buckets", "web", "executions", "specs")


def crashing_ports(wiring: Any, before: Callable[..., None], after: Callable[..., None]) -> dict[str, Any]:
    """The adapters of a wiring, each call between the two hooks."""
    return {name: _Port(getattr(wiring, name), before, after) for name in PORTS}


def crashing(wiring: Any, before: Callable[..., None], after: Callable[..., None]) -> Any:
    """The wiring's submitter on such adapters."""
    from dataclasses import replace

    ports = crashing_ports(wiring, before, after)
    del ports["specs"]
    return replace(wiring.submitter, **ports)
