"""What Fargate bills for a task: the one table of prices, of us-east-1 and of one day.

Sources: the price lists of AWS Fargate and of Amazon VPC (public IPv4 addresses). AWS says that Spot is up to 70 % off,
and moves its price; published ones have been two thirds off, which is what is assumed here. Storage above 20 GB, data
transfer, logs and the requests of everything else are not in it: a run costs little of them.
"""

from dataclasses import dataclass
from typing import Literal

PRICED_AT = "2026-11-23"
Architecture = Literal["ARM64", "X86_64"]

_VCPU_HOUR: dict[Architecture, float] = {"X86_64": 0.04048, "ARM64": 0.03238}
_GB_HOUR: dict[Architecture, float] = {"X86_64": 0.004445, "ARM64": 0.00356}
_SPOT = 0.33
_PUBLIC_IPV4_HOUR = 0.005
_LEAST_SECONDS = 60.0  # a task is billed by the second from its first pull of the image, and for a minute at least


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices of one processor architecture, in US dollars."""

    architecture: Architecture = "ARM64"

    def task_usd(self, vcpus: float, gb: float, seconds: float, spot: bool = False) -> float:
        """What a task of that size costs that ran for so many seconds; nothing if it never did."""
        hour = vcpus * _VCPU_HOUR[self.architecture] + gb * _GB_HOUR[self.architecture]
        return hour * (_SPOT if spot else 1.0) * _billed_hours(seconds)

    def public_ipv4_usd(self, seconds: float) -> float:
        """What the public address of a task costs that ran for so many seconds."""
        return _PUBLIC_IPV4_HOUR * _billed_hours(seconds)


def _billed_hours(seconds: float) -> float:
    return max(seconds, _LEAST_SECONDS) / 3600 if seconds > 0 else 0.0
