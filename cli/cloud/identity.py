"""STS: who we are."""

import boto3


def caller(region: str) -> str:
    """The ARN of whoever the credentials belong to. Raises botocore's errors where there are none, or bad ones."""
    return boto3.client("sts", region_name=region).get_caller_identity()["Arn"]
