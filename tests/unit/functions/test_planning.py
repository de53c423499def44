"""A plan is about right, says what it assumes, and keeps a budget."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from functions.core.planning import ASSUMED, Stack, TaskSize, plan, seconds_left
from functions.core.prices import PRICED_AT, Prices
from jobs import JOBS
from jobspec import InputFile, OverBudget, TimedOut, TooManyWorkers, parse_spec

STACK = Stack(20, TaskSize(2, 4), TaskSize(1, 4), TaskSize(1, 2), Prices("X86_64"))
JOB = JOBS["explore-trips"]
BENCHMARKS = Path(__file__).parents[3] / "docs" / "benchmarks.md"


def planned(size: int, name: str = "a.csv", stack: Stack = STACK, job=JOB, **spec):
    document = {"job": job.name, "params": {"trips": ["s3://b/x"]}} | spec
    return plan(job, parse_spec(document, JOBS), [InputFile(uri=f"s3://b/{name}", bytes=size, etag="e")], stack)


def test_the_price_of_a_task_is_what_aws_lists() -> None:
    x86, arm = Prices("X86_64"), Prices("ARM64")
    # The article's 20 workers of 2 vCPU and 4 GB for an hour.
    assert 20 * x86.task_usd(2, 4, 3600) == pytest.approx(1.9748)
    assert arm.task_usd(1, 0, 3600) == pytest.approx(0.03238)
    assert x86.task_usd(1, 0, 3600, spot=True) < 0.4 * x86.task_usd(1, 0, 3600)
    assert x86.public_ipv4_usd(7200) == pytest.approx(0.01)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", PRICED_AT)


def test_a_task_that_ran_is_billed_for_a_minute_at_least() -> None:
    prices = Prices()
    assert prices.task_usd(1, 2, 3) == prices.task_usd(1, 2, 60) > 0
    assert prices.task_usd(1, 2, 120) == pytest.approx(2 * prices.task_usd(1, 2, 60))
    assert prices.task_usd(1, 2, 0) == prices.public_ipv4_usd(0) == 0


@pytest.mark.parametrize(
    ("name", "size", "trips"),
    [("a.csv", 902e6, 10e6), ("a.parquet", 229e6, 10e6), ("A.PQ", 229e6, 10e6), ("a.csv.gz", 210e6, 10e6)],
)
def test_trips_are_guessed_from_size_and_format(name: str, size: float, trips: float) -> None:
    assert planned(int(size), name).trips == pytest.approx(trips, rel=0.05)


def test_auto_is_the_jobs_own_size_within_the_cap() -> None:
    assert planned(90).workers == 1
    assert planned(90 * 30_000_000).workers == 6
    assert planned(90 * 900_000_000).workers == 20
    assert planned(90 * 900_000_000, stack=replace(STACK, max_workers=8)).workers == 8


def test_more_workers_than_the_stack_has_are_refused() -> None:
    assert planned(90, cluster={"workers": 20}).workers == 20
    with pytest.raises(TooManyWorkers, match=r"21 workers; this stack runs at most 20"):
        planned(90, cluster={"workers": 21})


def test_time_and_money() -> None:
    plan = planned(int(90 * 100e6), cluster={"workers": 10})
    assert (plan.files, plan.bytes, plan.timeout_seconds) == (1, 9_000_000_000, 3600)
    # 100 million trips on 20 vCPUs at half a million each: 10 s, with half a minute of the client's own.
    run = 10 + 30
    assert plan.minutes == pytest.approx((140 + run) / 60, abs=0.06)
    prices = STACK.prices
    by_hand = (
        10 * (prices.task_usd(2, 4, 140 + run) + prices.public_ipv4_usd(140 + run))
        + prices.task_usd(1, 4, 70 + run) + prices.public_ipv4_usd(70 + run)
        + prices.task_usd(1, 2, 260 + run) + prices.public_ipv4_usd(260 + run)
    )  # fmt: skip
    assert plan.usd == pytest.approx(by_hand, abs=1e-4)


def test_what_cannot_be_cut_is_read_by_one_core() -> None:
    assert planned(2_100_000_000, "a.csv.gz").minutes > planned(9_000_000_000, "a.csv").minutes
    spread = planned(int(90 * 600e6), cluster={"workers": 20})
    assert spread.minutes < planned(int(90 * 600e6), cluster={"workers": 1}).minutes / 2


def test_a_job_on_frames_takes_longer() -> None:
    frames = replace(JOB, questions=None, run=lambda trips, params: {})
    assert planned(int(90 * 400e6), job=frames).minutes > 2 * planned(int(90 * 400e6)).minutes


def test_spot_costs_less() -> None:
    assert planned(90, stack=replace(STACK, spot_share=1.0)).usd < planned(90).usd


def test_what_cannot_fit_is_refused_and_what_fits_is_bounded() -> None:
    free = planned(int(90 * 100e6))
    with pytest.raises(OverBudget) as refused:
        planned(int(90 * 100e6), limits={"max_cost_usd": free.usd * 0.9})
    assert refused.value.needed_usd == pytest.approx(free.usd, abs=1e-4)
    tight = planned(int(90 * 100e6), limits={"max_cost_usd": free.usd * 2})
    assert tight.timeout_seconds < free.timeout_seconds == 3600
    assert planned(int(90 * 100e6), limits={"max_cost_usd": 10_000.0}).timeout_seconds == 3600


@pytest.mark.parametrize("workers", [1, 7, 20])
@pytest.mark.parametrize("limit", [0.05, 0.4, 3.0])
def test_a_run_that_uses_all_its_time_costs_no_more_than_its_limit(workers: int, limit: float) -> None:
    spec = {"cluster": {"workers": workers}, "limits": {"max_cost_usd": limit, "timeout_minutes": 1440}}
    try:
        seconds = planned(90, **spec).timeout_seconds
    except OverBudget:
        return
    prices, start = STACK.prices, ASSUMED.task_start_seconds
    cost = (
        workers * (prices.task_usd(2, 4, 2 * start + seconds) + prices.public_ipv4_usd(2 * start + seconds))
        + prices.task_usd(1, 4, start + seconds) + prices.public_ipv4_usd(start + seconds)
        + prices.task_usd(1, 2, 2 * start + seconds + 120) + prices.public_ipv4_usd(2 * start + seconds + 120)
    )  # fmt: skip
    assert cost <= limit + 1e-9
    assert seconds == 86_400 or cost > limit * 0.99


@pytest.mark.parametrize("waited", [0, 70, 200, 600])
@pytest.mark.parametrize("limit", [0.15, 0.3, 2.0])
def test_workers_that_are_slow_to_come_shorten_the_run_rather_than_cost_more(limit: float, waited: int) -> None:
    found = planned(90, cluster={"workers": 20}, limits={"max_cost_usd": limit, "timeout_minutes": 1440})
    try:
        seconds = seconds_left(found.timeout_seconds, found.paid_seconds, waited)
    except TimedOut:
        seconds = 0
    worker = waited + seconds
    cost = 20 * (STACK.prices.task_usd(2, 4, worker) + STACK.prices.public_ipv4_usd(worker))
    assert cost <= limit or seconds == 0
    assert seconds or waited + 60 > (found.paid_seconds or 0)


def test_without_a_limit_of_money_slow_workers_take_no_time_from_the_client() -> None:
    found = planned(90, limits={"timeout_minutes": 10})
    assert found.paid_seconds is None
    assert seconds_left(found.timeout_seconds, found.paid_seconds, 590) == 600
    assert seconds_left(30, None, 590) == 30


def test_what_is_assumed_is_on_the_safe_side_of_what_was_measured() -> None:
    page = BENCHMARKS.read_text()
    row = r"{}, warm\s*\| Seconds.*?Dispatch, worker processes\s*\|\s*([\d.]+)"
    found = {form: re.search(row.format(form), page, re.DOTALL) for form in ("Parquet", "CSV")}
    seconds = {form: float(match[1]) for form, match in found.items() if match}
    for rate, form in ((ASSUMED.parquet_rate, "Parquet"), (ASSUMED.csv_rate, "CSV")):
        measured = 10e6 / seconds[form] / 2
        assert measured / 6 < rate < measured / 2
