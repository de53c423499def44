"""The queue of submissions as Lambda polls it: in batches, at least once, giving up on a message after a few tries."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

MAX_RECEIVES = 5
BATCH = 5


def dropped(key: str, version: str, size: int, sequencer: str = "0055AED6DCD90281E5", bucket: str = "the-specs") -> str:
    """The message of an object that was created, as EventBridge hands it to the queue."""
    return json.dumps(
        {
            "version": "0",
            "id": "17793124-05d4-b198-2fde-7ededc63b103",
            "detail-type": "Object Created",
            "source": "aws.s3",
            "account": "123456789012",
            "time": "2026-11-25T12:00:00Z",
            "region": "us-east-1",
            "resources": [f"arn:aws:s3:::{bucket}"],
            "detail": {
                "version": "0",
                "bucket": {"name": bucket},
                "object": {"key": key, "size": size, "etag": "e", "version-id": version, "sequencer": sequencer},
                "request-id": "N4N7GDK58NMKJ12R",
                "requester": "123456789012",
                "source-ip-address": "1.2.3.4",
                "reason": "PutObject",
            },
        }
    )


@dataclass
class Queue:
    """Messages, and those that were given up."""

    messages: list[str] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    received: dict[int, int] = field(default_factory=dict)
    calls: int = 0

    def drain(self, function: Callable[[dict[str, Any]], Any]) -> None:
        """Call the function with batches until the queue is empty."""
        waiting = list(enumerate(self.messages))
        while waiting:
            batch, waiting = waiting[:BATCH], waiting[BATCH:]
            self.calls += 1
            for number, _ in batch:
                self.received[number] = self.received.get(number, 0) + 1
            try:
                failed = {item["itemIdentifier"] for item in function(event(batch, self.received))["batchItemFailures"]}
            except BaseException as end:
                assert type(end).__name__ == "Crash", end
                failed = {str(number) for number, _ in batch}
            for number, body in batch:
                if str(number) in failed:
                    again = self.received[number] < MAX_RECEIVES
                    (waiting if again else self.dead).append((number, body) if again else body)  # type: ignore[arg-type]
        self.messages.clear()


def event(batch: list[tuple[int, str]], received: Mapping[int, int] = MappingProxyType({})) -> dict[str, Any]:
    """The event of a batch."""
    return {
        "Records": [
            {
                "messageId": str(number),
                "receiptHandle": "r",
                "body": body,
                "attributes": {"ApproximateReceiveCount": str(received.get(number, 1))},
                "messageAttributes": {},
                "md5OfBody": "",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:submit",
                "awsRegion": "us-east-1",
            }
            for number, body in batch
        ]
    }
