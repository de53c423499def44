"""What a cold start loads, in a process of its own that believes to be Lambda."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HANDLERS = ("submit", "api", "plan", "acquire_workers", "await_workers", "finish_run", "janitor")
SLOW = ("boto3", "botocore.client", "urllib3", "jobs")  # tens of milliseconds each
LOADED = "import sys; print(*sys.modules)"
TRACED = """
from botocore.client import BaseClient
plain = BaseClient._make_api_call
from functions.wiring import _sdk
assert BaseClient._make_api_call is plain
_sdk()
_sdk()
print(BaseClient._make_api_call.__wrapped__ is plain)
"""


def in_lambda(program: str, folder: Path) -> list[str]:
    """The words that the program prints."""
    lambdas = {"LAMBDA_TASK_ROOT": str(folder), "AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_REGION": "us-east-1"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=os.environ | lambdas, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_handler_is_imported_without_what_it_may_never_need(handler: str, tmp_path: Path) -> None:
    assert set(SLOW) & set(in_lambda(f"import functions.{handler}; {LOADED}", tmp_path)) == set()


def test_calls_of_the_sdk_are_traced_once(tmp_path: Path) -> None:
    assert in_lambda(TRACED, tmp_path) == ["True"]
