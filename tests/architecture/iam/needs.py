"""Which permissions a call to AWS needs: an action, and the resource that it is about."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from functions.adapters.run_items import LEDGER_KEY, event_key, run_key, work_key
from tests.architecture.iam.calls import Call

REGION, ACCOUNT = "us-east-1", "123456789012"
Parameters = dict[str, Any]


@dataclass(frozen=True)
class Need:
    """An action on a resource; a statement may allow it on `within` at most, and must on `arn`."""

    action: str
    arn: str
    within: str  # a pattern of ARNs
    why: str = ""
    items: str = ""  # of a table: a pattern of their keys, of those that functions/adapters/run_items.py knows

    @classmethod
    def exactly(cls, action: str, arn: str, why: str = "", items: str = "") -> "Need":
        return cls(action, arn, arn, why, items)


def needs_of(call: Call, open_buckets: frozenset[str] = frozenset()) -> list[Need]:
    """What the call needs. The whole of `open_buckets` may be allowed, of others one folder. Raises LookupError for a
    call whose needs are not known: they belong here then."""
    if f"{call.service}:{call.operation}" in _NOTHING:
        return []
    if call.service not in _SERVICES:
        raise LookupError(f"needs.py does not know what {call.service}:{call.operation} needs")
    found = list(_SERVICES[call.service](call))
    if not found:
        raise LookupError(f"needs.py does not know what {call.service}:{call.operation} needs")
    why = f"{call.service}:{call.operation}"
    return [Need(need.action, need.arn, _opened(need, open_buckets), why, need.items) for need in found]


def _opened(need: Need, open_buckets: frozenset[str]) -> str:
    bucket = re.match(r"(arn:aws:s3:::([^/]+))/", need.arn)
    return f"{bucket[1]}/*" if bucket and bucket[2] in open_buckets else need.within


_NOTHING = {"sts:GetCallerIdentity"}


def arn(service: str, resource: str) -> str:
    """An ARN in the account of the tests; a resource that is an ARN already stays."""
    return resource if resource.startswith("arn:") else f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


# ---- S3


def _object(action: str, bucket: str, key: str) -> Need:
    """The object, or its folder at the top of the bucket: keys below are the run's or the user's."""
    folder = f"{key.split('/')[0]}/*" if "/" in key else key
    return Need(f"s3:{action}", f"arn:aws:s3:::{bucket}/{key}", f"arn:aws:s3:::{bucket}/{folder}")


_S3_OBJECTS = {
    **dict.fromkeys(("PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"), "PutObject"),
    "DeleteObject": "DeleteObject",
    "AbortMultipartUpload": "AbortMultipartUpload",
}


def _s3(call: Call) -> Iterator[Need]:
    parameters = call.parameters
    bucket = parameters["Bucket"]
    listing = Need.exactly("s3:ListBucket", f"arn:aws:s3:::{bucket}")
    match call.operation:
        case "GetObject" | "HeadObject":
            action = "GetObjectVersion" if parameters.get("VersionId") else "GetObject"
            yield _object(action, bucket, parameters["Key"])
            if call.absent:  # without it S3 answers 403, and nobody can tell that the object is not there
                yield listing
        case "ListObjectsV2" | "ListObjects" | "HeadBucket":
            yield listing
        case "DeleteObjects":
            for entry in parameters["Delete"]["Objects"]:
                yield _object("DeleteObject", bucket, entry["Key"])
        case operation if operation in _S3_OBJECTS:
            yield _object(_S3_OBJECTS[operation], bucket, parameters["Key"])


# ---- DynamoDB

_ITEMS = ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan")
_IN_TRANSACTIONS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}


_KINDS = (run_key(""), work_key(""), event_key(""), LEDGER_KEY)


def _dynamodb(call: Call) -> Iterator[Need]:
    parameters = call.parameters
    if call.operation in _ITEMS:
        index = f"/index/{parameters['IndexName']}" if "IndexName" in parameters else ""
        table = arn("dynamodb", f"table/{parameters['TableName']}") + index
        yield Need.exactly(f"dynamodb:{call.operation}", table, items=_items(parameters))
    elif call.operation in ("BatchGetItem", "BatchWriteItem"):
        for table in parameters["RequestItems"]:
            yield Need.exactly(f"dynamodb:{call.operation}", arn("dynamodb", f"table/{table}"))
    elif call.operation in ("TransactWriteItems", "TransactGetItems"):
        for item in parameters["TransactItems"]:
            for kind, one in item.items():
                action = f"dynamodb:{_IN_TRANSACTIONS[kind]}"
                yield Need.exactly(action, arn("dynamodb", f"table/{one['TableName']}"), items=_items(one))


def _items(parameters: Parameters) -> str:
    """The pattern of the item's kind; none for an item of no kind of ours."""
    key = parameters.get("Key", parameters.get("Item", {})).get("pk", "")
    key = key["S"] if isinstance(key, dict) else key
    return next((f"{kind}*" if kind.endswith("#") else kind for kind in _KINDS if key.startswith(kind)), "")


