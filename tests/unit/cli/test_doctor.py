"""What `dispatch doctor` says about each state of an account, as data."""

from dataclasses import replace
from typing import Any

import pytest

from cli.cloud.stacks import Stack
from cli.doctor import Facts, Unknown, diagnose
from cli.stage import Stage

STAGE = Stage("dev", "dispatch-dev", "us-east-1", {"MaxWorkers": "20"})
STACK = Stack("dispatch-dev", "UPDATE_COMPLETE", {"Repository": "r/x"}, {"ImageTag": "abc", "Bootstrap": "false"})
GOOD = Facts("arn:aws:iam::1:user/me", True, 64.0, 64.0, STACK, True, 0, False)
DENIED = Unknown("AccessDenied")


def advice(facts: Facts, stage: Stage = STAGE) -> dict[str, str]:
    """What is to be done, by check."""
    return {finding.check: finding.advice for finding in diagnose(facts, stage) if finding.advice}


def test_all_is_well_where_nothing_is_amiss() -> None:
    assert advice(GOOD) == {}
    assert [finding.check for finding in diagnose(GOOD, STAGE)] == [
        "credentials",
        "ECS role",
        "Fargate quota",
        "stack dispatch-dev",
        "image abc",
        "ledger",
        "lost specs",
    ]


@pytest.mark.parametrize(
    ("changed", "check", "words"),
    [
        ({"has_ecs_role": False}, "ECS role", "create-service-linked-role"),
        ({"has_ecs_role": DENIED}, "ECS role", "create-service-linked-role"),
        ({"on_demand_vcpus": 60.9}, "Fargate quota", "smaller MaxWorkers"),
        ({"on_demand_vcpus": DENIED}, "Fargate quota", "61 vCPUs"),
        (
            {"stack": None, "has_image": None, "lost_specs": None, "draining": None},
            "stack dispatch-dev",
            "make deploy ENV=dev",
        ),
        ({"stack": replace(STACK, status="ROLLBACK_COMPLETE")}, "stack dispatch-dev", "make destroy"),
        ({"stack": replace(STACK, status="UPDATE_IN_PROGRESS")}, "stack dispatch-dev", "wait"),
        ({"stack": replace(STACK, status="UPDATE_ROLLBACK_FAILED")}, "stack dispatch-dev", "continue-update"),
        (
            {"stack": DENIED, "has_image": None, "lost_specs": None, "draining": None},
            "stack dispatch-dev",
            "DescribeStacks",
        ),
        ({"stack": replace(STACK, parameters={"ImageTag": "abc", "Bootstrap": "true"})}, "Bootstrap", "make deploy"),
        ({"has_image": False}, "image abc", "make image ENV=dev"),
        ({"has_image": DENIED}, "image abc", "DescribeImages"),
        ({"draining": True}, "ledger", "`dispatch resume --stack dispatch-dev`"),
        ({"draining": DENIED}, "ledger", "dynamodb:GetItem"),
        ({"lost_specs": 3}, "lost specs", "redrive"),
        ({"lost_specs": DENIED}, "lost specs", "GetQueueAttributes"),
    ],
)
def test_what_is_amiss_has_its_own_advice_and_no_other(changed: dict[str, Any], check: str, words: str) -> None:
    found = advice(replace(GOOD, **changed))
    assert list(found) == [check]
    assert words in found[check]


def test_without_credentials_there_is_nothing_else_to_say() -> None:
    facts = Facts(*[Unknown("no credentials")] * 8)
    assert list(advice(facts)) == ["credentials"]


def test_spot_workers_need_the_quota_of_spot() -> None:
    stage = replace(STAGE, parameters={"MaxWorkers": "20", "WorkerVcpus": "4", "SpotShare": "75"})
    assert advice(replace(GOOD, on_demand_vcpus=41, spot_vcpus=60), stage) == {}
    assert list(advice(replace(GOOD, on_demand_vcpus=41, spot_vcpus=59), stage)) == ["Fargate Spot quota"]
    assert list(advice(replace(GOOD, on_demand_vcpus=40, spot_vcpus=60), stage)) == ["Fargate quota"]
