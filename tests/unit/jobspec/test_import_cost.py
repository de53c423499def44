"""The command line starts as fast as the contract can be imported."""

import subprocess
import sys

import pytest

HEAVY = ["difflib", "pkg_resources", "asyncio", "ssl", "http.client", "numpy"]


@pytest.mark.parametrize("module", HEAVY)
def test_the_contract_imports_nothing_heavy(module):
    code = f"import sys, pydantic; old = set(sys.modules); import jobspec; print({module!r} in set(sys.modules) - old)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "False\n"
