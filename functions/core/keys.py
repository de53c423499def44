"""Where things lie in the stack's two buckets: the one place that knows their keys.

Specs are dropped under `specs/` of the specs bucket and answered under `answers/`, which no trigger matches. A run
leaves everything under `runs/<run id>/` of the results bucket.
"""

from datetime import UTC, datetime
from hashlib import sha256

SPECS = "specs/"
ANSWERS = "answers/"
RUNS = "runs/"
SPEC = "spec.json"
INPUTS = "inputs.json"
RESULT = "result.json"
REPORT = "report.html"
RECEIPT = "receipt.json"
ERROR = "error.json"

MAX_KEY_BYTES = 1024
"""What S3 takes as a key, in bytes of UTF-8."""


def error_answer(spec_key: str) -> str:
    """The answer to a dropped spec that started nothing."""
    return _answer(spec_key, ".error.json")


def run_answer(spec_key: str) -> str:
    """The answer to a dropped spec that a run answers, or has answered before."""
    return _answer(spec_key, ".run.json")


def schedule_source(name: str, scheduled_at: datetime) -> str:
    """What stands for the spec's key where a schedule asked: its name and the time at which it was due."""
    return f"schedules/{name}/{scheduled_at.astimezone(UTC):%Y-%m-%dT%H%M%SZ}"


def _answer(spec_key: str, ending: str) -> str:
    key = f"{ANSWERS}{spec_key}{ending}"
    if len(key.encode()) <= MAX_KEY_BYTES:
        return key
    # A spec's key may be as long as keys can be. What is cut off lives on in a digest.
    digest = sha256(spec_key.encode()).hexdigest()
    room = MAX_KEY_BYTES - len(f"{ANSWERS}-{digest}{ending}")
    return f"{ANSWERS}{spec_key.encode()[:room].decode(errors='ignore')}-{digest}{ending}"


def run_file(run_id: str, name: str) -> str:
    """The key of one of a run's files, such as `result.json`, in the results bucket."""
    return f"{RUNS}{run_id}/{name}"