# ---- ECS


def _last(name: str) -> str:
    """A name, which may be given as an ARN."""
    return name.split("/")[-1]


def _ecs(call: Call) -> Iterator[Need]:
    parameters = call.parameters
    cluster = _last(parameters["cluster"])
    action = f"ecs:{call.operation}"
    every_task = arn("ecs", f"task/{cluster}/*")
    match call.operation:
        case "UpdateService":
            yield Need.exactly(action, arn("ecs", f"service/{cluster}/{_last(parameters['service'])}"))
        case "DescribeServices":
            for service in parameters["services"]:
                yield Need.exactly(action, arn("ecs", f"service/{cluster}/{_last(service)}"))
        case "DescribeTasks" | "UpdateTaskProtection" | "GetTaskProtection":
            for task in parameters["tasks"]:
                yield Need(action, arn("ecs", f"task/{cluster}/{_last(task)}"), every_task)
        case "StopTask":
            yield Need(action, arn("ecs", f"task/{cluster}/{_last(parameters['task'])}"), every_task)
        case "ListTasks":  # it is authorized on the cluster's container instances, though Fargate has none
            instances = arn("ecs", f"container-instance/{cluster}/*")
            yield Need.exactly(action, instances)


# ---- The others


def _states(call: Call) -> Iterator[Need]:
    action = f"states:{call.operation}"
    match call.operation:
        case "StartExecution":
            yield Need.exactly(action, call.parameters["stateMachineArn"])
        case "StopExecution" | "DescribeExecution":
            execution = call.parameters["executionArn"]
            yield Need(action, execution, f"{execution.rsplit(':', 1)[0]}:*")
        case "SendTaskSuccess" | "SendTaskFailure":
            yield Need.exactly(action, "*")


def _scheduler(call: Call) -> Iterator[Need]:
    action, parameters = f"scheduler:{call.operation}", call.parameters
    if call.operation == "ListSchedules":
        yield Need.exactly(action, "*")
        return
    group = arn("scheduler", f"schedule/{parameters['GroupName']}")
    yield Need(action, f"{group}/{parameters['Name']}", f"{group}/*")
    if "Target" in parameters:
        yield Need.exactly("iam:PassRole", parameters["Target"]["RoleArn"])


def _lambda(call: Call) -> Iterator[Need]:
    if call.operation == "Invoke":
        yield Need.exactly("lambda:InvokeFunction", arn("lambda", f"function:{_named(call, 'FunctionName')}"))


def _named(call: Call, parameter: str) -> str:
    return str(call.parameters[parameter]).split(":function:")[-1]


def _sns(call: Call) -> Iterator[Need]:
    if call.operation == "Publish":
        yield Need.exactly("sns:Publish", call.parameters["TopicArn"])


def _events(call: Call) -> Iterator[Need]:
    if call.operation == "PutEvents":
        for entry in call.parameters["Entries"]:
            bus = entry.get("EventBusName", "default")
            yield Need.exactly("events:PutEvents", arn("events", f"event-bus/{_last(bus)}"))


def _sqs(call: Call) -> Iterator[Need]:
    if call.operation in ("SendMessage", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
        yield Need.exactly(f"sqs:{call.operation}", arn("sqs", _last(call.parameters["QueueUrl"])))


def _ssm(call: Call) -> Iterator[Need]:
    names = call.parameters.get("Names") or [call.parameters["Name"]]
    if call.operation in ("GetParameter", "GetParameters", "PutParameter", "DeleteParameter"):
        for name in names:
            yield Need.exactly(f"ssm:{call.operation}", arn("ssm", f"parameter/{name.lstrip('/')}"))


def _elb(call: Call) -> Iterator[Need]:
    if call.operation in ("RegisterTargets", "DeregisterTargets"):
        yield Need.exactly(f"elasticloadbalancing:{call.operation}", call.parameters["TargetGroupArn"])


_SERVICES: dict[str, Callable[[Call], Iterator[Need]]] = {
    "s3": _s3,
    "dynamodb": _dynamodb,
    "ecs": _ecs,
    "stepfunctions": _states,
    "scheduler": _scheduler,
    "lambda": _lambda,
    "sns": _sns,
    "events": _events,
    "sqs": _sqs,
    "ssm": _ssm,
    "elbv2": _elb,
}
