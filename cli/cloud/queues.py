"""SQS: how many messages lie in a queue."""

import boto3


def waiting(region: str, queue_url: str) -> int:
    """About how many messages wait."""
    found = boto3.client("sqs", region_name=region).get_queue_attributes(
        QueueUrl=queue_url, AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(found["Attributes"]["ApproximateNumberOfMessages"])
