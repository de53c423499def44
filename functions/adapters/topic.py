"""The stack's topic in SNS."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_sns import SNSClient

_MAX_SUBJECT = 100  # characters that SNS takes


@dataclass(frozen=True)
class Topic:
    """Where people and queues subscribe to the ends of runs."""

    client: "SNSClient"
    arn: str

    def publish(self, notice: Mapping[str, Any]) -> None:
        """Tell how a run ended. Subscribers can filter by the attributes `state` and `job`."""
        self.client.publish(
            TopicArn=self.arn,
            Subject=f"{notice['state']}: {notice['run_id']}"[:_MAX_SUBJECT],
            Message=json.dumps(notice, indent=2),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": str(notice[name])} for name in ("state", "job")
            },
        )
