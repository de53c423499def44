"""The environment of each function: what its handler asks for, all of it and no more.

A handler reaches everything through the wiring. So from the wiring's attributes that a handler's file names, and those
that these use in turn, follow the settings, and from the settings the variables.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from functions.settings import Settings
from tests.architecture.stack_template import FUNCTIONS, ROOT, TEMPLATE, Stack

HANDLERS = {
    name: path
    for name, properties in FUNCTIONS.items()
    if (path := ROOT / f"{properties['Handler'].rpartition('.')[0].replace('.', '/')}.py").exists()
}
EVERYWHERE = set(TEMPLATE["Globals"]["Function"]["Environment"]["Variables"])


class Recorded(Mapping[str, str]):
    """An environment that notes what is asked of it."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return "1"

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("settings are asked for by name")

    def __len__(self) -> int:
        raise AssertionError("settings are asked for by name")


def attributes_of(tree: ast.AST, *owners: str) -> set[str]:
    """The attributes that the code takes of anything called so: `owner.a`, `self.owner.a`, `_owner().a`."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = node.value.func if isinstance(node.value, ast.Call) else node.value
            name = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
            if name.lstrip("_") in owners:
                found.add(node.attr)
    return found


def wiring() -> dict[str, ast.AST]:
    """What stands behind each attribute of the wiring."""
    tree = ast.parse((ROOT / "functions" / "wiring.py").read_text())
    [wired] = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Wiring"]
    return {node.name: node for node in wired.body if isinstance(node, ast.FunctionDef)}


def variables(handler: Path) -> set[str]:
    """Every variable that the handler's file makes the wiring ask for."""
    tree, behind = ast.parse(handler.read_text()), wiring()
    settings = attributes_of(tree, "settings")
    todo, seen = attributes_of(tree, "wiring"), set[str]()
    while todo:
        name = todo.pop()
        if name in behind and name not in seen:
            seen.add(name)
            settings |= attributes_of(behind[name], "settings")
            todo |= attributes_of(behind[name], "self")
    recorded = Recorded()
    for name in settings:
        getattr(Settings(recorded), name)
    return recorded.asked


@pytest.mark.parametrize("function", HANDLERS)
def test_a_function_is_told_what_it_asks_for_and_no_more(function: str) -> None:
    given = set(Stack().properties(function).get("Environment", {}).get("Variables", {}))
    assert given == variables(HANDLERS[function])


def test_powertools_is_told_the_same_everywhere() -> None:
    assert {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "LOG_LEVEL"} == EVERYWHERE
