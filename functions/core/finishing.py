"""How a run ended: from what Step Functions, ECS and the client say to one final state and one problem."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from functions.core.ledger import Ledger
from functions.core.runs import Run
from jobspec import (
    ERRORS,
    EXIT_CODES,
    Cancelled,
    DispatchError,
    LostWorkers,
    NoCapacity,
    OutOfMemory,
    RunState,
    TimedOut,
    state_after,
)

KILLED = 137  # 128 + SIGKILL: the kernel's answer to too little memory, and ECS's to a task that would not stop
STOPPED = 143  # 128 + SIGTERM
MOST_BYTES, MOST_LETTERS = 16_000, 2_000  # of a problem in a run's row, and of what is left of one that is longer


@dataclass(frozen=True, slots=True)
class Ending:
    """What is said of a run's end. `status` is that of the execution; RUNNING while it is in its last state."""

    run_id: str
    status: str = "RUNNING"  # or FAILED, ABORTED, TIMED_OUT, or MISSING where there is no such execution
    error: str | None = None  # the error's name; None where the client ended well
    cause: str | None = None
    state: Mapping[str, Any] = field(default_factory=dict)  # the execution's whole state, where it is known


@dataclass(frozen=True, slots=True)
class Left:
    """What the client left in the results bucket."""

    result: Mapping[str, Any] | None = None  # result.json
    error: Mapping[str, Any] | None = None  # error.json


def ending_of(event: Mapping[str, Any]) -> Ending:
    """The ending that an event tells of: the state FinishRun's payload, or EventBridge's status change."""
    if "detail" in event:
        detail = event["detail"]
        return Ending(detail["name"], detail["status"], detail.get("error"), detail.get("cause"))
    error = event["input"].get("error") or {}
    return Ending(event["run_id"], "RUNNING", error.get("Error"), error.get("Cause"), event["input"])


def event_of(ending: Ending) -> dict[str, Any]:
    """The event that tells of an ending, as EventBridge does."""
    detail = {"name": ending.run_id, "status": ending.status, "error": ending.error, "cause": ending.cause}
    return {"detail-type": "Step Functions Execution Status Change", "detail": detail}


def final_state(ending: Ending, left: Left, run: Run, ledger: Ledger) -> tuple[RunState, dict[str, Any] | None]:
    """The state in which the run ends, and why as problem details unless it succeeded.

    A result is a result, however late the rest went wrong: it is written last, and readers may have seen it.
    """
    if left.result is not None and run.state is RunState.RUNNING:
        return RunState.SUCCEEDED, None
    problem = _problem(ending, left, run, ledger)
    if isinstance(problem, DispatchError):
        return state_after(problem), shortened(problem.as_problem())
    return _state_of(problem), shortened(problem)


def shortened(problem: Mapping[str, Any]) -> dict[str, Any]:
    """The problem, without what makes it longer than a run's row and a notice may be: an exception of a job may say
    anything, and a row that cannot be written would keep its workers for good."""
    text = json.dumps(problem, default=str, ensure_ascii=False).encode("utf-8", "replace")  # half a letter is not UTF-8
    problem = json.loads(text)
    if len(text) <= MOST_BYTES:
        return dict(problem)
    short = {
        name: problem[name] if isinstance(problem[name], int) else str(problem[name])[:200]
        for name in ("type", "title", "status")
        if name in problem
    }
    return short | {
        "detail": f"{str(problem.get('detail', ''))[:MOST_LETTERS]} ... (error.json and the log have the rest)"
    }


