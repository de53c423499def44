"""The same world with the ledger and the runs in DynamoDB, by the product's adapter, on moto."""

from collections.abc import Iterable
from typing import Any

from functions.adapters.run_items import run_item, run_of
from functions.core.ledger import Ledger
from functions.core.runs import Run
from tests.chaos.world import World, fake_world
from tests.functional.ledger.moto_ledger import TABLE, ledger_table


class MotoWorld(World):
    """A world that cannot be copied."""

    def __init__(self, dynamodb: Any, ledger: Ledger, runs: Iterable[Run]) -> None:
        runs = list(runs)
        likeness = fake_world(ledger, runs)
        super().__init__(ledger_table(dynamodb, ledger, runs), likeness.services, likeness.executions)
        self._table = dynamodb.Table(TABLE)

    def runs(self) -> dict[str, Run]:
        items = self._table.scan(ConsistentRead=True)["Items"]
        return {run.run_id: run for run in (run_of(item) for item in items if item["pk"].startswith("run#"))}

    def put(self, run: Run) -> None:
        self._table.put_item(Item=run_item(run))
