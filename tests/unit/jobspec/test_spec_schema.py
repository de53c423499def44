"""The published JSON Schemas and parse_spec judge alike."""

import json

import jsonschema
import pytest

from jobspec import SpecError, job_schema, parse_spec, spec_schema

COUNT = {"job": "count-trips", "params": {"trips": ["a.csv"]}}
VENDOR = {"job": "vendor-summary"}

GOOD = [
    COUNT,
    VENDOR,
    VENDOR | {"params": {}},
    VENDOR | {"params": {"vendors": None}},
    VENDOR | {"params": {"vendors": [1, 2]}},
    COUNT | {"params": {"trips": ["a"] * 5, "keep": "all", "colour": "green", "top": 1000, "share": 0.5}},
    COUNT | {"params": {"trips": ["a"], "window": {"first": "2018-01-31", "days": 1}}},
    COUNT | {"cluster": {}, "limits": {}, "labels": {}, "force": True},
    COUNT | {"cluster": {"workers": "auto"}, "limits": {"timeout_minutes": 1, "max_cost_usd": None}},
    COUNT | {"cluster": {"workers": 200}, "limits": {"timeout_minutes": 1440, "max_cost_usd": 10_000}},
    COUNT | {"labels": {"a" * 63: "x" * 255, "A1_.:/-": ""}},
]
BAD = [
    {},
    [],
    "x",
    {"job": "nope"},
    {"job": None},
    {"job": "count-trips"},
    VENDOR | {"params": None},
    VENDOR | {"params": {"trips": ["a"]}},
    VENDOR | {"params": {"vendors": [1, "2"]}},
    VENDOR | {"params": {"vendors": [True]}},
    VENDOR | {"extra": 1},
    COUNT | {"params": {"trips": []}},
    COUNT | {"params": {"trips": ["a"] * 6}},
    COUNT | {"params": {"trips": [""]}},
    COUNT | {"params": {"trips": "a"}},
    COUNT | {"params": {"trips": ["a"], "keep": "some"}},
    COUNT | {"params": {"trips": ["a"], "colour": "blue"}},
    COUNT | {"params": {"trips": ["a"], "top": 0}},
    COUNT | {"params": {"trips": ["a"], "top": True}},
    COUNT | {"params": {"trips": ["a"], "top": "1"}},
    COUNT | {"params": {"trips": ["a"], "share": 0}},
    COUNT | {"params": {"trips": ["a"], "window": {"days": 1}}},
    COUNT | {"params": {"trips": ["a"], "window": {"first": "2018-01-31", "weeks": 1}}},
    COUNT | {"cluster": {"workers": 0}},
    COUNT | {"cluster": {"workers": 201}},
    COUNT | {"cluster": {"workers": "many"}},
    COUNT | {"cluster": {"worker": 1}},
    COUNT | {"cluster": None},
    COUNT | {"limits": {"timeout_minutes": 0}},
    COUNT | {"limits": {"timeout_minutes": 1441}},
    COUNT | {"limits": {"timeout_minutes": None}},
    COUNT | {"limits": {"max_cost_usd": 0}},
    COUNT | {"limits": {"max_cost_usd": 10_001}},
    COUNT | {"labels": {"-a": "x"}},
    COUNT | {"labels": {"": "x"}},
    COUNT | {"labels": {"a" * 64: "x"}},
    COUNT | {"labels": {"a": "x" * 256}},
    COUNT | {"labels": {"a": 1}},
    COUNT | {"labels": {f"a{index}": "" for index in range(33)}},
    COUNT | {"force": 1},
]


def accepts(schema, document):
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema).is_valid(document)


def parses(document, jobs):
    try:
        parse_spec(json.dumps(document), jobs)
    except SpecError:
        return False
    return True


@pytest.mark.parametrize(
    ("document", "good"), [(document, True) for document in GOOD] + [(document, False) for document in BAD], ids=repr
)
def test_schema_and_parser_agree(document, good, jobs):
    assert parses(document, jobs) is good
    assert accepts(spec_schema(jobs), document) is good
    name = document.get("job") if isinstance(document, dict) else None
    for job in jobs.values():
        assert accepts(job_schema(job), document) is (good and job.name == name)


def test_a_schema_says_what_every_field_means(jobs):
    schema = job_schema(jobs["count-trips"])
    assert schema["description"] == "How many trips there are."
    assert schema["properties"]["job"]["const"] == "count-trips"
    for model in [schema, *(model for model in schema["$defs"].values() if "properties" in model)]:
        assert all("description" in field for field in model["properties"].values())
