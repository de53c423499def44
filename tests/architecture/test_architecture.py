"""What the house plan promises of the code as a whole. The layers themselves are checked by `make check`."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.generate import GENERATED, differences, pages
from jobs import JOBS

ROOT = Path(__file__).parents[2]
PACKAGES = ["jobspec", "jobs", "functions", "cli", "local", "dashboard"]
CODE = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
CHECKED = [*CODE, *TESTS, *sorted((ROOT / "benchmarks").rglob("*.py"))]

# What a job's file may import.
JOB_IMPORTS = {"collections", "typing", "datetime", "math", "pydantic", "jobspec"}
JOB_PACKAGES = ("jobs.questions", "jobs.reports", "jobs.trips")
# Longer than other files may be, and why.
LONG: dict[str, int] = {"jobspec/errors.py": 450}  # the one tree of errors, drawn at its top
HEAVY = ["dask", "distributed", "pandas", "numpy", "pyarrow", "numba", "boto3", "botocore", "s3fs", "matplotlib"]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(path: Path) -> Iterator[str]:
    """The modules that a file imports, at any level."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


@pytest.mark.parametrize("name", JOBS)
def test_a_job_is_documented_tested_and_listed(name: str) -> None:
    tests = "".join(path.read_text() for path in (ROOT / "tests" / "functional").rglob("*.py"))
    assert f'"{name}"' in tests, f"nothing in tests/functional names {name}"
    assert f"## {name}\n" in (GENERATED / "catalogue.md").read_text()
    schema = json.loads((GENERATED / "jobs" / f"{name}.schema.json").read_text())
    assert schema["properties"]["params"]


def test_the_generated_pages_are_fresh() -> None:
    assert differences(GENERATED, pages(JOBS)) == ""


@pytest.mark.parametrize("name", JOBS)
def test_a_jobs_file_imports_what_jobs_are_made_of(name: str) -> None:
    path = ROOT / "jobs" / f"{name.replace('-', '_')}.py"
    siblings = {job.module for job in JOBS.values()}
    for module in imports(path):
        allowed = (
            module.split(".")[0] in JOB_IMPORTS
            or module.startswith(JOB_PACKAGES)
            or module in siblings
            or module == "jobs"  # from jobs import a_sibling
        )
        assert allowed, f"{named(path)} imports {module}"


def test_modules_are_named_for_what_they_do() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "stuff"}
    assert [named(path) for path in CODE if vague & {path.stem, path.parent.name}] == []


def test_files_are_short_enough_to_read() -> None:
    lines = {named(path): len(path.read_text().splitlines()) for path in CODE}
    assert {path: count for path, count in lines.items() if count > LONG.get(path, 350)} == {}


def test_nothing_is_patched_or_imported_by_the_star() -> None:
    for path in CHECKED:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert "*" not in {alias.name for alias in node.names}, named(path)
                assert node.module != "unittest.mock", named(path)
            if isinstance(node, ast.Import):
                assert "unittest.mock" not in {alias.name for alias in node.names}, named(path)


def test_no_run_restarts_the_workers_of_others() -> None:
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                assert node.func.attr not in {"restart", "restart_workers"}, f"{named(path)}:{node.lineno}"


@pytest.mark.parametrize(
    "code",
    [
        "import jobspec",
        "import jobs",
        "from click.testing import CliRunner; from cli.main import main; "
        "assert CliRunner().invoke(main, ['--help']).exit_code == 0",
        "from click.testing import CliRunner; from cli.main import main; "
        "assert CliRunner().invoke(main, ['jobs', 'explore-trips']).exit_code == 0",
        "from click.testing import CliRunner; from cli.main import main; "
        "assert CliRunner().invoke(main, ['validate', 'examples/specs/explore-trips.json']).exit_code == 0",
    ],
    ids=["jobspec", "jobs", "dispatch --help", "dispatch jobs", "dispatch validate"],
)
def test_what_needs_no_data_loads_nothing_heavy(code: str) -> None:
    code += "; import sys; print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not set(HEAVY) & set(ended.stdout.split())


def test_every_example_spec_is_good() -> None:
    from jobspec import parse_spec

    found = sorted((ROOT / "examples" / "specs").glob("*.json"))
    assert found
    for path in found:
        parse_spec(path.read_bytes(), JOBS)


def test_the_readmes_commands_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named_in_readme = set(re.findall(r"\bmake ([a-z]+)\b", (ROOT / "README.md").read_text()))
    assert named_in_readme <= targets
    assert {"setup", "demo", "test", "check", "bench", "docs"} <= targets


def test_what_the_runtime_imports_is_named_by_what_it_installs() -> None:
    """What only comes along with something else may go with it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named_there = [*project["dependencies"], *project["optional-dependencies"]["runtime"]]
    installed = {re.split(r"[\[<>=]", requirement)[0] for requirement in named_there}
    for path in (ROOT / "jobs").rglob("*.py"):
        modules = {module.split(".")[0] for module in imports(path)} - sys.stdlib_module_names - set(PACKAGES)
        assert modules <= installed, named(path)


def test_no_pinned_requirement_names_an_index() -> None:
    for path in ROOT.glob("requirements*.txt"):
        text = path.read_text()
        assert "--index-url" not in text
        assert "://" not in text, f"{path.name} names a host"


@pytest.mark.parametrize("page", sorted(map(str, [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])))
def test_links_of_a_page_lead_somewhere(page: str) -> None:
    text = Path(page).read_text("utf-8")
    targets = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    gone = [target for target in targets if target and not (Path(page).parent / target).exists()]
    assert not gone
