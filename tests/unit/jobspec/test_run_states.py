"""A run's state only goes forward, and a final one never changes."""

from itertools import product

import pytest

from jobspec import TRANSITIONS, IllegalTransition, RunState, advance

S = RunState
ORDER = [S.SUBMITTED, S.QUEUED, S.SCALING, S.RUNNING]
STOPPED = {S.FAILED, S.CANCELLED, S.TIMED_OUT}


def legal(old, new):
    if old == new:
        return True
    if old not in ORDER:
        return False
    if new in STOPPED:
        return True
    return old == S.RUNNING if new == S.SUCCEEDED else ORDER.index(old) < ORDER.index(new)


@pytest.mark.parametrize(("old", "new"), list(product(RunState, RunState)))
def test_only_the_ways_forward_are_open(old, new):
    if legal(old, new):
        assert advance(old, new) is new
    else:
        with pytest.raises(IllegalTransition, match=f"from {old} to {new}"):
            advance(old, new)


def test_four_states_are_final():
    assert {state for state in RunState if state.is_final} == {S.SUCCEEDED, *STOPPED}


def test_every_state_has_its_row():
    assert set(TRANSITIONS) == set(RunState)