def _problem(ending: Ending, left: Left, run: Run, ledger: Ledger) -> DispatchError | dict[str, Any]:
    if run.cancelling or ending.status == "ABORTED":
        return Cancelled("cancelled" if run.cancelling else f"its execution was aborted{_words(ending)}")
    if ending.status == "TIMED_OUT":
        return TimedOut(_seconds_allowed(run, ledger))
    if left.error is not None and _is_problem(left.error):
        return dict(left.error)
    if ending.error is None:
        if ending.status == "RUNNING":
            return DispatchError("the client ended with exit code 0 and left no result.json")
        return DispatchError(f"its execution ended as {ending.status} and says no more")
    cause = _document(ending.cause)
    if ending.error == "States.Timeout":
        return _timed_out(ending, run, ledger)
    if ending.error in _BY_CODE and _is_problem(cause):
        return cause
    if ending.error in _BY_CODE or ending.error in _BY_NAME:
        kind = _BY_CODE.get(ending.error) or _BY_NAME[ending.error]
        return _as_problem(kind, str(cause.get("errorMessage") or ending.cause or ""))
    if containers := cause.get("Containers"):
        return _of_client(cause, containers[0])
    if ending.error.startswith(("ECS.", "AmazonECS.")):
        return NoCapacity("the client", str(ending.cause or ending.error))
    return DispatchError(f"{ending.error}{_words(ending)}")


def _timed_out(ending: Ending, run: Run, ledger: Ledger) -> DispatchError:
    """Which state took too long shows in how far the execution has come."""
    plan = ending.state.get("plan", {})
    if (workers := ending.state.get("workers") or {}).get("ready"):
        return TimedOut(float(workers.get("timeout_seconds") or _seconds_allowed(run, ledger)))
    if plan and "lease" not in ending.state:
        return NoCapacity("the run", f"{plan['workers']} workers did not come free within {plan['queue_seconds']} s")
    return DispatchError(f"a step of the run did not answer in time{_words(ending)}")


def _of_client(task: Mapping[str, Any], container: Mapping[str, Any]) -> DispatchError | dict[str, Any]:
    """Why a client's task ended that left no word of its own."""
    code = container.get("ExitCode")
    reason = container.get("Reason") or task.get("StoppedReason") or "it gives no reason"
    if code is None or task.get("StopCode") == "TaskFailedToStart":
        return NoCapacity("the client", str(reason))
    if code == KILLED and "memory" in str(reason).lower():
        return OutOfMemory(f"the client was killed: {reason}")
    if code in (KILLED, STOPPED):
        return LostWorkers(f"the client was stopped: {reason}")
    kind = _BY_CODE.get(EXIT_CODES.get(code, ""), DispatchError)
    return _as_problem(kind, f"the client ended with exit code {code}: {reason}")


def _seconds_allowed(run: Run, ledger: Ledger) -> float:
    """How long the run might take, as its lease says; else its plan."""
    if lease := ledger.leases.get(run.run_id):
        return (lease.deadline - lease.granted_at).total_seconds()
    return float((run.plan or {}).get("timeout_seconds", 0))


def _as_problem(kind: type[DispatchError], detail: str) -> dict[str, Any]:
    """Problem details of an error of which only the class and the words are known."""
    problem = DispatchError(detail).as_problem()
    title = kind.code.replace("-", " ").capitalize()
    return problem | {"type": f"{_TYPE}{kind.code}", "title": title, "status": kind.http_status}


def _state_of(problem: Mapping[str, Any]) -> RunState:
    kind = _BY_CODE.get(str(problem["type"]).removeprefix(_TYPE), DispatchError)
    if issubclass(kind, TimedOut):
        return RunState.TIMED_OUT
    return RunState.CANCELLED if issubclass(kind, Cancelled) else RunState.FAILED


def _is_problem(document: Mapping[str, Any]) -> bool:
    return str(document.get("type", "")).startswith(_TYPE)


def _document(text: str | None) -> dict[str, Any]:
    """A cause as a JSON object; an empty one where it is something else."""
    try:
        document = json.loads(text or "")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _words(ending: Ending) -> str:
    return f": {ending.cause}" if ending.cause else ""


_TYPE = "urn:dispatch:error:"
_BY_CODE = {error.code: error for error in ERRORS}
_BY_NAME = {error.__name__: error for error in ERRORS}
