"""A section of samconfig.toml: which stack the commands that deploy speak of."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobspec import NotFound
from jobspec.problem import closest

CONFIG = Path("samconfig.toml")
PLATFORMS = {"ARM64": "linux/arm64", "X86_64": "linux/amd64"}


@dataclass(frozen=True, slots=True)
class Stage:
    """One stack of ours: its name, where it is, and the parameters that it is deployed with."""

    name: str
    stack: str
    region: str
    parameters: Mapping[str, str]
    asks: bool = False  # before it deploys, having shown what changes

    @property
    def platform(self) -> str:
        """What Docker calls the processor of its tasks, and so of their image."""
        return PLATFORMS[self.parameters.get("Architecture", "ARM64")]


def stage(name: str, config: Path = CONFIG) -> Stage:
    """The stage of that name. Raises NotFound, which names those that there are."""
    sections: dict[str, Any] = tomllib.loads(config.read_text("utf-8"))
    stages = [key for key, section in sections.items() if isinstance(section, dict) and _named(section)]
    if name not in stages:
        raise NotFound(f"stage in {config} (there are {', '.join(stages)})", name, closest(name, stages))
    section = sections[name]
    deploy = section.get("deploy", {}).get("parameters", {})
    return Stage(
        name=name,
        stack=section["global"]["parameters"]["stack_name"],
        region=section["global"]["parameters"]["region"],
        parameters=dict(override.split("=", 1) for override in deploy.get("parameter_overrides", [])),
        asks=deploy.get("confirm_changeset", False),
    )


def _named(section: Mapping[str, Any]) -> bool:
    return "stack_name" in section.get("global", {}).get("parameters", {})
