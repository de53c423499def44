"""A module with one thing wrong, to see that the proof finds it."""

import inspect
from types import ModuleType
from typing import Any


def mutant(module: ModuleType, right: str, wrong: str) -> Any:
    """The module with one piece of its source replaced; its classes are the true module's."""
    source = inspect.getsource(module)
    assert source.count(right) == 1, f"{module.__name__} holds {source.count(right)} times: {right}"
    twin = ModuleType(module.__name__)
    exec(compile(source.replace(right, wrong), str(module.__file__), "exec"), twin.__dict__)
    twin.__dict__.update({name: value for name, value in vars(module).items() if isinstance(value, type)})
    return twin
