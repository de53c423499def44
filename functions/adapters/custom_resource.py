"""The answer that CloudFormation waits for: a document put to an address that it has signed."""

import json
from collections.abc import Mapping
from typing import Any

import urllib3


def reply(event: Mapping[str, Any], physical_id: str, failure: str | None = None) -> None:
    """Tell CloudFormation that its request is done, or why it is not."""
    answer = {
        "Status": "FAILED" if failure else "SUCCESS",
        "Reason": (failure or "")[:1000],
        "PhysicalResourceId": physical_id,
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    body = json.dumps(answer).encode()
    # The signature covers an empty content type.
    retries = urllib3.Retry(total=5, backoff_factor=0.5, status_forcelist=[500, 503], allowed_methods=["PUT"])
    urllib3.request("PUT", event["ResponseURL"], body=body, headers={"content-type": ""}, retries=retries, timeout=10)
