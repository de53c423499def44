"""The runs table in DynamoDB, as far as submissions and readers are concerned."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from functions.adapters.run_items import (
    INDEX,
    OPEN,
    OPEN_INDEX,
    attribute,
    event_key,
    expiry,
    run_item,
    run_key,
    run_of,
    work_key,
)
from functions.core.clock import Clock
from functions.core.runs import Run
from functions.core.submission import KnownEvent, LastAttempt
from jobspec import Problem, RunState, SpecError

if TYPE_CHECKING:
    from types_boto3_dynamodb.service_resource import DynamoDBServiceResource

_LONGER = timedelta(days=60)
"""How much longer work is remembered than its runs: no attempt, and so no execution name, may come twice."""
_NEW = "attribute_not_exists(pk)"
_FINAL = [str(state) for state in RunState if state.is_final]
_PAGE = 200  # items that one query looks at
_QUERIES = 20  # that a page is looked for with; a filter that hardly anything fits makes pages short, and even empty


@dataclass(frozen=True)
class Page:
    """Some runs, the newest first, and where the next page begins (None: there is none)."""

    runs: Sequence[Run]
    following: str | None


class RunsTable:
    """`RunStore` on a table."""

    def __init__(self, resource: "DynamoDBServiceResource", name: str, clock: Clock) -> None:
        self._resource, self._table, self._clock = resource, resource.Table(name), clock

    def find(self, run_id: str) -> Run | None:
        """The run of that id."""
        item = self._item(run_key(run_id))
        return run_of(item) if item else None

    def last_attempt(self, work_id: str) -> LastAttempt | None:
        """The last attempt at the work, None if there was none."""
        item = self._item(work_key(work_id))
        return LastAttempt(int(item["attempt"]), self.find(item["run_id"])) if item else None

    def known_event(self, event: str) -> KnownEvent | None:
        """What became of the event, None if it is new or so old that it may go."""
        item = self._item(event_key(event))
        if item is None or item["expires_at"] < self._clock.now().timestamp():
            return None
        return KnownEvent(item["run_id"], item["digest"])

    def create(self, run: Run, after: int, event: str | None, digest: str) -> bool:
        """Enter a run, that it is its work's last attempt, and what its event led to: all of it or nothing."""
        claim: dict[str, Any] = {"ConditionExpression": _NEW}
        if after:
            claim = {"ConditionExpression": "attempt = :after", "ExpressionAttributeValues": {":after": after}}
        writes: list[dict[str, Any]] = [
            {"Item": run_item(run), "ConditionExpression": _NEW},
            {"Item": self._work_item(run)} | claim,
        ]
        if event:
            writes.append(self._event_put(event, run.run_id, digest))
        items: Any = [{"Put": {"TableName": self._table.name} | write} for write in writes]
        try:
            self._resource.meta.client.transact_write_items(TransactItems=items)
        except ClientError as error:
            if _reasons(error) <= {"None", "ConditionalCheckFailed", "TransactionConflict"}:
                return False
            raise
        return True

    def note_event(self, event: str, run_id: str, digest: str) -> None:
        """Enter that the event led to the run; the first such entry stays."""
        _unless(lambda: self._table.put_item(**self._event_put(event, run_id, digest)))

    def save_plan(self, run_id: str, plan: dict[str, Any], at: datetime) -> None:
        """Write the plan into the run's row, unless the run has ended or has no row."""
        self._change(run_id, {"plan": plan, "updated_at": at})

    def mark_cancelling(self, run_id: str, at: datetime) -> Run | None:
        """Write that the run is to stop, unless it has ended; the run as it is then, None if there is none."""
        self._change(run_id, {"cancelling": True, "updated_at": at})
        return self.find(run_id)

    def page(
        self,
        limit: int,
        following: str | None = None,
        state: str | None = None,
        job: str | None = None,
        label: tuple[str, str] | None = None,
    ) -> Page:
        """At most so many runs that fit all that is asked for. Raises SpecError for a `following` of another making."""
        query: dict[str, Any] = {
            "IndexName": INDEX,
            "KeyConditionExpression": "listed = :run",
            "ExpressionAttributeValues": {":run": "run"},
            "ScanIndexForward": False,
            "Limit": _PAGE,
        }
        if following:
            query["ExclusiveStartKey"] = _position(following)
        wanted = {name: value for name, value in (("state", state), ("job", job)) if value}
        if wanted:
            query["FilterExpression"] = " AND ".join(f"#{name} = :{name}" for name in wanted)
            query["ExpressionAttributeNames"] = {f"#{name}": name for name in wanted}
            query["ExpressionAttributeValues"] |= {f":{name}": value for name, value in wanted.items()}
        found: list[Mapping[str, Any]] = []
        for _ in range(_QUERIES):
            answer = self._table.query(**query)
            for item in answer["Items"]:
                if label and json.loads(str(item["labels"])).get(label[0]) != label[1]:
                    continue
                if len(found) == limit:  # one more than fits: so there is a next page, behind the last that did
                    return Page([run_of(one) for one in found], _bookmark(found[-1]))
                found.append(item)
            if "LastEvaluatedKey" not in answer:
                return Page([run_of(one) for one in found], None)
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        return Page([run_of(one) for one in found], _bookmark(query["ExclusiveStartKey"]))

    def open_runs(self) -> Iterator[Run]:
        """The runs whose end has not been made known, the oldest first, as they were a moment ago.

        What it reads grows with the runs that are open, not with those that ever were.
        """
        query: dict[str, Any] = {
            "IndexName": OPEN_INDEX,
            "KeyConditionExpression": "#open = :run",
            "ExpressionAttributeNames": {"#open": OPEN},
            "ExpressionAttributeValues": {":run": "run"},
        }
        while True:
            answer = self._table.query(**query)
            yield from map(run_of, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _item(self, key: str) -> dict[str, Any] | None:
        return self._table.get_item(Key={"pk": key}, ConsistentRead=True).get("Item")

    def _change(self, run_id: str, fields: Mapping[str, Any]) -> None:
        values = {name: attribute(name, value)[name] for name, value in fields.items()}
        _unless(
            lambda: self._table.update_item(
                Key={"pk": run_key(run_id)},
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
                ConditionExpression="attribute_exists(pk) AND NOT #state IN (:f0, :f1, :f2, :f3)",
                ExpressionAttributeNames={f"#{name}": name for name in values} | {"#state": "state"},
                ExpressionAttributeValues={f":{name}": value for name, value in values.items()}
                | {f":f{index}": state for index, state in enumerate(_FINAL)},
            )
        )

    def _work_item(self, run: Run) -> dict[str, Any]:
        return {
            "pk": work_key(run.work_id),
            "attempt": run.attempt,
            "run_id": run.run_id,
            "expires_at": expiry(run.created_at + _LONGER),
        }

    def _event_put(self, event: str, run_id: str, digest: str) -> dict[str, Any]:
        now = self._clock.now()
        return {
            "Item": {"pk": event_key(event), "run_id": run_id, "digest": digest, "expires_at": expiry(now)},
            "ConditionExpression": f"{_NEW} OR expires_at < :now",
            "ExpressionAttributeValues": {":now": int(now.timestamp())},
        }


def _reasons(error: ClientError) -> set[str]:
    if error.response["Error"]["Code"] != "TransactionCanceledException":
        return {error.response["Error"]["Code"]}
    reasons: list[dict[str, str]] = error.response.get("CancellationReasons", [{}])  # type: ignore[assignment]
    return {str(reason.get("Code")) for reason in reasons}


def _unless(write: Any) -> None:
    """Make a conditional write; where its condition does not hold, nothing is written and that is all right."""
    try:
        write()
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise


def _bookmark(item: Mapping[str, Any]) -> str:
    place = json.dumps([item["pk"], item["created_at"]], separators=(",", ":"))
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _position(bookmark: str) -> dict[str, Any]:
    try:
        raw = base64.urlsafe_b64decode(bookmark.encode() + b"=" * (-len(bookmark) % 4))
        key, created_at = json.loads(raw)
        if not (key.startswith("run#") and datetime.fromisoformat(created_at)):
            raise ValueError(bookmark)
    except (ValueError, TypeError, AttributeError) as error:
        raise SpecError([Problem("/after", "no page begins here", bookmark[:80], "`next` of another page")]) from error
    return {"pk": key, "listed": "run", "created_at": created_at}
