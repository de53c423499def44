"""What AWS's documentation says that a role needs, beside the calls of our own code. Read in November 2026.

- A function: "Lambda execution role" (its log group exists), "Using Lambda with Amazon SQS", "Visualize with X-Ray".
- The state machine: Step Functions Developer Guide, "IAM policies for integrated services": lambda:invoke, and
  ecs:runTask.sync with its EventBridge rule; "Using CloudWatch Logs to log execution history"; "Tracing with X-Ray".
- Data encrypted with KMS keys: Amazon S3 User Guide, "Using server-side encryption with AWS KMS keys": to read takes
  kms:Decrypt; sizes and ETags do not.
- Fargate: "Amazon ECS task execution IAM role": image, secrets, log.
- EventBridge Scheduler: "Setting up EventBridge Scheduler", its execution role.
- CodeBuild: "Allow CodeBuild to interact with other AWS services"; pushing to ECR: "Pushing an image", IAM permissions.
- The notebook: what its start script reads, and what a person does with Dispatch in it.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from tests.architecture.iam.needs import Need, arn
from tests.architecture.iam.stack import Stack

ByRole = dict[str, list[Need]]
RULE = arn("events", "rule/StepFunctionsGetEventsForECSTaskRule")
_LOG_DELIVERY = [
    *("CreateLogDelivery", "GetLogDelivery", "UpdateLogDelivery", "DeleteLogDelivery", "ListLogDeliveries"),
    *("PutResourcePolicy", "DescribeResourcePolicies", "DescribeLogGroups"),
]


def documented(stack: Stack, definition: Path | None = None) -> ByRole:
    """By role; `definition` is the state machine's."""
    found: ByRole = defaultdict(list)
    services = [_functions(stack), _tasks(stack), _keys(stack), _schedules(stack), _builds(stack), _notebooks(stack)]
    for role, need in chain(*services, _machines(stack, definition)):
        found[role].append(need)
    return dict(found)


def _functions(stack: Stack) -> Iterator[tuple[str, Need]]:
    queues = {stack.arn(name) for name in stack.of_type("AWS::SQS::Queue")}
    for name, function in stack.functions().items():
        role = stack.role_of(name)
        group = function.get("LoggingConfig", {}).get("LogGroup", f"/aws/lambda/{stack.physical(name)}")
        yield from _streams(role, group, "its log")
        if function.get("Tracing", "Disabled") != "Disabled":
            yield from _traces(role, "PutTraceSegments", "PutTelemetryRecords")
        for event in function.get("Events", {}).values():
            if event["Type"] == "SQS":
                yield from _polls(role, event["Properties"]["Queue"])
    for mapping in stack.of_type("AWS::Lambda::EventSourceMapping").values():
        if mapping["EventSourceArn"] in queues:
            name = next(
                name for name in stack.functions() if mapping["FunctionName"] in (stack.physical(name), stack.arn(name))
            )
            yield from _polls(stack.role_of(name), mapping["EventSourceArn"])


def _streams(role: str, group: str, why: str) -> Iterator[tuple[str, Need]]:
    """To write to a log group that is there."""
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        streams = arn("logs", f"log-group:{group}:*")
        yield role, Need(action, streams, streams, why)


def _traces(role: str, *operations: str) -> Iterator[tuple[str, Need]]:
    for operation in operations:
        yield role, Need.exactly(f"xray:{operation}", "*", "its traces")


def _polls(role: str, queue: str) -> Iterator[tuple[str, Need]]:
    for operation in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
        yield role, Need.exactly(f"sqs:{operation}", queue, "Lambda polls its queue")


def _tasks(stack: Stack) -> Iterator[tuple[str, Need]]:
    repositories = {
        stack.value({"Fn::GetAtt": [name, "RepositoryUri"]}): stack.arn(name)
        for name in stack.of_type("AWS::ECR::Repository")
    }
    for task in stack.of_type("AWS::ECS::TaskDefinition").values():
        role = stack.role_named(task["ExecutionRoleArn"])
        for container in task["ContainerDefinitions"]:
            yield role, Need.exactly("ecr:GetAuthorizationToken", "*", "its image")
            for operation in ("BatchCheckLayerAvailability", "GetDownloadUrlForLayer", "BatchGetImage"):
                repository = repositories[container["Image"].rsplit(":", 1)[0]]
                yield role, Need.exactly(f"ecr:{operation}", repository, "its image")
            for secret in container.get("Secrets", []):
                parameter = arn("ssm", f"parameter/{secret['ValueFrom'].lstrip('/')}")
                yield role, Need.exactly("ssm:GetParameters", parameter, "its secret")
            log = container.get("LogConfiguration", {}).get("Options", {})
            if "awslogs-group" in log:
                yield from _streams(role, log["awslogs-group"], "its log")


def _keys(stack: Stack) -> Iterator[tuple[str, Need]]:
    for key in stack.parameters.get("DataKeys", []):
        for role in ("ClientRole", "WorkerRole"):
            yield role, Need.exactly("kms:Decrypt", key, "S3 decrypts what they read")


