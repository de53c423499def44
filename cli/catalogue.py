"""The catalogue in words: what `dispatch jobs` prints."""

import json

from jobs import JOBS
from jobspec import Job, NotFound, described_fields, job_schema
from jobspec.problem import closest


def every(as_json: bool) -> str:
    """All jobs, a line each."""
    if as_json:
        return json.dumps([{"name": job.name, "description": job.description} for job in JOBS.values()], indent=2)
    width = max(map(len, JOBS))
    return "\n".join(f"{job.name:<{width}}  {job.description}" for job in JOBS.values())


def one(name: str, as_json: bool) -> str:
    """One job: its documentation and its params. Raises NotFound for a name that no job has."""
    if name not in JOBS:
        raise NotFound("job", name, closest(name, JOBS))
    job = JOBS[name]
    schema = job_schema(job)
    if as_json:
        described = {"name": job.name, "description": job.description, "documentation": job.documentation}
        return json.dumps(described | {"spec": schema}, indent=2)
    return "\n".join([f"{job.name}: {job.documentation}", "", "Params:", *_params(job)])


def _params(job: Job) -> list[str]:
    lines = []
    for field in described_fields(job.params):
        default = field.default if field.default == "required" else f"default: {field.default}"
        lines += [f"  {field.name}  ({field.allowed}; {default})", f"      {field.meaning}"]
    return lines
