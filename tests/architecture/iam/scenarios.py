"""Every path of every function and of every task, to be run with its calls recorded: one scenario a path.

A scenario is a function that gets the `Stage`, sets up what it needs on moto, and then acts:

    @scenario("PlanFunction")
    def plan_of_a_run(stage: Stage) -> None:
        ...                                     # set-up: not recorded
        with stage.acting():                    # recorded as the function's
            plan.handle(event, Wiring(stage.settings))

It finds its table, buckets and ARNs under the names that the template gives the function in its environment, so the
recorded calls name the template's own resources. The actor of a Fargate task is its role, such as "ClientRole". What
no code of ours does, AWS's documentation says: `documented.py`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from functions.settings import Settings
from tests.architecture.iam.calls import Recorder
from tests.architecture.iam.stack import Stack


@dataclass(frozen=True)
class Stage:
    """Where a scenario plays: a fresh moto, and the template's word for everything."""

    actor: str  # the logical id of a function, or of a role
    stack: Stack
    recorder: Recorder

    @property
    def settings(self) -> Settings:
        """The function's own settings, from its environment in the template and nothing else."""
        return Settings(self.stack.environment(self.actor))

    @contextmanager
    def acting(self) -> Iterator[None]:
        """What is called meanwhile is recorded as the actor's."""
        with self.recorder.acting_as(self.actor):
            yield


Scenario = Callable[[Stage], None]

SCENARIOS: list[tuple[str, Scenario]] = []  # (actor, what it does)


def scenario(actor: str) -> Callable[[Scenario], Scenario]:
    """Register a path of that function or role."""

    def register(play: Scenario) -> Scenario:
        SCENARIOS.append((actor, play))
        return play

    return register
