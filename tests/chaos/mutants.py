"""A module with one thing wrong, to see that the proof finds it."""

import inspect
from types import ModuleType
from typing import Any

ORDER = "        services.want_workers(told.workers)\n"
READ_AGAIN = "        now_wanted = wanted(store.read(), scheduler_may_go)\n"
WRONG_RECONCILES = {
    "without reading again": (READ_AGAIN, "        return\n"),
    "only if ECS does not say so already": (
        ORDER,
        f"        if services.described('worker') != told.workers:\n    {ORDER}",
    ),
}
"""What design.md forbids, as pieces of `functions.core.scaling`: what is right, and what is wrong."""


def mutant(module: ModuleType, right: str, wrong: str) -> Any:
    """The module with one piece of its source replaced; its classes are the true module's."""
    source = inspect.getsource(module)
    assert source.count(right) == 1, f"{module.__name__} holds {source.count(right)} times: {right}"
    twin = ModuleType(module.__name__)
    exec(compile(source.replace(right, wrong), str(module.__file__), "exec"), twin.__dict__)
    twin.__dict__.update({name: value for name, value in vars(module).items() if isinstance(value, type)})
    return twin
