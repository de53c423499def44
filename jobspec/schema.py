"""JSON Schemas (2020-12) of specs, for editors and other languages; `parse_spec` judges by the same models."""

from collections.abc import Mapping

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from jobspec.allowed import JsonSchema
from jobspec.registry import Job
from jobspec.spec import Cluster, Limits, Spec

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def spec_schema(jobs: Mapping[str, Job]) -> JsonSchema:
    """Return one schema for a spec of any of the jobs: which params are right depends on `job`."""
    schema, by_job = _schemas(jobs)
    schema["description"] = "A spec for any job of the catalogue."
    schema["properties"]["job"] = {"enum": list(jobs), "description": schema["properties"]["job"]["description"]}
    schema["allOf"] = [
        {"if": {"properties": {"job": {"const": name}}, "required": ["job"]}, "then": then}
        for name, then in by_job.items()
    ]
    return schema


def job_schema(job: Job) -> JsonSchema:
    """Return the schema for a spec of this job."""
    schema, by_job = _schemas({job.name: job})
    schema["description"] = job.description
    schema["properties"]["job"] = {"const": job.name, "description": job.description}
    schema["properties"] |= by_job[job.name]["properties"]
    schema["required"] += by_job[job.name]["required"]
    return schema


def _schemas(jobs: Mapping[str, Job]) -> tuple[JsonSchema, dict[str, JsonSchema]]:
    """Return the schema of a spec whose params are any object, and what each job adds to it."""
    models: list[type[BaseModel]] = [Cluster, Limits, *(job.params for job in jobs.values())]
    references, definitions = models_json_schema([(model, "validation") for model in models])
    schema = {"$schema": DIALECT} | Spec.model_json_schema() | definitions
    params = schema["properties"]["params"]
    del params["$ref"]
    by_job = {
        name: {
            "properties": {"params": params | references[job.params, "validation"]},
            "required": ["params"] if any(field.is_required() for field in job.params.model_fields.values()) else [],
        }
        for name, job in jobs.items()
    }
    params["type"] = "object"
    schema["required"] = ["job"]
    return schema, by_job
