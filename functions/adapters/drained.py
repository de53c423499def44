"""A look at the ledger's item, for those who may not touch it."""

import json
from typing import TYPE_CHECKING

from functions.adapters.run_items import LEDGER_KEY

if TYPE_CHECKING:
    from types_boto3_dynamodb.service_resource import Table


def is_drained(runs_table: "Table") -> bool:
    """Whether no run holds workers, nor may get any until somebody resumes; true where none ever has."""
    item = runs_table.get_item(Key={"pk": LEDGER_KEY}, ConsistentRead=True).get("Item")
    if item is None:
        return True
    ledger = json.loads(str(item["document"]))
    return bool(ledger["draining"] and not ledger["leases"])
