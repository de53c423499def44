"""When a worker asks ECS to protect its task and when it lets go, on a clock that tests set."""

import itertools

import pytest

from jobs.runtime.protection import IDLE_SECONDS, MINUTES, RENEW_SECONDS, RETRY_SECONDS, Protection


def told(busy: list[tuple[float, bool]], protection: Protection | None = None) -> list[tuple[float, bool]]:
    """What ECS is told and when, if it agrees each time."""
    protection = protection or Protection()
    asked = []
    for now, is_busy in busy:
        protect = protection.to_tell(is_busy, now)
        if protect is not None:
            protection.told(protect, now)
            asked.append((now, protect))
    return asked


def every_second(*spans: tuple[float, bool]) -> list[tuple[float, bool]]:
    """(seconds, busy) after one another, as (second, busy) for each second."""
    states = [busy for seconds, busy in spans for _ in range(int(seconds))]
    return [(float(second), busy) for second, busy in enumerate(states)]


def test_at_the_first_task_and_a_while_after_the_last() -> None:
    assert told(every_second((10, True), (60, False))) == [(0, True), (10 + IDLE_SECONDS, False)]


def test_a_short_pause_is_no_end() -> None:
    pause = IDLE_SECONDS - 1
    assert told(every_second((5, True), (pause, False), (5, True), (pause, False), (5, True))) == [(0, True)]


def test_protection_never_runs_out_while_there_is_work() -> None:
    asked = told(every_second((7200, True)))
    assert all(protect for _, protect in asked)
    at = [now for now, _ in asked]
    assert max(later - earlier for earlier, later in itertools.pairwise(at)) <= MINUTES * 60 - RENEW_SECONDS
    assert len(at) <= 7200 / RENEW_SECONDS + 1  # and not more often than it must


def test_a_new_process_gives_up_what_the_one_before_it_may_have_had() -> None:
    assert told(every_second((60, False))) == [(IDLE_SECONDS, False)]


def test_nothing_is_said_twice() -> None:
    assert told(every_second((5, True), (600, False))) == [(0, True), (5 + IDLE_SECONDS, False)]


@pytest.mark.parametrize("busy", [True, False])
def test_after_a_failure_it_is_asked_again_later_and_later(busy: bool) -> None:
    protection = Protection(idle_seconds=0)
    tries = []
    for tenth in range(6000):
        if protection.to_tell(busy, tenth / 10) is not None:
            tries.append(tenth / 10)
            protection.failed(tenth / 10)
    waits = [later - earlier for earlier, later in itertools.pairwise(tries)]
    assert waits[:7] == pytest.approx([1, 2, 4, 8, 16, 32, 60], abs=0.2)
    assert max(waits) <= RETRY_SECONDS + 0.2
    protection.told(busy, 600.0)
    assert protection.failed(600.0) == 1.0


def test_work_that_comes_back_while_letting_go_fails_is_protected() -> None:
    protection = Protection()
    protection.told(True, 0.0)
    assert protection.to_tell(False, 1.0) is None
    assert protection.to_tell(False, 1.0 + IDLE_SECONDS) is False
    protection.failed(1.0 + IDLE_SECONDS)
    # Still protected, as far as is known: nothing needs to be said until it runs out.
    assert protection.to_tell(True, 3.0 + IDLE_SECONDS) is None
    assert protection.to_tell(True, MINUTES * 60 - RENEW_SECONDS) is True
