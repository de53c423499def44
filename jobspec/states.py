"""The states of a run and the only ways between them: forward, and never out of a final one."""

from enum import StrEnum

from jobspec.errors import Cancelled, DispatchError, IllegalTransition, TimedOut


class RunState(StrEnum):
    """Where a run is in its life."""

    SUBMITTED = "SUBMITTED"
    QUEUED = "QUEUED"
    SCALING = "SCALING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    TIMED_OUT = "TIMED_OUT"

    @property
    def is_final(self) -> bool:
        """Whether the run has ended and its state can never change again."""
        return not TRANSITIONS[self]


_STOPPED = frozenset({RunState.FAILED, RunState.CANCELLED, RunState.TIMED_OUT})

TRANSITIONS: dict[RunState, frozenset[RunState]] = {
    # A run may skip a state that it has no need of: a local one neither queues nor scales.
    RunState.SUBMITTED: _STOPPED | {RunState.QUEUED, RunState.SCALING, RunState.RUNNING},
    RunState.QUEUED: _STOPPED | {RunState.SCALING, RunState.RUNNING},
    RunState.SCALING: _STOPPED | {RunState.RUNNING},
    RunState.RUNNING: _STOPPED | {RunState.SUCCEEDED},
    RunState.SUCCEEDED: frozenset(),
    RunState.FAILED: frozenset(),
    RunState.CANCELLED: frozenset(),
    RunState.TIMED_OUT: frozenset(),
}


def advance(old: RunState, new: RunState) -> RunState:
    """Return `new` if a run in `old` may go there or is there already; raise IllegalTransition otherwise."""
    if new != old and new not in TRANSITIONS[old]:
        raise IllegalTransition(old, new)
    return new


def state_after(error: DispatchError) -> RunState:
    """The final state of a run that ended with this error."""
    if isinstance(error, TimedOut):
        return RunState.TIMED_OUT
    return RunState.CANCELLED if isinstance(error, Cancelled) else RunState.FAILED
