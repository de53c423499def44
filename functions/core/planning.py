"""Before a run starts: about how many trips, how many workers, how long, how much. From sizes and formats alone.

The numbers are rough on purpose and stated in one place, `ASSUMED`. A plan is right within a factor of two or so; what
protects a budget is the time-out that follows from it.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from functions.core.prices import PRICED_AT, Prices
from jobspec import InputFile, Job, OverBudget, Spec, TimedOut, TooManyWorkers


@dataclass(frozen=True)
class Assumed:
    """What is assumed of files, Fargate and our own code, and where it comes from."""

    # Bytes a trip. docs/benchmarks.md: 10 million trips are 902 MB of CSV and 229 MB of Parquet with TLC's own columns;
    # the CSV files of examples/data, compressed, have 21 bytes a trip.
    csv_bytes: float = 90.0
    gzip_bytes: float = 21.0
    parquet_bytes: float = 23.0
    # Trips a second and vCPU. docs/benchmarks.md: the whole of explore-trips on two worker processes takes 0.82 s for
    # 10 million trips of Parquet and 2.52 s of CSV, which is 6 and 2 million a core. Half a core is what a vCPU is, and
    # half of that again is left for data that comes from S3 rather than from memory.
    csv_rate: float = 0.5e6
    parquet_rate: float = 1.5e6
    # The same for a job on a Dask DataFrame (docs/benchmarks.md: 20.31 and 33.98 s), halved twice in the same way.
    frame_csv_rate: float = 0.037e6
    frame_parquet_rate: float = 0.06e6
    # Seconds from asking for a task to its code running, image pull included: about 70 for an image of 900 MB.
    task_start_seconds: float = 70.0
    # What the client does besides: planning, plots, the report, writing.
    client_seconds: float = 30.0
    # The scheduler stays this long after the last worker.
    scheduler_linger_seconds: float = 120.0


ASSUMED = Assumed()
QUEUE_SECONDS = 48 * 3600
"""How long a run may wait for workers: longer than the longest run takes, which a deploy or other runs may wait for."""
SHORTEST_SECONDS = 60
START_SECONDS = 600
"""How long a run waits for the workers that it has been granted; then half of them must do."""


@dataclass(frozen=True, slots=True)
class TaskSize:
    """The size of a Fargate task."""

    vcpus: float
    gb: float


@dataclass(frozen=True, slots=True)
class Stack:
    """What a stack runs its jobs on."""

    max_workers: int
    worker: TaskSize
    client: TaskSize
    scheduler: TaskSize
    prices: Prices
    spot_share: float = 0.0  # of the workers, 0 to 1


@dataclass(frozen=True, slots=True)
class Plan:
    """How a run will be run; `trips`, `minutes` and `usd` are about right at best."""

    files: int
    bytes: int
    trips: int
    workers: int
    minutes: float  # from the start of the workers to the end of the client
    usd: float
    timeout_seconds: int  # of the client: as the spec says, or when the money is spent
    paid_seconds: int | None  # from the grant of its workers until the money is spent; None where it has no limit
    queue_seconds: int
    start_seconds: int
    priced_at: str

    def as_dict(self) -> dict[str, Any]:
        """The fields, ready for JSON."""
        return asdict(self)


def plan(job: Job, spec: Spec, inputs: Sequence[InputFile], stack: Stack) -> Plan:
    """The plan of a run. Raises TooManyWorkers, and OverBudget where `max_cost_usd` cannot be kept."""
    loads = [_load(job, file) for file in inputs]
    trips = round(sum(load.trips for load in loads))
    workers = _workers(job, spec, trips, stack)
    spread = sum(load.seconds for load in loads) / (workers * stack.worker.vcpus)
    longest = max((load.seconds for load in loads if load.whole), default=0.0)  # what cannot be cut, one core reads
    run_seconds = ASSUMED.client_seconds + max(spread, longest)
    usd = _usd(run_seconds, workers, stack)
    limit = spec.limits.max_cost_usd
    if limit is not None and usd > limit:
        raise OverBudget(usd, limit)
    timeout, paid = spec.limits.timeout_minutes * 60, None
    if limit is not None:
        affordable = _affordable_seconds(limit, workers, stack)
        timeout, paid = min(timeout, affordable), affordable + math.floor(ASSUMED.task_start_seconds)
    return Plan(
        files=len(inputs),
        bytes=sum(file.bytes for file in inputs),
        trips=trips,
        workers=workers,
        minutes=round((2 * ASSUMED.task_start_seconds + run_seconds) / 60, 1),
        usd=round(usd, 4),
        timeout_seconds=timeout,
        paid_seconds=paid,
        queue_seconds=QUEUE_SECONDS,
        start_seconds=START_SECONDS,
        priced_at=PRICED_AT,
    )


def seconds_left(timeout_seconds: int, paid_seconds: int | None, waited: float) -> int:
    """How long the client of a run may take that has waited so long for its workers, which cost while they start.

    Raises TimedOut where there is less than a minute, which is the least that ECS bills.
    """
    left = timeout_seconds if paid_seconds is None else min(timeout_seconds, math.floor(paid_seconds - waited))
    if left < SHORTEST_SECONDS and left < timeout_seconds:
        raise TimedOut(waited)
    return left


@dataclass(frozen=True, slots=True)
class _Load:
    trips: float
    seconds: float  # of one vCPU
    whole: bool  # cannot be cut


def _load(job: Job, file: InputFile) -> _Load:
    name = file.uri.lower()
    if name.endswith((".parquet", ".pq")):
        trips, rate = file.bytes / ASSUMED.parquet_bytes, ASSUMED.parquet_rate
        frame_rate, whole = ASSUMED.frame_parquet_rate, False
    else:
        whole = name.endswith(".gz")
        trips, rate = file.bytes / (ASSUMED.gzip_bytes if whole else ASSUMED.csv_bytes), ASSUMED.csv_rate
        frame_rate = ASSUMED.frame_csv_rate
    return _Load(trips, trips / (rate if job.questions else frame_rate), whole)


def _workers(job: Job, spec: Spec, trips: int, stack: Stack) -> int:
    asked = spec.cluster.workers
    if asked == "auto":
        return min(job.size.workers_for(trips), stack.max_workers)
    if asked > stack.max_workers:
        raise TooManyWorkers(asked, stack.max_workers)
    return asked


def _usd(run_seconds: float, workers: int, stack: Stack) -> float:
    """Workers come up first, then the client, while the scheduler is there all the time and lingers."""
    start = ASSUMED.task_start_seconds
    client, worker = start + run_seconds, 2 * start + run_seconds
    scheduler = worker + ASSUMED.scheduler_linger_seconds
    prices, size = stack.prices, stack.worker
    spot = prices.task_usd(size.vcpus, size.gb, worker, spot=True) * stack.spot_share
    firm = prices.task_usd(size.vcpus, size.gb, worker) * (1 - stack.spot_share)
    return (
        workers * (spot + firm + prices.public_ipv4_usd(worker))
        + prices.task_usd(stack.client.vcpus, stack.client.gb, client)
        + prices.public_ipv4_usd(client)
        + prices.task_usd(stack.scheduler.vcpus, stack.scheduler.gb, scheduler)
        + prices.public_ipv4_usd(scheduler)
    )


def _affordable_seconds(limit: float, workers: int, stack: Stack) -> int:
    """How long the client may run until the run has cost so much: after a minute every second costs the same."""
    a_minute, an_hour = _usd(60.0, workers, stack), _usd(3660.0, workers, stack)
    return math.floor(60.0 + 3600.0 * (limit - a_minute) / (an_hour - a_minute))
