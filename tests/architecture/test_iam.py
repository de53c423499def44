"""What the code needs of AWS equals what the template allows it: run, recorded, compared role by role.

`iam/scenarios.py` runs the code, `iam/documented.py` adds what AWS's documentation asks for, `iam/prover.py` compares.
"""

from collections import defaultdict
from dataclasses import replace
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from tests.architecture.iam import scenarios_ledger, scenarios_submission, scenarios_tasks
from tests.architecture.iam.calls import recording
from tests.architecture.iam.documented import documented
from tests.architecture.iam.needs import REGION, Need, needs_of
from tests.architecture.iam.prover import findings, judged
from tests.architecture.iam.scenarios import SCENARIOS, Stage
from tests.architecture.iam.stack import MARK, Stack

PLAYED = (scenarios_ledger, scenarios_submission, scenarios_tasks)  # importing them registers them
ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "template.yaml"
DEFINITION = ROOT / "statemachine" / "run_job.asl.json"
DATA = [f"data{MARK}", f"more{MARK}"]
KEYS = [f"arn:aws:kms:us-east-1:123456789012:key/data{MARK}"]
OPTIONS = {"DataKeys": KEYS, "Alarms": "true", "MetricsDashboard": "true", "Dashboard": "internal", "Notebook": "true"}
VARIANTS: dict[str, dict[str, Any]] = {
    "as it is": {"DataBuckets": DATA},
    "with every option": {"DataBuckets": DATA, "SampleSchedule": "s3://data/trips.csv", **OPTIONS},
}
NEEDS_AN_OPTION = {"SchedulerRole": "Dashboard"}  # role: what its scenarios are about


@cache
def recorded(number: int) -> tuple[tuple[str, Need], ...]:
    """What the calls of a scenario need, each by its function or role. Raises LookupError where that is not known."""
    actor, play = SCENARIOS[number]
    stack = Stack.of(TEMPLATE, **VARIANTS["with every option"])
    with pytest.MonkeyPatch.context() as patch, mock_aws(), recording() as recorder:
        patch.setenv("AWS_DEFAULT_REGION", REGION)  # as Lambda and Fargate set it
        play(Stage(actor, stack, recorder))
    return tuple((call.actor, need) for call in recorder.calls for need in needs_of(call, frozenset(DATA)))


def needed(stack: Stack, variant: str) -> dict[str, list[Need]]:
    """By role: what the code and AWS need in that variant of the stack."""
    needs: dict[str, list[Need]] = defaultdict(list)
    for actor, need in chain.from_iterable(map(recorded, range(len(SCENARIOS)))):
        if NEEDS_AN_OPTION.get(actor) is None or NEEDS_AN_OPTION[actor] in VARIANTS[variant]:
            needs[stack.role_of(actor) if actor in stack.functions() else actor].append(need)
    for role, found in documented(stack, DEFINITION).items():
        needs[role] += found
    return needs


@pytest.mark.parametrize("number", range(len(SCENARIOS)), ids=[play.__name__ for _, play in SCENARIOS])
def test_what_every_path_calls_is_known(number: int) -> None:
    recorded(number)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_role_may_do_what_it_needs_and_nothing_else(variant: str) -> None:
    stack = Stack.of(TEMPLATE, **VARIANTS[variant])
    assert findings(stack, needed(stack, variant)) == []


CHANGES = {
    "an action too few": (
        'Action: ["dynamodb:GetItem", "dynamodb:UpdateItem"]',
        'Action: ["dynamodb:UpdateItem"]',
        [f"{role} lacks dynamodb:GetItem on " for role in ("ApiRole", "FinishRunRole", "JanitorRole")],
    ),
    "an action too many": (
        'Action: ["sns:Publish"], Resource: !Ref Topic',
        'Action: ["sns:Publish", "sns:Subscribe"], Resource: !Ref Topic',
        ["FinishRunRole/Tell allows sns:Subscribe, which authorization.json does not know"],
    ),
    "an action of another's": (
        'Action: ["ecs:DescribeTasks"]',
        'Action: ["ecs:DescribeTasks", "ecs:StopTask"]',
        ["AwaitWorkersRole/Look allows ecs:StopTask, which nothing needs"],
    ),
    "the ledger too": (
        '{"dynamodb:LeadingKeys": ["run#*", "work#*", "event#*"]}',
        '{"dynamodb:LeadingKeys": ["run#*", "work#*", "event#*", ledger]}',
        ["SubmitRole/Runs allows dynamodb:PutItem on items ledger, where nothing needs it"],
    ),
    "every item of the table": (
        """                Resource: !GetAtt RunsTable.Arn
                Condition: {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [ledger]}}
              - Sid: Runs
                Effect: Allow
                Action: ["dynamodb:UpdateItem"]
""",
        """                Resource: !GetAtt RunsTable.Arn
              - Sid: Runs
                Effect: Allow
                Action: ["dynamodb:UpdateItem"]
""",
        [f"{role}/Ledger allows dynamodb:GetItem on every item" for role in ("AcquireWorkersRole", "AwaitWorkersRole")],
    ),
    "an item too few": (
        '{"dynamodb:LeadingKeys": ["run#*", "work#*", "event#*"]}',
        '{"dynamodb:LeadingKeys": ["run#*", "work#*"]}',
        ["SubmitRole lacks dynamodb:GetItem on ", "SubmitRole lacks dynamodb:PutItem on "],
    ),
    "a folder too many": (
        'Action: ["s3:PutObject"], Resource: !Sub "${SpecsBucket.Arn}/answers/*"',
        'Action: ["s3:PutObject"], Resource: !Sub "${SpecsBucket.Arn}/*"',
        ["FinishRunRole/Answers allows s3:PutObject on "],
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_template_that_says_anything_else_is_found_out(change: str, tmp_path: Path) -> None:
    old, new, said = CHANGES[change]
    text = TEMPLATE.read_text()
    assert old in text
    changed = tmp_path / "template.yaml"
    changed.write_text(text.replace(old, new))
    stack = Stack.of(changed, **VARIANTS["as it is"])
    found = findings(stack, needed(stack, "as it is"))
    assert [any(each.startswith(beginning) for each in found) for beginning in said] == [True] * len(said), found
    roles = {beginning.split()[0].split("/")[0] for beginning in said}
    assert {each.split()[0].split("/")[0] for each in found} == roles


def test_no_single_action_can_be_taken_away() -> None:
    """Nothing is allowed twice either."""
    stack = Stack.of(TEMPLATE, **VARIANTS["with every option"])
    needs = needed(stack, "with every option")
    whole = stack.statements()
    unnoticed = []
    for role, statements in whole.items():
        for at, statement in enumerate(statements):
            for action in statement.actions:
                fewer = replace(statement, actions=tuple(set(statement.actions) - {action}))
                rest = [*statements[:at], fewer, *statements[at + 1 :]]
                if not any(f" lacks {action} " in text for text in judged({role: rest}, {role: needs[role]})):
                    unnoticed.append(f"{role}/{statement.sid} {action}")
    assert unnoticed == []


def test_every_function_and_every_task_has_scenarios() -> None:
    stack = Stack.of(TEMPLATE)
    tasks = {stack.role_named(task["TaskRoleArn"]) for task in stack.of_type("AWS::ECS::TaskDefinition").values()}
    assert sorted({*stack.functions(), *tasks} - {actor for actor, _ in SCENARIOS}) == []
