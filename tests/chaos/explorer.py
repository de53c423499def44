"""The model checker: every order in which some processes can make their calls, each of which may crash in between."""

from collections.abc import Iterator, Sequence
from typing import Any

from tests.chaos.stepping import Call, Process, essence
from tests.chaos.world import Violation, World, sweeping_up

Path = tuple[Any, int, Call, Any] | None  # the steps before, which process, its call, its answer


def explore(world: World, processes: Sequence[Process], crashes: int = 0) -> int:
    """Visit every state that the processes can reach, at most so many of them crashing; returns how many there are.

    Two orders that leave the world alike, and every process with the same answers, are one state. Raises Violation,
    with the calls that lead there, where an invariant does not hold. In the end ECS must have been told what the ledger
    says, and nobody who could have workers may wait: by the processes themselves, or after a crash by the janitor.
    """
    seen: set[Any] = set()
    stack: list[tuple[World, tuple[Process, ...], Path]] = [(world, tuple(processes), None)]
    while stack:
        here, living, path = stack.pop()
        key = _key(here, living)
        if key in seen:
            continue
        seen.add(key)
        calls = [process.next_call for process in living]
        try:
            if not any(calls):
                _check_end(here, living)
            for index, call in _worth_trying(calls):
                if call is not None:
                    stack += _answered(here, living, index, call, path)
                    if sum(process.crashed for process in living) < crashes:
                        stack.append((here, _with(living, index, living[index].crash()), (path, index, call, "crash")))
        except Violation as violation:
            raise Violation(f"{violation}{_told(path, living)}") from violation
    return len(seen)


def _worth_trying(calls: Sequence[Call | None]) -> Sequence[tuple[int, Call | None]]:
    """The next calls, by process. No process sees whether another's run was told: one such order stands for all."""
    unseen = [(index, call) for index, call in enumerate(calls) if call and call.method in ("succeed", "fail")]
    return unseen[:1] or list(enumerate(calls))


def run_to_end(world: World, process: Process) -> None:
    """Let a process make all of its calls."""
    while call := process.next_call:
        process = process.answered(world.make(call))


def _answered(
    world: World, processes: tuple[Process, ...], index: int, call: Call, path: Path
) -> Iterator[tuple[World, tuple[Process, ...], Path]]:
    """What follows when a process makes its call, once for every answer that it may have."""
    for age in _ages(world, call):
        then = world.copy()
        answer = then.make(call if age is None else Call(call.port, call.method, (*call.arguments, age)))
        yield then, _with(processes, index, processes[index].answered(answer)), (path, index, call, answer)


def _check_end(world: World, processes: tuple[Process, ...]) -> None:
    if any(process.crashed for process in processes):
        world = world.copy()
        run_to_end(world, Process("janitor", sweeping_up()))
    world.check_converged()


def _ages(world: World, call: Call) -> Sequence[int | None]:
    """A description may be as old as it likes: every age is a case of its own."""
    if call.method == "described":
        return range(sum(told == call.arguments[0] for told, _ in world.services.orders) + 1)
    return [None]


def _with(processes: tuple[Process, ...], index: int, process: Process) -> tuple[Process, ...]:
    return (*processes[:index], process, *processes[index + 1 :])


def _key(world: World, processes: tuple[Process, ...]) -> Any:
    """What two states must have in common to be one."""
    store, services, executions = world.store, world.services, world.executions
    return (
        essence(store.ledger),
        essence(store.runs),
        services.orders if _asks(processes) else (services.desired("worker"), services.desired("scheduler")),
        services.running,
        essence(executions.statuses),
        frozenset(executions.answers),
        tuple(process.place for process in processes),
    )


def _asks(processes: tuple[Process, ...]) -> bool:
    """Whether somebody looks at what ECS was told long ago."""
    return any(process.name.startswith("describing") for process in processes)


def _told(path: Path, processes: tuple[Process, ...]) -> str:
    lines = []
    while path is not None:
        path, index, call, answer = path
        lines.append(f"\n  {processes[index].name}: {call} -> {essence(answer)}")
    return "".join(reversed(lines))
