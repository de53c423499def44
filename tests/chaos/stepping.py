"""Runs the rules one call at a time.

A process is plain code over ports. To find its next call it is run anew from the start, every call that it has made
before answered as it was then; the first one that has no answer yet is the next. So any number of processes can be
interleaved call by call, stopped between any two, and copied, without threads; the code under test is the product's.
"""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from types import TracebackType
from typing import Any, cast

from functions.core.leasing import Outcome, RunChange
from functions.core.ledger import Lease, Ledger, Ticket
from functions.core.runs import Run
from functions.core.scaling import Task, Wanted
from jobspec import DispatchError, RunState

Body = Callable[["Ports"], object]


@dataclass(frozen=True)
class Call:
    """A call of a port that has not been made yet."""

    port: str
    method: str
    arguments: tuple[Any, ...]

    def __str__(self) -> str:
        return f"{self.port}.{self.method}"


class _NotYet(BaseException):
    def __init__(self, call: Call) -> None:
        self.call = call


class _Port:
    def __init__(self, name: str, ports: "Ports") -> None:
        self._name, self._ports = name, ports

    def __getattr__(self, method: str) -> Callable[..., Any]:
        return lambda *arguments: self._ports.answer(Call(self._name, method, arguments))


class Ports:
    """The ports that a process sees."""

    def __init__(self, answers: tuple[Any, ...]) -> None:
        self._answers = iter(answers)
        self.store: Any = _Port("store", self)
        self.services: Any = _Port("services", self)
        self.executions: Any = _Port("executions", self)

    def answer(self, call: Call) -> Any:
        for answer in self._answers:
            return answer
        raise _NotYet(call)


@dataclass(frozen=True)
class Process:
    """A process and the answers that it has had so far."""

    name: str
    body: Body
    answers: tuple[Any, ...] = ()
    crashed: bool = False

    @cached_property
    def next_call(self) -> Call | None:
        """The call that it makes next; None if it has ended, well or with an error of ours."""
        return self._here[0]

    @cached_property
    def place(self) -> Hashable:
        """Where it is and what its variables hold: what it does next depends on nothing else."""
        return self._here[1]

    @cached_property
    def _here(self) -> tuple[Call | None, Hashable]:
        if self.crashed:
            return None, "crashed"
        try:
            self.body(Ports(self.answers))
        except _NotYet as pending:
            return pending.call, tuple(_places(pending.__traceback__))
        except DispatchError:
            pass
        return None, "ended"

    def answered(self, answer: Any) -> "Process":
        return Process(self.name, self.body, (*self.answers, answer))

    def crash(self) -> "Process":
        return Process(self.name, self.body, self.answers, crashed=True)


def _places(traceback: TracebackType | None) -> Iterator[Hashable]:
    """The functions that a process is in, from the outermost, each with its variables."""
    frames = []
    while traceback is not None:
        frame = traceback.tb_frame
        if "/functions/core/" in frame.f_code.co_filename or frame.f_code.co_name == "body":
            frames.append(frame)
        traceback = traceback.tb_next
    for frame, inner in pairwise([*frames, None]):
        # Whoever asks for the next version of the ledger has forgotten all that it knew of the last one, and nothing
        # depends on how often it has asked.
        starts_anew = "_versions" in (frame.f_code.co_name, inner and inner.f_code.co_name)
        variables = () if starts_anew else ((name, essence(value)) for name, value in frame.f_locals.items())
        yield frame.f_code.co_name, frame.f_lasti, tuple(variables)


def essence(value: Any) -> Hashable:
    """What tells a value from others of its kind; None for what is the same in every order of calls."""
    kind = type(value)
    if kind in _PLAIN:
        return cast(Hashable, value)
    if kind is Ledger:
        return value.version, value.draining, tuple(value.leases.items()), value.queue, value.idle_since
    if kind is Run:
        return value.run_id, value.state, value.cancelling, value.task_token, value.workers
    if kind is RunChange:
        return value.run_id, value.state
    if kind in (tuple, list):
        return tuple(map(essence, value))
    return tuple((key, essence(item)) for key, item in value.items()) if kind is dict else None


_PLAIN = {str, int, float, bool, RunState, Outcome, Lease, Ticket, Task, Wanted}
