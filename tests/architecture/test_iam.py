"""What the code needs of AWS equals what the template allows it: run, recorded, compared role by role.

`iam/scenarios.py` runs the code, `iam/documented.py` adds what AWS's documentation asks for, `iam/prover.py` compares.
"""

from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from tests.architecture.iam import scenarios_ledger, scenarios_submission, scenarios_tasks
from tests.architecture.iam.calls import recording
from tests.architecture.iam.documented import documented
from tests.architecture.iam.needs import REGION, Need, needs_of
from tests.architecture.iam.prover import findings
from tests.architecture.iam.scenarios import SCENARIOS, Stage
from tests.architecture.iam.stack import MARK, Stack

PLAYED = (scenarios_ledger, scenarios_submission, scenarios_tasks)  # importing them registers them
ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "template.yaml"
DEFINITION = ROOT / "statemachine" / "run_job.asl.json"
DATA = [f"data{MARK}", f"more{MARK}"]
OPTIONS = {"Alarms": "true", "MetricsDashboard": "true", "Dashboard": "internal", "Notebook": "true"}
VARIANTS: dict[str, dict[str, Any]] = {
    "as it is": {"DataBuckets": DATA},
    "with every option": {"DataBuckets": DATA, "SampleSchedule": "s3://data/trips.csv", **OPTIONS},
}
NEEDS_AN_OPTION = {"SchedulerRole": "Dashboard"}  # role: what its scenarios are about


@cache
def recorded() -> dict[str, list[Need]]:
    """By function or role: what the calls of its scenarios need."""
    stack = Stack.of(TEMPLATE, **VARIANTS["with every option"])
    found: dict[str, list[Need]] = defaultdict(list)
    for actor, play in SCENARIOS:
        with pytest.MonkeyPatch.context() as patch, mock_aws(), recording() as recorder:
            patch.setenv("AWS_DEFAULT_REGION", REGION)  # as Lambda and Fargate set it
            play(Stage(actor, stack, recorder))
        for call in recorder.calls:
            found[call.actor] += needs_of(call, frozenset(DATA))
    return found


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_role_may_do_what_it_needs_and_nothing_else(variant: str) -> None:
    stack = Stack.of(TEMPLATE, **VARIANTS[variant])
    needs: dict[str, list[Need]] = defaultdict(list)
    for actor, found in recorded().items():
        if NEEDS_AN_OPTION.get(actor) is None or NEEDS_AN_OPTION[actor] in VARIANTS[variant]:
            needs[stack.role_of(actor) if actor in stack.functions() else actor] += found
    for role, found in documented(stack, DEFINITION).items():
        needs[role] += found
    assert findings(stack, needs) == []


def test_every_function_and_every_task_has_scenarios() -> None:
    stack = Stack.of(TEMPLATE)
    tasks = {stack.role_named(task["TaskRoleArn"]) for task in stack.of_type("AWS::ECS::TaskDefinition").values()}
    assert sorted({*stack.functions(), *tasks} - {actor for actor, _ in SCENARIOS}) == []
