"""Every setting of the functions: an environment variable each, read when it is first asked for.

A function's environment in `template.yaml` holds just those that it uses; asking for another raises KeyError.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True)
class Settings:
    """What the template tells the functions."""

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def __getitem__(self, name: str) -> str:
        """One setting as text."""
        return self.environment[name]

    @cached_property
    def runs_table(self) -> str:
        """The name of the runs table."""
        return self["RUNS_TABLE"]

    @cached_property
    def specs_bucket(self) -> str:
        """The bucket that specs are dropped into and answers are written to."""
        return self["SPECS_BUCKET"]

    @cached_property
    def results_bucket(self) -> str:
        """The bucket of the results."""
        return self["RESULTS_BUCKET"]

    @cached_property
    def state_machine(self) -> str:
        """The ARN of the state machine run_job."""
        return self["STATE_MACHINE_ARN"]

    @cached_property
    def image_tag(self) -> str:
        """The immutable tag of the image: the version of the code, and so part of every run's identity."""
        return self["IMAGE_TAG"]

    @cached_property
    def max_workers(self) -> int:
        """The cap: how many workers the stack ever runs at once."""
        return int(self["MAX_WORKERS"])
