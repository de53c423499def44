"""Specs, and what is told of the runs they become."""

import json
from typing import Any

from jobs import JOBS
from jobs.runtime.run import Outcome
from jobspec import Spec, parse_spec


def spec_of(trips: list[Any], job: str = "explore-trips", **params: Any) -> Spec:
    return parse_spec({"job": job, "params": {"trips": [str(path) for path in trips], **params}}, JOBS)


def told(outcome: Outcome) -> str:
    """What a run answered, byte for byte."""
    return json.dumps([outcome.result.answers, outcome.result.quality])
