"""SIGTERM, the way in which ECS, Docker and a shell ask a run to stop, as an exception."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from jobspec import Cancelled


@contextmanager
def cancellable() -> Iterator[None]:
    """SIGTERM raises Cancelled in the main thread, once; elsewhere signals cannot be had, and are not."""
    inner = signal.getsignal(signal.SIGTERM) is _cancel
    if inner or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _cancel)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _cancel(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one would cut short the tidying up after the first
    raise Cancelled("the run was asked to stop")
