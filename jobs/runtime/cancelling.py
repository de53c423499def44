"""SIGTERM, the way in which ECS, Docker and a shell ask a run to stop, and Ctrl-C, as exceptions."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from jobspec import Cancelled, Interrupted

_STOPS = {signal.SIGTERM: Cancelled, signal.SIGINT: Interrupted}


@contextmanager
def cancellable() -> Iterator[None]:
    """SIGTERM raises Cancelled and SIGINT Interrupted in the main thread, once; elsewhere no signals can be had."""
    inner = signal.getsignal(signal.SIGTERM) is _stop
    if inner or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _stop) for number in _STOPS if not _ignored(number)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignored(number: int) -> bool:
    """A shell lets what it starts in the background ignore Ctrl-C, which is meant for somebody else."""
    return number == signal.SIGINT and signal.getsignal(number) is signal.SIG_IGN


def _stop(number: int, _: object) -> None:
    for each in _STOPS:
        signal.signal(each, signal.SIG_IGN)  # a second one would cut short the tidying up after the first
    raise _STOPS[signal.Signals(number)]("the run was asked to stop")
