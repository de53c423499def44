"""What a run cost: the seconds of the Fargate tasks that it used, from ECS's own times, at the prices of the day.

Workers are shared by the runs that hold leases, so a run pays for a worker from the grant of its lease to the end of
it, and the scheduler by its part of all workers leased. docs/receipt.md says what is not in a receipt.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from functions.core.planning import TaskSize
from functions.core.prices import PRICED_AT, Prices
from functions.core.runs import Run
from functions.core.scaling import Role, Task
from jobspec import BillLine, Receipt, RunState


@dataclass(frozen=True, slots=True)
class Used:
    """What a run may have used. `scheduler_share` is its part of the workers leased, from 0 to 1."""

    clients: Sequence[Task]
    workers: Sequence[Task]  # all that there were, of which it claimed some
    schedulers: Sequence[Task]
    granted_at: datetime | None  # None for a run that never had workers
    leased: int
    claimed: AbstractSet[str] = frozenset()  # names of the workers that its result says it ran on
    scheduler_share: float = 1.0


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a stack's tasks are, and so what they cost."""

    sizes: Mapping[Role, TaskSize]
    prices: Prices
    public_ips: bool


def receipt(run: Run, state: RunState, used: Used, tariff: Tariff, now: datetime) -> Receipt:
    """The receipt of a run that ends now in that state."""
    bill = list(_bill(used, tariff, now))
    return Receipt(
        run_id=run.run_id,
        state=state,
        bill=bill,
        total_usd=round(sum(line.usd for line in bill), 6),
        priced_at=PRICED_AT,
        plan=run.plan,
    )


def _bill(used: Used, tariff: Tariff, now: datetime) -> Iterator[BillLine]:
    clients = [_seconds(task, None, now) for task in used.clients]
    yield from _line("client", clients, tariff)
    workers = _workers(used, now)
    for spot in (False, True):
        yield from _line("worker", [each for task, each in workers if task.spot is spot], tariff, spot)
    schedulers = [_seconds(task, used.granted_at, now) for task in used.schedulers if used.granted_at]
    yield from _line("scheduler", schedulers, tariff, share=used.scheduler_share)
    addresses = [*clients, *(seconds for _, seconds in workers)]
    if tariff.public_ips and any(addresses + schedulers):
        usd = sum(map(tariff.prices.public_ipv4_usd, addresses))
        usd += used.scheduler_share * sum(map(tariff.prices.public_ipv4_usd, schedulers))
        seconds = sum(addresses) + used.scheduler_share * sum(schedulers)
        yield BillLine(what="public IPv4 addresses", seconds=round(seconds, 3), usd=round(usd, 6))


def _workers(used: Used, now: datetime) -> list[tuple[Task, float]]:
    """The workers that the run pays for: those that it ran on, else as many as it leased, the longest first."""
    if used.granted_at is None:
        return []
    seconds = [(task, _seconds(task, used.granted_at, now)) for task in used.workers]
    there = sorted((pair for pair in seconds if pair[1]), key=lambda pair: (-pair[1], pair[0].arn))
    claimed = [pair for pair in there if pair[0].name in used.claimed]
    return claimed or there[: used.leased]


def _seconds(task: Task, since: datetime | None, now: datetime) -> float:
    """For how long a task is billed to the run: from its first pull of the image, or the run's lease, to its end."""
    if task.pull_started_at is None:
        return 0.0
    start = max(task.pull_started_at, since) if since else task.pull_started_at
    end = min(task.stopped_at, now) if task.stopped_at and since else task.stopped_at or now
    return max(0.0, (end - start).total_seconds())


def _line(
    what: Role, seconds: Sequence[float], tariff: Tariff, spot: bool = False, share: float = 1.0
) -> Iterator[BillLine]:
    """One line for tasks of one size; none where none has run."""
    ran = [each for each in seconds if each]
    if not ran:
        return
    size = tariff.sizes[what]
    count = f"{len(ran)} {what}s" if len(ran) > 1 else what
    words = [count, f"{size.vcpus:g} vCPU", f"{size.gb:g} GB", *(["Spot"] if spot else [])]
    if share < 1.0:
        words.append(f"{share:.0%} of it")
    usd = share * sum(tariff.prices.task_usd(size.vcpus, size.gb, each, spot) for each in ran)
    yield BillLine(what=", ".join(words), seconds=round(share * sum(ran), 3), usd=round(usd, 6))
