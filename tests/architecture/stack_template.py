"""template.yaml as data: its resources, and its intrinsic functions worked out for some choice of parameters."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cfnlint.decode import cfn_yaml

ROOT = Path(__file__).parents[2]
TEMPLATE: dict[str, Any] = cfn_yaml.load(str(ROOT / "template.yaml"))
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]
PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "123456789012",
    "AWS::StackName": "taxis",
    "AWS::URLSuffix": "amazonaws.com",
}
FUNCTIONS = {
    name: each["Properties"] for name, each in RESOURCES.items() if each["Type"] == "AWS::Serverless::Function"
}


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    """The properties of all resources of a type, by logical id."""
    return {name: each.get("Properties", {}) for name, each in RESOURCES.items() if each["Type"] == kind}


class Stack:
    """The template with parameters: conditions and functions are worked out, references to resources stay names.

    `<Id>` stands for what Ref gives of a resource, `<Id.Attribute>` for an attribute.
    """

    def __init__(self, **parameters: str) -> None:
        defaults = {name: each.get("Default", f"<{name}>") for name, each in TEMPLATE["Parameters"].items()}
        assert parameters.keys() <= defaults.keys()
        self.parameters = defaults | parameters
        for name, each in TEMPLATE["Parameters"].items():
            if each["Type"] == "CommaDelimitedList":
                self.parameters[name] = str(self.parameters[name]).split(",")

    def has(self, resource: str) -> bool:
        """Whether the stack holds the resource."""
        condition = RESOURCES[resource].get("Condition")
        return condition is None or self.true({"Condition": condition})

    def properties(self, resource: str) -> Any:
        """The properties of a resource, worked out."""
        return self.value(RESOURCES[resource].get("Properties", {}))

    def true(self, condition: Any) -> bool:
        """Whether a condition holds."""
        [(function, arguments)] = condition.items()
        match function:
            case "Condition":
                return self.true(TEMPLATE["Conditions"][arguments])
            case "Fn::Equals":
                one, other = map(self.value, arguments)
                return bool(one == other)
            case "Fn::Not":
                return not self.true(arguments[0])
            case "Fn::Or":
                return any(map(self.true, arguments))
            case "Fn::And":
                return all(map(self.true, arguments))
            case "Fn::Contains":
                return self.value(arguments[1]) in self.value(arguments[0])
        raise NotImplementedError(function)

    def value(self, value: Any) -> Any:  # noqa: C901 - one case a function
        """A value with its functions worked out; what is AWS::NoValue is None, and missing from maps and lists."""
        if isinstance(value, list):
            return [item for item in map(self.value, value) if item is not None]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(function, arguments)] = value.items()
            match function:
                case "Ref":
                    return self._reference(arguments)
                case "Fn::GetAtt":
                    return f"<{'.'.join(arguments) if isinstance(arguments, list) else arguments}>"
                case "Fn::Sub":
                    return self._substituted(arguments)
                case "Fn::If":
                    return self.value(arguments[1 if self.true({"Condition": arguments[0]}) else 2])
                case "Fn::Join":
                    return arguments[0].join(map(str, self.value(arguments[1])))
                case "Fn::Split":
                    return self.value(arguments[1]).split(arguments[0])
                case "Fn::Select":
                    return self.value(arguments[1])[int(arguments[0])]
                case "Fn::FindInMap":
                    name, top, second = map(self.value, arguments)
                    return TEMPLATE["Mappings"][name][top][second]
                case "Fn::GetAZs":
                    return ["us-east-1a", "us-east-1b"]
                case "Fn::Base64":
                    return self.value(arguments)
        worked = {key: self.value(item) for key, item in value.items()}
        return {key: item for key, item in worked.items() if item is not None}

    def _reference(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return None
        return PSEUDO.get(name) or self.parameters.get(name, f"<{name}>")

    def _substituted(self, arguments: Any) -> str:
        text, own = arguments if isinstance(arguments, list) else (arguments, {})

        def fill(found: re.Match[str]) -> str:
            name = found[1]
            if name in own:
                return str(self.value(own[name]))
            return f"<{name}>" if "." in name else str(self._reference(name))

        return re.sub(r"\$\{([^!}][^}]*)\}", fill, text)


def statements(stack: Stack | None = None) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every statement of every policy that allows something to a role, with the role's or the policy's logical id."""
    stack = stack or Stack()
    for name, each in RESOURCES.items():
        properties = each.get("Properties", {})
        if each["Type"] == "AWS::IAM::Role":
            for policy in stack.value(properties.get("Policies", [])) or []:
                yield from ((name, statement) for statement in policy["PolicyDocument"]["Statement"])
        elif each["Type"] == "AWS::IAM::ManagedPolicy":
            yield from ((name, statement) for statement in stack.value(properties["PolicyDocument"])["Statement"])


def actions_of(statement: Mapping[str, Any]) -> list[str]:
    """The actions of a statement."""
    return [statement["Action"]] if isinstance(statement["Action"], str) else list(statement["Action"])
