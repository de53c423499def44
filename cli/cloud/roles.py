"""IAM: the role that ECS acts by."""

from typing import Any

import boto3

ECS_ROLE = "AWSServiceRoleForECS"


def has_ecs_role() -> bool:
    """Whether the account has ECS's service-linked role, which a new one lacks."""
    iam: Any = boto3.client("iam")
    try:
        iam.get_role(RoleName=ECS_ROLE)
    except iam.exceptions.NoSuchEntityException:
        return False
    return True
