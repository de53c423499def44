"""The stack's event bus in EventBridge."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jobspec import DispatchError

if TYPE_CHECKING:
    from types_boto3_events import EventBridgeClient

SOURCE = "dispatch"
FINISHED = "Run Finished"


@dataclass(frozen=True)
class Bus:
    """Where other programs learn of the ends of runs."""

    client: "EventBridgeClient"
    name: str

    def publish(self, notice: Mapping[str, Any]) -> None:
        """Put the event `Run Finished` on the bus. Raises DispatchError where the bus does not take it."""
        entry = {"EventBusName": self.name, "Source": SOURCE, "DetailType": FINISHED, "Detail": json.dumps(notice)}
        answer = self.client.put_events(Entries=[entry])  # type: ignore[list-item]
        if answer["FailedEntryCount"]:
            told = answer["Entries"][0]
            raise DispatchError(f"the bus refused an event: {told.get('ErrorCode')}: {told.get('ErrorMessage')}")
