"""The contract: what a spec, a run, a result and a job are, for every part of Dispatch and for every user."""

from jobspec.allowed import Allowed
from jobspec.canonical import canonical_json, canonical_spec
from jobspec.errors import (
    ERRORS,
    EXIT_CODES,
    Cancelled,
    DataError,
    DispatchError,
    IllegalTransition,
    InputChanged,
    InputUnavailable,
    JobDefinitionError,
    LostWorkers,
    MixedTaxis,
    NoInputs,
    NoWorkers,
    OutOfMemory,
    SpecError,
    TooManyInputs,
    UnreadableFile,
)
from jobspec.fields import DescribedField, described_fields
from jobspec.identity import InputFile, RunName, run_id, split_run_id, work_id
from jobspec.parse import parse_spec
from jobspec.problem import FieldProblem, Problem
from jobspec.registry import Job, Registry, discover
from jobspec.result import BillLine, Output, Receipt, Result
from jobspec.schema import job_schema, spec_schema
from jobspec.spec import Cluster, Limits, Params, Size, Spec
from jobspec.states import TRANSITIONS, RunState, advance, state_after

__all__ = [
    "ERRORS",
    "EXIT_CODES",
    "TRANSITIONS",
    "Allowed",
    "BillLine",
    "Cancelled",
    "Cluster",
    "DataError",
    "DescribedField",
    "DispatchError",
    "FieldProblem",
    "IllegalTransition",
    "InputChanged",
    "InputFile",
    "InputUnavailable",
    "Job",
    "JobDefinitionError",
    "Limits",
    "LostWorkers",
    "MixedTaxis",
    "NoInputs",
    "NoWorkers",
    "OutOfMemory",
    "Output",
    "Params",
    "Problem",
    "Receipt",
    "Registry",
    "Result",
    "RunName",
    "RunState",
    "Size",
    "Spec",
    "SpecError",
    "TooManyInputs",
    "UnreadableFile",
    "advance",
    "canonical_json",
    "canonical_spec",
    "described_fields",
    "discover",
    "job_schema",
    "parse_spec",
    "run_id",
    "spec_schema",
    "split_run_id",
    "state_after",
    "work_id",
]
