"""Where things lie in the stack's two buckets: the one place that knows their keys.

Specs are dropped under `specs/` of the specs bucket and answered under `answers/`, which no trigger matches. A run
leaves everything under `runs/<run id>/` of the results bucket.
"""

SPECS = "specs/"
ANSWERS = "answers/"
RUNS = "runs/"
SPEC = "spec.json"
INPUTS = "inputs.json"
RESULT = "result.json"
RECEIPT = "receipt.json"
ERROR = "error.json"


def error_answer(spec_key: str) -> str:
    """The answer to a dropped spec that started nothing."""
    return f"{ANSWERS}{spec_key}.error.json"


def run_answer(spec_key: str) -> str:
    """The answer to a dropped spec that a run answers, or has answered before."""
    return f"{ANSWERS}{spec_key}.run.json"


def run_file(run_id: str, name: str) -> str:
    """The key of one of a run's files, such as `result.json`, in the results bucket."""
    return f"{RUNS}{run_id}/{name}"
