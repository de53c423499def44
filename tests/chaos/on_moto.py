"""The same world with the ledger and the runs in DynamoDB, by the product's adapter, on moto."""

from collections.abc import Iterable, Mapping
from typing import Any

from functions.adapters.ledger_table import LedgerTable, ledger_document
from functions.adapters.run_items import LEDGER_KEY, run_item, run_key, run_of
from functions.core.leasing import Outcome, RunChange
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


class Database:
    """What the product's adapter answers and leaves behind, in any state that a table can be in.

    DynamoDB cannot go back to an earlier state, so the state is put into the table before each call, and read after it.
    A call in a state does the same every time; it is made once.
    """

    def __init__(self, dynamodb: Any) -> None:
        self._adapter = LedgerTable(dynamodb, TABLE, None, lambda _: None)
        self._table = dynamodb.Table(TABLE)
        self._holds: dict[str, Any] = {}
        self._made: dict[str, tuple[Any, State]] = {}

    def make(self, state: "State", method: str, *arguments: Any) -> tuple[Any, "State"]:
        """The answer of the call, and the state after it."""
        key = repr((state, method, arguments))
        if key not in self._made:
            self._load(state)
            answer = getattr(self._adapter, method)(*arguments)
            self._made[key] = answer, (state if method in ("read", "run") else self._found())
        return self._made[key]

    def __len__(self) -> int:
        return len(self._made)

    def _load(self, state: "State") -> None:
        ledger, runs = state
        items = {run_key(run_id): run_item(run) for run_id, run in runs.items()}
        if ledger.version:
            items[LEDGER_KEY] = {"pk": LEDGER_KEY, "version": ledger.version, "document": ledger_document(ledger)}
        for key in self._holds.keys() - items.keys():
            self._table.delete_item(Key={"pk": key})
        for key, item in items.items():
            if self._holds.get(key) != item:
                self._table.put_item(Item=item)
        self._holds = items

    def _found(self) -> "State":
        items = {item["pk"]: item for item in self._table.scan(ConsistentRead=True)["Items"]}
        self._holds = items
        runs = [run_of(item) for key, item in items.items() if key != LEDGER_KEY]
        return self._adapter.read(), {run.run_id: run for run in sorted(runs, key=lambda run: run.run_id)}


State = tuple[Ledger, Mapping[str, Run]]


class DynamoStore:
    """A `LedgerStore` that can be copied, and whose every call is made by the adapter on DynamoDB."""

    def __init__(self, database: Database, state: State) -> None:
        self._database, self._state = database, state

    @property
    def ledger(self) -> Ledger:
        return self._state[0]

    @property
    def runs(self) -> Mapping[str, Run]:
        return self._state[1]

    def read(self) -> Ledger:
        return self._call("read")  # type: ignore[no-any-return]

    def run(self, run_id: str) -> Run | None:
        return self._call("run", run_id)  # type: ignore[no-any-return]

    def commit(self, old: Ledger, new: Ledger, change: RunChange | None = None) -> Outcome:
        return self._call("commit", old, new, change)  # type: ignore[no-any-return]

    def change(self, change: RunChange) -> bool:
        return self._call("change", change)  # type: ignore[no-any-return]

    def note_announced(self, run_id: str) -> None:
        self._call("note_announced", run_id)

    def copy(self) -> "DynamoStore":
        return DynamoStore(self._database, self._state)

    def _call(self, method: str, *arguments: Any) -> Any:
        answer, self._state = self._database.make(self._state, method, *arguments)
        return answer


def on_dynamodb(world: World, database: Database) -> World:
    """The world with its ledger and runs kept in DynamoDB; it can be copied."""
    state = world.store.read(), dict(sorted(world.runs().items()))
    return World(DynamoStore(database, state), world.services, world.executions)
