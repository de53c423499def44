"""The API keeps the promises of its OpenAPI document, whatever it is asked."""

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CheckFunction
from schemathesis.specs.openapi import checks

from jobs import JOBS
from jobspec import Registry
from tests.fakes.stack import fake_wiring
from tests.functional.functions.http import application
from tests.functional.functions.test_api import SCHEDULE, ask, json, posted

CHECKS: list[CheckFunction] = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    schemathesis.checks.not_a_server_error,
]


STACK = fake_wiring()
STACK.jobs = Registry(JOBS[name] for name in ("explore-trips", "prepare-trips"))  # all eleven would take minutes
KNOWN = {"run_id": posted(STACK), "name": "monthly"}
schema = schemathesis.openapi.from_wsgi("/openapi.json", application(STACK))


@pytest.mark.timeout(1200)  # specs are slow to make up where the machine is busy
@schema.parametrize()
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_one_that_the_document_knows(case: schemathesis.Case) -> None:
    case.call_and_validate(checks=CHECKS)
    if case.path_parameters:  # names made up at random are those of nothing
        ask(STACK, "POST", "/schedules", json.dumps(SCHEDULE).encode())
        case.path_parameters = {name: KNOWN[name] for name in case.path_parameters}
        case.call_and_validate(checks=CHECKS)
