"""What a run leaves behind: its result, written last by the client, and its receipt, written when it has ended."""

import json
from typing import Any

from pydantic import Field

from jobspec.identity import InputFile
from jobspec.spec import Strict
from jobspec.states import RunState


class JsonFile(Strict):
    """A model that is kept as a JSON file."""

    def to_json(self) -> str:
        """Return the document as JSON text, indented by two, fields in a fixed order; raise ValueError for NaN."""
        return json.dumps(self.model_dump(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


class Output(Strict):
    """A file in the result."""

    name: str = Field(description="What it is called in the report, such as `trips_by_pickup_date`.")
    path: str = Field(description="Where it is, relative to result.json.")
    bytes: int = Field(ge=0, description="Its size in bytes.")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="The SHA-256 of its content, in hexadecimal.")
    media_type: str = Field(description="Its media type, such as `text/csv`.")


class Result(JsonFile):
    """A run's result.json: the answers and everything needed to judge and reproduce them."""

    run_id: str = Field(description="The run that left this.")
    job: str = Field(description="The job that was run.")
    spec: dict[str, Any] = Field(description="The spec with every default filled in.")
    state: RunState = Field(description="The state in which the client ended.")
    answers: dict[str, Any] = Field(description="One entry for each question of the job.")
    outputs: list[Output] = Field(description="The files beside this one.")
    inputs: list[InputFile] = Field(description="The files that were read.")
    quality: dict[str, Any] = Field(description="What was set aside, counted by reason, and its effect on the answers.")
    timings: dict[str, Any] = Field(description="Seconds by phase.")
    environment: dict[str, Any] = Field(description="What the run ran on: versions, workers, code.")


class BillLine(Strict):
    """One thing that a run paid for."""

    what: str = Field(description="What was used, such as `20 workers, 2 vCPU, 4 GB`.")
    seconds: float = Field(ge=0, description="For how many seconds it is billed.")
    usd: float = Field(ge=0, description="What that costs in US dollars.")


class Receipt(JsonFile):
    """A run's receipt.json: how it ended and what it cost."""

    run_id: str = Field(description="The run that this is for.")
    state: RunState = Field(description="The final state of the run.")
    bill: list[BillLine] = Field(description="What the run paid for.")
    total_usd: float = Field(ge=0, description="The sum of the bill in US dollars.")
    priced_at: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$", description="The date of the prices used, YYYY-MM-DD.")
    plan: dict[str, Any] | None = Field(None, description="What was planned, to be held against the bill.")
