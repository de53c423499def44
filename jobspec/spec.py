"""The spec: the document that asks for a job, as models that refuse whatever they do not know."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny

from jobspec.errors import JobDefinitionError

MAX_JOB_NAME = 40
JOB_NAME = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
MAX_WORKERS = 200


def is_job_name(text: str) -> bool:
    """Whether the text can be a job's name: lower-case words of letters and digits, at most 40 characters."""
    return len(text) <= MAX_JOB_NAME and re.fullmatch(JOB_NAME, text) is not None


LabelKey = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,62}$")]
LabelValue = Annotated[str, Field(max_length=255)]


class Strict(BaseModel):
    """A model that is frozen, forbids unknown fields and converts nothing: true is not 1, "1" is not 1."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Params(Strict):
    """What a job can be asked; every job's `Params` extends this and describes each field, with units.

    A field's validator may raise `FieldProblem`; whatever else is wrong is named along with it. A model validator,
    which may raise it too, or ValueError (a problem of the params as a whole), is asked only where every field is good.
    A field without a description raises JobDefinitionError when the class is made.
    """

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        bare = [name for name, field in cls.model_fields.items() if not field.description]
        if bare:
            file = f"{cls.__module__.replace('.', '/')}.py"
            raise JobDefinitionError(file, f"{cls.__qualname__} has fields without a description: {', '.join(bare)}")


class Cluster(Strict):
    """The workers that a run asks for."""

    workers: Literal["auto"] | Annotated[int, Field(ge=1, le=MAX_WORKERS)] = Field(
        "auto", description="How many workers; auto lets the job's size decide by the number of trips."
    )


class Limits(Strict):
    """Where a run is stopped."""

    timeout_minutes: int = Field(60, ge=1, le=1440, description="Minutes after which the run is stopped.")
    max_cost_usd: float | None = Field(
        None, gt=0, le=10_000, allow_inf_nan=False, description="US dollars that the run may cost; null sets no limit."
    )


class Spec(Strict):
    """What a run is asked to do; `parse_spec` is the only way from a document to one of these."""

    job: str = Field(max_length=MAX_JOB_NAME, pattern=JOB_NAME, description="The job's name in the catalogue.")
    params: SerializeAsAny[Params] = Field(description="The job's own parameters.")
    cluster: Cluster = Field(Cluster(), description="The workers that the run asks of a shared cluster.")
    limits: Limits = Field(Limits(), description="Where a deployed stack stops the run; `dispatch run` does not.")
    labels: dict[LabelKey, LabelValue] = Field(
        {},
        max_length=32,
        description="Labels of your own; they change nothing about the run.",
        json_schema_extra={"additionalProperties": False},  # pydantic leaves out that every key must fit the pattern
    )
    force: bool = Field(False, description="Run again even if the same work has already succeeded.")


@dataclass(frozen=True, slots=True)
class Size:
    """How a job answers `"workers": "auto"`: one worker for every `trips_per_worker` trips, within bounds.

    Raises ValueError unless 1 <= min_workers <= max_workers <= 200 and trips_per_worker >= 1.
    """

    min_workers: int
    max_workers: int
    trips_per_worker: int

    def __post_init__(self) -> None:
        if not 1 <= self.min_workers <= self.max_workers <= MAX_WORKERS or self.trips_per_worker < 1:
            raise ValueError(f"{self} must hold 1 <= min <= max <= {MAX_WORKERS} workers and at least 1 trip a worker")

    def workers_for(self, trips: int) -> int:
        """Return the number of workers for that many trips."""
        return min(max(-(-trips // self.trips_per_worker), self.min_workers), self.max_workers)
