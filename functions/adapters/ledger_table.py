"""The worker ledger in DynamoDB, and the transactions that couple it with the rows of runs."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from functions.adapters.run_items import LEDGER_KEY, OPEN, attribute, expiry, run_key, run_of
from functions.core.leasing import Outcome, RunChange
from functions.core.ledger import Lease, Ledger, Ticket
from functions.core.runs import Run

if TYPE_CHECKING:
    from types_boto3_dynamodb.service_resource import DynamoDBServiceResource

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PAUSE_SECONDS = 0.05
"""Whoever was overtaken waits for up to this long, at random, so that losers do not meet again."""


class LedgerTable:
    """`LedgerStore` on the runs table.

    `cap` is what the template says now; None leaves the ledger the one that it has, for whoever does not know it.
    """

    def __init__(
        self, resource: "DynamoDBServiceResource", name: str, cap: int | None, pause: Callable[[float], None]
    ) -> None:
        self._resource, self._table, self._cap, self._pause = resource, resource.Table(name), cap, pause

    def read(self) -> Ledger:
        """The ledger; an empty one of version 0 where there is none yet."""
        item = self._item(LEDGER_KEY)
        ledger = ledger_of(item) if item else Ledger(cap=0)
        return ledger if self._cap is None else replace(ledger, cap=self._cap)

    def run(self, run_id: str) -> Run | None:
        """The run's row."""
        item = self._item(run_key(run_id))
        return run_of(item) if item else None

    def commit(self, old: Ledger, new: Ledger, change: RunChange | None = None) -> Outcome:
        """Put `new` in the place of `old` and change the run, both or neither."""
        writes: list[Any] = [{"Put": {"TableName": self._table.name} | _put(old, new)}]
        if change:
            writes.append({"Update": {"TableName": self._table.name} | _update(change)})
        try:
            # boto3 sends a token with it: a call that it repeats, its answer being lost, takes effect once.
            self._resource.meta.client.transact_write_items(TransactItems=writes)
        except ClientError as error:
            if _code(error) != "TransactionCanceledException":
                raise
            reasons = [reason.get("Code", "None") for reason in error.response.get("CancellationReasons", [])]
            if not set(reasons) <= {"None", "ConditionalCheckFailed", "TransactionConflict"}:
                raise
            if reasons[0] == "None" and reasons[-1] == "ConditionalCheckFailed":
                return Outcome.REFUSED
            self._pause(random.uniform(0, _PAUSE_SECONDS))  # noqa: S311  (to be apart, not to be secret)
            return Outcome.STALE
        return Outcome.DONE

    def change(self, change: RunChange) -> bool:
        """Change a run alone; False if that is refused."""
        try:
            self._table.update_item(**_update(change))
        except ClientError as error:
            if _code(error) == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def note_announced(self, run_id: str) -> None:
        """Write that the run's end has been made known."""
        self._table.update_item(
            Key={"pk": run_key(run_id)},
            UpdateExpression="SET announced = :yes REMOVE #open",
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeNames={"#open": OPEN},
            ExpressionAttributeValues={":yes": True},
        )

    def _item(self, key: str) -> dict[str, Any] | None:
        return self._table.get_item(Key={"pk": key}, ConsistentRead=True).get("Item")


def ledger_of(item: dict[str, Any]) -> Ledger:
    """The ledger of an item."""
    document = json.loads(item["document"])
    idle_since = document["idle_since"]
    return Ledger(
        cap=document["cap"],
        version=int(item["version"]),
        draining=document["draining"],
        leases={
            run_id: Lease(workers, _moment(granted_at), _moment(deadline))
            for run_id, (workers, granted_at, deadline) in document["leases"].items()
        },
        queue=tuple(
            Ticket(run_id, workers, _moment(since), seconds) for run_id, workers, since, seconds in document["queue"]
        ),
        idle_since=None if idle_since is None else _moment(idle_since),
    )


def ledger_document(ledger: Ledger) -> str:
    """The ledger as JSON text: lists for leases and tickets, microseconds for times, since 2,000 of them must fit."""
    document = {
        "cap": ledger.cap,
        "draining": ledger.draining,
        "leases": {
            run_id: [lease.workers, _number(lease.granted_at), _number(lease.deadline)]
            for run_id, lease in ledger.leases.items()
        },
        "queue": [
            [ticket.run_id, ticket.workers, _number(ticket.since), ticket.timeout_seconds] for ticket in ledger.queue
        ],
        "idle_since": None if ledger.idle_since is None else _number(ledger.idle_since),
    }
    return json.dumps(document, separators=(",", ":"))


def _put(old: Ledger, new: Ledger) -> dict[str, Any]:
    """The next version, provided that the last one is still there."""
    put: dict[str, Any] = {
        "Item": {"pk": LEDGER_KEY, "version": old.version + 1, "document": ledger_document(new)},
        "ConditionExpression": "attribute_not_exists(pk)",
    }
    if old.version:
        put |= {"ConditionExpression": "version = :old", "ExpressionAttributeValues": {":old": old.version}}
    return put


def _update(change: RunChange) -> dict[str, Any]:
    """The change of a run's row, provided that its state allows it, and that nobody has asked it to stop."""
    fields = {"state": change.state, "updated_at": change.at, **change.fields}
    written: dict[str, Any] = {"expires_at": expiry(change.at)}
    for name, value in fields.items():
        written |= attribute(name, value)
    removed = [name for name, value in fields.items() if value is None]
    sources = {f":was{index}": str(state) for index, state in enumerate(sorted(change.sources))}
    condition = f"attribute_exists(pk) AND #state IN ({', '.join(sources)})"
    values = {f":{name}": value for name, value in written.items()} | sources
    names = {f"#{name}": name for name in [*written, *removed]}
    if not change.state.is_final:
        condition += " AND (attribute_not_exists(#cancelling) OR #cancelling = :no)"
        values |= {":no": False}
        names |= {"#cancelling": "cancelling"}
    update = "SET " + ", ".join(f"#{name} = :{name}" for name in written)
    if removed:
        update += " REMOVE " + ", ".join(f"#{name}" for name in removed)
    return {
        "Key": {"pk": run_key(change.run_id)},
        "UpdateExpression": update,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }


def _number(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _moment(number: int) -> datetime:
    return _EPOCH + number * _MICROSECOND


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
