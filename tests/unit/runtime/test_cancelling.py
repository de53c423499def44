"""A run that is asked to stop is asked once."""

import signal

import pytest

from jobs.runtime.cancelling import cancellable
from jobspec import Cancelled, Interrupted


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(
    ("first", "raised"), [(signal.SIGTERM, Cancelled), (signal.SIGINT, Interrupted)], ids=["SIGTERM", "SIGINT"]
)
def test_a_second_signal_does_not_cut_short_the_tidying_up(
    first: signal.Signals, raised: type[Exception], second: signal.Signals
) -> None:
    before = [signal.signal(number, signal.default_int_handler) for number in (signal.SIGTERM, signal.SIGINT)]
    try:
        tidied = False
        with pytest.raises(raised), cancellable():
            try:
                signal.raise_signal(first)
            finally:
                signal.raise_signal(second)
                tidied = True
        assert tidied
        assert signal.getsignal(second) is signal.default_int_handler
    finally:
        for number, handler in zip((signal.SIGTERM, signal.SIGINT), before, strict=True):
            signal.signal(number, handler)
