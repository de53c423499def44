"""What a stack costs a month in which nothing runs, from a dated table: `python -m docs.idle_cost` writes docs/cost.md.

The free tier is not counted. Every quantity follows from the template or says what it assumes.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

PRICED_AT = "2026-11-25"
PAGE = Path(__file__).with_name("cost.md")
MINUTES = 30 * 24 * 60  # of a month
TARGET_USD = 1.00
START, END = "<!-- written by docs/idle_cost.py -->\n", "<!-- end of what is written -->\n"

# US dollars, us-east-1, from the price pages of the services on PRICED_AT.
PRICES = {
    "Route 53 hosted zone, month": 0.50,
    "SQS request": 0.40e-6,
    "Lambda request": 0.20e-6,
    "Lambda GB-second, ARM": 0.0000133334,
    "DynamoDB read request unit": 0.125e-6,
    "DynamoDB GB-month": 0.25,
    "DynamoDB recovery GB-month": 0.20,
    "ECR GB-month": 0.10,
    "S3 GB-month": 0.023,
    "CloudWatch logs, GB taken in": 0.50,
    "CloudWatch logs, GB-month": 0.03,
    "CloudWatch alarm, month": 0.10,
    "CloudWatch dashboard, month": 3.00,
    "CloudWatch metric, month": 0.30,
    "Load balancer (network), hour": 0.0225,
    "Public IPv4 address, hour": 0.005,
    "Notebook ml.t3.medium, hour": 0.05,
    "Notebook volume, GB-month": 0.14,
}


@dataclass(frozen=True)
class Line:
    """One thing that is billed."""

    what: str
    quantity: float
    unit: str  # a key of PRICES
    why: str

    @property
    def usd(self) -> float:
        """What it costs a month."""
        return self.quantity * PRICES[self.unit]


JANITOR_CALLS = MINUTES / 5
JANITOR_READS = 7  # a call, of an idle ledger: tests/functional/functions/test_janitor.py counts them
IDLE = (
    Line(
        "Private DNS zone of Cloud Map", 1, "Route 53 hosted zone, month", "how workers and people find the scheduler"
    ),
    Line("Polling the queue", 5 * 3 * MINUTES, "SQS request", "Lambda polls by five, 20 seconds a call"),
    Line("Janitor, calls", JANITOR_CALLS, "Lambda request", "every five minutes"),
    Line(
        "Janitor, time",
        JANITOR_CALLS * 1.0 * 0.5,
        "Lambda GB-second, ARM",
        "a second each of 512 MB, which is assumed: every further second adds as much",
    ),
    Line(
        "Janitor, reads",
        JANITOR_CALLS * (JANITOR_READS + 0.5),
        "DynamoDB read request unit",
        f"the ledger {JANITOR_READS} times, consistently, and the open runs, of which there are none",
    ),
    Line("Janitor, logs", JANITOR_CALLS * 2e-6, "CloudWatch logs, GB taken in", "2 kB a call"),
    Line("Logs kept", 0.1, "CloudWatch logs, GB-month", "30 days of them and of some runs"),
    Line("Images", 3 * 0.35, "ECR GB-month", "of the last three deploys, 350 MB each as they are packed"),
    Line("Runs table", 0.05, "DynamoDB GB-month", "rows of some 10,000 runs"),
    Line("Runs table, recovery", 0.05, "DynamoDB recovery GB-month", "point in time, 35 days"),
    Line("Buckets", 1.0, "S3 GB-month", "1 GB of specs and results; your data comes on top"),
)
OPTIONS = {
    "`Alarms=true`": (Line("Alarms", 7, "CloudWatch alarm, month", "seven"),),
    "`MetricsDashboard=true`": (Line("Dashboard", 1, "CloudWatch dashboard, month", "one"),),
    "`ContainerInsights=enabled`": (
        Line("Metrics", 24, "CloudWatch metric, month", "about 24 for a cluster with two services, also at zero tasks"),
    ),
    "`Dashboard=internal`": (Line("Balancer", MINUTES / 60, "Load balancer (network), hour", "one, idle"),),
    "`Dashboard=public`": (
        Line("Balancer", MINUTES / 60, "Load balancer (network), hour", "one, idle"),
        Line("Addresses", 2 * MINUTES / 60, "Public IPv4 address, hour", "one in each subnet"),
    ),
    "`Notebook=true`": (
        Line("Instance", MINUTES / 60, "Notebook ml.t3.medium, hour", "stop it, and this stops"),
        Line("Volume", 5, "Notebook volume, GB-month", "5 GB"),
    ),
}


def total(lines: tuple[Line, ...]) -> float:
    """US dollars a month."""
    return sum(line.usd for line in lines)


def tables() -> str:
    """The part of docs/cost.md that is worked out."""
    rows = [
        f"| {line.what} | {line.quantity:,.7g} | {_price(line.unit)} | {line.usd:.4f} | {line.why} |" for line in IDLE
    ]
    options = [
        f"| {name} | {total(lines):.2f} | {'; '.join(f'{line.what.lower()}: {line.why}' for line in lines)} |"
        for name, lines in OPTIONS.items()
    ]
    return f"""{START}
Prices of us-east-1 on {PRICED_AT}, free tier not counted, in US dollars a month of 30 days.

| what | quantity | price | a month | why |
|---|---:|---|---:|---|
{_joined(rows)}
| **all** | | | **{total(IDLE):.2f}** | |

What each option adds, as long as it is on:

| option | a month | what for |
|---|---:|---|
{_joined(options)}

{END}"""


def _price(unit: str) -> str:
    return f"{PRICES[unit]:.10f}".rstrip("0").rstrip(".") + f", {unit}"


def _joined(rows: list[str]) -> str:
    return "\n".join(rows)


def page() -> str:
    """docs/cost.md with its tables as they should be."""
    before, _, rest = PAGE.read_text("utf-8").partition(START)
    return before + tables() + rest.partition(END)[2]


if __name__ == "__main__":
    if "--check" not in sys.argv:
        PAGE.write_text(page(), "utf-8")
    elif PAGE.read_text("utf-8") != page():
        sys.exit("docs/cost.md is stale: run `make docs`")
