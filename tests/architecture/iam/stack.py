"""A template as a stack would have it: conditions decided, every value resolved, every resource with a name of its own.

It resolves what policies, environments and definitions are written with, not the whole of CloudFormation. A resource's
physical name ends in `MARK`, so that an ARN tells whether it is about one of ours.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cfnlint.decode.cfn_yaml import load

from tests.architecture.iam.needs import ACCOUNT, REGION, arn

MARK = "-0abc"
NAME = f"dispatch{MARK}"
NO_VALUE = object()

# The functions of CloudFormation that need nothing but their resolved arguments.
_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "Fn::Join": lambda values: values[0].join(map(str, values[1])),
    "Fn::Split": lambda values: values[1].split(values[0]),
    "Fn::Select": lambda values: values[1][int(values[0])],
    "Fn::Equals": lambda values: values[0] == values[1],
    "Fn::Not": lambda values: not values[0],
    "Fn::And": all,
    "Fn::Or": any,
    "Fn::GetAZs": lambda _: [f"{REGION}a", f"{REGION}b"],
    "Fn::Base64": lambda text: text,
}

# What a resource's ARN ends in, after the account.
_ARNS = {
    "AWS::DynamoDB::Table": "dynamodb|table/{name}",
    "AWS::ECR::Repository": "ecr|repository/{name}",
    "AWS::ECS::Cluster": "ecs|cluster/{name}",
    "AWS::ElasticLoadBalancingV2::TargetGroup": "elasticloadbalancing|targetgroup/{name}/1",
    "AWS::Events::EventBus": "events|event-bus/{name}",
    "AWS::Events::Rule": "events|rule/{name}",
    "AWS::Lambda::Function": "lambda|function:{name}",
    "AWS::Logs::LogGroup": "logs|log-group:{name}:*",
    "AWS::SNS::Topic": "sns|{name}",
    "AWS::SQS::Queue": "sqs|{name}",
    "AWS::Scheduler::ScheduleGroup": "scheduler|schedule-group/{name}",
    "AWS::Serverless::Function": "lambda|function:{name}",
    "AWS::Serverless::StateMachine": "states|stateMachine:{name}",
    "AWS::StepFunctions::StateMachine": "states|stateMachine:{name}",
}
_REF_IS_ARN = {
    *("AWS::SNS::Topic", "AWS::Serverless::StateMachine", "AWS::StepFunctions::StateMachine", "AWS::ECS::Service"),
    *("AWS::ECS::TaskDefinition", "AWS::ElasticLoadBalancingV2::TargetGroup", "AWS::IAM::ManagedPolicy"),
}
_NAME_PROPERTIES = {
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::ECS::TaskDefinition": "Family",
    "AWS::Events::EventBus": "Name",
    "AWS::Serverless::StateMachine": "Name",
}


@dataclass(frozen=True)
class Statement:
    """What a role is allowed."""

    role: str  # its logical id
    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]  # ARNs, or patterns of them
    conditions: frozenset[str] = frozenset()  # condition keys
    items: tuple[str, ...] | None = None  # of a table: patterns of their keys; None is every item


@dataclass
class Stack:
    """A template with its parameters."""

    template: Mapping[str, Any]
    parameters: Mapping[str, Any] = field(default_factory=dict)  # beside the defaults; lists as lists

    @classmethod
    def of(cls, path: Path, **parameters: Any) -> "Stack":
        return cls(load(str(path)), parameters)

    # ---- Resources

    @property
    def resources(self) -> dict[str, Any]:
        """The resources that the parameters ask for, unresolved."""
        found = self.template["Resources"].items()
        return {name: body for name, body in found if "Condition" not in body or self.condition(body["Condition"])}

    def of_type(self, *types: str) -> dict[str, dict[str, Any]]:
        """The resources of a type, with their properties resolved."""
        return {name: self.properties(name) for name, body in self.resources.items() if body["Type"] in types}

    def properties(self, name: str) -> dict[str, Any]:
        return dict(self.value(self.template["Resources"][name].get("Properties", {})))

    def condition(self, name: str) -> bool:
        return bool(self.value(self.template["Conditions"][name]))

    def physical(self, name: str) -> str:
        """A resource's name."""
        body = self.template["Resources"][name]
        given = body.get("Properties", {}).get(_NAME_PROPERTIES.get(body["Type"], ""))
        return str(self.value(given)) if given is not None else f"{name.lower()}{MARK}"

    def arn(self, name: str) -> str:
        """A resource's ARN."""
        body, physical = self.template["Resources"][name], self.physical(name)
        match body["Type"]:
            case "AWS::S3::Bucket":
                return f"arn:aws:s3:::{physical}"
            case "AWS::IAM::Role" | "AWS::IAM::ManagedPolicy":
                kind = "role" if body["Type"].endswith("Role") else "policy"
                return f"arn:aws:iam::{ACCOUNT}:{kind}/{physical}"
            case "AWS::ECS::Service":
                cluster = str(self.value(body["Properties"]["Cluster"])).split("/")[-1]
                return arn("ecs", f"service/{cluster}/{physical}")
            case "AWS::ECS::TaskDefinition":
                return arn("ecs", f"task-definition/{physical}:1")
            case kind:
                service, rest = _ARNS.get(kind, f"unknown|{kind}/{{name}}").split("|")
                return arn(service, rest.format(name=physical))

    # ---- Values

    def value(self, node: Any) -> Any:
        """A value of the template, resolved."""
        if isinstance(node, Mapping):
            if len(node) == 1:
                ((name, argument),) = node.items()
                if name == "Ref" or (name == "Condition" and isinstance(argument, str)) or name.startswith("Fn::"):
                    return self._function(name, argument)
            resolved = {name: self.value(member) for name, member in node.items()}
            return {name: member for name, member in resolved.items() if member is not NO_VALUE}
        if isinstance(node, list):
            return [member for member in map(self.value, node) if member is not NO_VALUE]
        return node

    def _function(self, name: str, argument: Any) -> Any:
        match name:
            case "Ref":
                return self._ref(argument)
            case "Condition":
                return self.condition(argument)
            case "Fn::GetAtt":
                return self._attribute(*(argument if isinstance(argument, list) else argument.split(".", 1)))
            case "Fn::Sub":
                return self._sub(argument)
            case "Fn::If":
                return self.value(argument[1] if self.condition(argument[0]) else argument[2])
            case "Fn::FindInMap":
                first, second, third = (str(self.value(key)) for key in argument[:3])
                return self.value(self.template["Mappings"][first][second][third])
        if name not in _FUNCTIONS:
            raise LookupError(f"stack.py does not resolve {name}")
        return _FUNCTIONS[name](self.value(argument))

    def _ref(self, name: str) -> Any:
        pseudo = {
            "AWS::Region": REGION,
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::StackName": NAME,
            "AWS::NoValue": NO_VALUE,
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackId": arn("cloudformation", NAME),
        }
        if name in pseudo:
            return pseudo[name]
        if name in self.template.get("Parameters", {}):
            return self._parameter(name)
        kind = self.template["Resources"][name]["Type"]
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{self.physical(name)}"
        if kind.startswith("Custom::") and "Name" in self.properties(name):
            return self.properties(name)["Name"]
        return self.arn(name) if kind in _REF_IS_ARN else self.physical(name)

    def _parameter(self, name: str) -> Any:
        declared = self.template["Parameters"][name]
        given = self.parameters.get(name, declared.get("Default", f"{name.lower()}{MARK}"))
        is_list = "List" in declared["Type"]
        return str(given).split(",") if is_list and not isinstance(given, list) else given if is_list else str(given)

    def _attribute(self, name: str, attribute: str) -> Any:
        kind = self.template["Resources"][name]["Type"]
        if attribute in ("Arn", "TopicArn", "TargetGroupArn"):
            return self.arn(name)
        if attribute in ("Name", "QueueName", "TableName") or (kind, attribute) == ("AWS::SNS::Topic", "TopicName"):
            return self.physical(name)
        return f"{name}.{attribute}{MARK}"

    def _sub(self, argument: Any) -> str:
        text, given = (argument, {}) if isinstance(argument, str) else argument

        def found(match: re.Match[str]) -> str:
            name = match[1]
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            if name in given:
                return str(self.value(given[name]))
            value = self._attribute(*name.split(".", 1)) if "." in name else self._ref(name)
            return ",".join(value) if isinstance(value, list) else str(value)

        return re.sub(r"\$\{([^}]+)\}", found, text)

    # ---- Roles

    def role_of(self, function: str) -> str:
        """The logical id of a function's, a project's or a task's role: what its ARN names."""
        return self.role_named(self.properties(function).get("Role") or self.arn(f"{function}Role"))

    def role_named(self, role_arn: str) -> str:
        """The logical id of the role with that ARN."""
        return next(name for name in self._roles() if self.arn(name) == role_arn)

    def _roles(self) -> list[str]:
        return [name for name, body in self.resources.items() if body["Type"] == "AWS::IAM::Role"]

    def environment(self, function: str) -> dict[str, str]:
        """A function's environment."""
        shared = self.value(self.template.get("Globals", {}).get("Function", {}).get("Environment", {}))
        own = self.properties(function).get("Environment", {})
        return {**shared.get("Variables", {}), **own.get("Variables", {})}

    def functions(self) -> dict[str, dict[str, Any]]:
        """Every function, with its properties and those that all share."""
        shared = self.value(self.template.get("Globals", {}).get("Function", {}))
        return {name: {**shared, **own} for name, own in self.of_type("AWS::Serverless::Function").items()}

    def statements(self) -> dict[str, list[Statement]]:
        """By role, whatever policy they stand in. An AWS-managed policy is a statement of that name for everything."""
        found: dict[str, list[Statement]] = {role: [] for role in self._roles()}
        for role, properties in self.of_type("AWS::IAM::Role").items():
            for policy in properties.get("Policies", []):
                found[role] += _statements(role, policy["PolicyDocument"])
            for managed in properties.get("ManagedPolicyArns", []):
                ours = [name for name in self.of_type("AWS::IAM::ManagedPolicy") if self.arn(name) == managed]
                documents = [self.properties(name)["PolicyDocument"] for name in ours]
                found[role] += [each for document in documents for each in _statements(role, document)]
                if not ours:
                    found[role].append(Statement(role, managed, ("*",), ("*",)))
        for properties in self.of_type("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy").values():
            for name in properties.get("Roles", []):
                role = next(role for role in found if self.physical(role) == name)
                found[role] += _statements(role, properties["PolicyDocument"])
        for function, properties in self.functions().items():
            if "Role" not in properties:
                raise LookupError(
                    f"{function} has no role of its own: SAM would make one with policies that we do not see"
                )
        return found


def _statements(role: str, document: Mapping[str, Any]) -> Iterator[Statement]:
    for number, statement in enumerate(_many(document["Statement"])):
        if statement["Effect"] != "Allow":
            continue
        if not {"Action", "Resource"} <= set(statement):
            raise LookupError(f"{role}: a statement without Action and Resource")
        conditions = statement.get("Condition", {})
        keys = frozenset(key for tests in conditions.values() for key in tests)
        items = conditions.get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys")
        sid = statement.get("Sid", f"statement {number}")
        actions, resources = _many(statement["Action"]), _many(statement["Resource"])
        yield Statement(
            role, sid, tuple(actions), tuple(resources), keys, None if items is None else tuple(_many(items))
        )


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