def _schedules(stack: Stack) -> Iterator[tuple[str, Need]]:
    """The schedules of the template, and those that a function may make: its environment names role and queue."""
    environments = [stack.environment(name) for name in stack.functions()]
    pairs = {
        (environment["SCHEDULE_ROLE_ARN"], environment["SUBMIT_QUEUE_ARN"])
        for environment in environments
        if {"SCHEDULE_ROLE_ARN", "SUBMIT_QUEUE_ARN"} <= set(environment)
    }
    targets = [schedule["Target"] for schedule in stack.of_type("AWS::Scheduler::Schedule").values()]
    for role, queue in pairs | {(target["RoleArn"], target["Arn"]) for target in targets}:
        yield stack.role_named(role), Need.exactly("sqs:SendMessage", queue, "a schedule's target")


def _builds(stack: Stack) -> Iterator[tuple[str, Need]]:
    for project in stack.of_type("AWS::CodeBuild::Project").values():
        role = stack.role_named(project["ServiceRole"])
        yield from _streams(role, project["LogsConfig"]["CloudWatchLogs"]["GroupName"], "its log")
        for operation in ("GetObject", "GetObjectVersion"):
            yield role, Need.exactly(f"s3:{operation}", f"arn:aws:s3:::{project['Source']['Location']}", "its source")
        yield role, Need.exactly("ecr:GetAuthorizationToken", "*", "docker login")
        pushing = ("InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload", "PutImage")
        for operation in ("BatchCheckLayerAvailability", *pushing):
            for repository in stack.of_type("AWS::ECR::Repository"):
                yield role, Need.exactly(f"ecr:{operation}", stack.arn(repository), "docker push")


def _notebooks(stack: Stack) -> Iterator[tuple[str, Need]]:
    for notebook in stack.of_type("AWS::SageMaker::NotebookInstance").values():
        role = stack.role_named(notebook["RoleArn"])
        for parameter in stack.of_type("Custom::TlsParameter").values():
            name = parameter["Name"].lstrip("/")
            yield role, Need.exactly("ssm:GetParameter", arn("ssm", f"parameter/{name}"), "the TLS key")
        specs, results = stack.arn("SpecsBucket"), stack.arn("ResultsBucket")
        for action, folder in (("PutObject", f"{specs}/specs/*"), ("GetObject", f"{specs}/answers/*")):
            yield role, Need.exactly(f"s3:{action}", folder, "a spec and its answer")
        yield role, Need.exactly("s3:GetObject", f"{results}/runs/*", "a result")
        for bucket in (specs, results):
            yield role, Need.exactly("s3:ListBucket", bucket, "to find them")
        yield role, Need.exactly("execute-api:Invoke", arn("execute-api", f"{stack.physical('Api')}/*"), "the API")


def _machines(stack: Stack, definition: Path | None) -> Iterator[tuple[str, Need]]:
    for machine in stack.of_type("AWS::Serverless::StateMachine").values():
        role = stack.role_named(machine["Role"])
        if machine.get("Logging"):
            for operation in _LOG_DELIVERY:
                yield role, Need.exactly(f"logs:{operation}", "*", "its log")
        if machine.get("Tracing", {}).get("Enabled"):
            operations = ("PutTraceSegments", "PutTelemetryRecords", "GetSamplingRules", "GetSamplingTargets")
            yield from _traces(role, *operations)
        if definition:
            substitutions = machine["DefinitionSubstitutions"]
            text = re.sub(
                r"\$\{(\w+)\}", lambda found, known=substitutions: str(known[found[1]]), definition.read_text()
            )
            for name, state in json.loads(text)["States"].items():
                if state["Type"] == "Task":
                    yield from ((role, need) for need in _state(stack, name, state))


def _state(stack: Stack, name: str, state: dict[str, Any]) -> Iterator[Need]:
    parameters, why = state["Parameters"], f"state {name}"
    match state["Resource"].split(":::")[1]:
        case "lambda:invoke" | "lambda:invoke.waitForTaskToken":
            yield Need.exactly("lambda:InvokeFunction", parameters["FunctionName"], why)
        case "ecs:runTask.sync":
            definition = parameters["TaskDefinition"]
            yield Need("ecs:RunTask", definition, f"{definition.rsplit(':', 1)[0]}:*", why)
            cluster = parameters["Cluster"].split("/")[-1]
            for operation in ("StopTask", "DescribeTasks"):
                yield Need(f"ecs:{operation}", arn("ecs", f"task/{cluster}/1"), arn("ecs", f"task/{cluster}/*"), why)
            for operation in ("PutTargets", "PutRule", "DescribeRule"):
                yield Need.exactly(f"events:{operation}", RULE, why)
            tasks = stack.of_type("AWS::ECS::TaskDefinition")
            task = next(body for task, body in tasks.items() if stack.arn(task) == definition)
            for role in ("TaskRoleArn", "ExecutionRoleArn"):
                yield Need.exactly("iam:PassRole", task[role], why)
        case resource:
            raise LookupError(f"documented.py does not know what {resource} needs")
