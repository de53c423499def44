"""A module in the package is a job; a module that is not a whole job is refused, naming its file."""

import importlib
import sys

import pytest

from jobspec import JobDefinitionError, Params, Registry, Size, discover
from tests.unit.jobspec import sample_catalogue

WHOLE = '''"""What it does."""
from jobspec import Params as Base, Size
class Params(Base):
    pass
SIZE = Size(1, 2, 3)
def questions(params): return {}
'''


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Write modules into a fresh package and import it."""
    name = f"catalogue_{tmp_path.name}"
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").touch()

    def build(**modules):
        for module, source in modules.items():
            (tmp_path / name / f"{module}.py").write_text(source)
        importlib.invalidate_caches()
        return importlib.import_module(name)

    yield build
    for module in [module for module in sys.modules if module.split(".")[0] == name]:
        del sys.modules[module]


def test_every_module_is_a_job_and_a_package_is_not(jobs):
    assert list(jobs) == ["count-trips", "vendor-summary"]
    assert len(jobs) == 2
    assert "parts" not in jobs


def test_a_job_holds_what_its_module_defines(jobs):
    module = importlib.import_module("tests.unit.jobspec.sample_catalogue.count_trips")
    job = jobs["count-trips"]
    assert job.name == "count-trips"
    assert job.description == "How many trips there are."
    assert job.documentation == "How many trips there are.\n\nCounts every one of them."
    assert job.params is module.Params
    assert job.size is module.SIZE
    assert job.module == "tests.unit.jobspec.sample_catalogue.count_trips"
    assert (job.questions, job.run, job.report) == (module.questions, None, None)
    assert (
        jobs["vendor-summary"].run is importlib.import_module("tests.unit.jobspec.sample_catalogue.vendor_summary").run
    )


def test_a_package_can_be_named():
    assert discover("tests.unit.jobspec.sample_catalogue") == discover(sample_catalogue)


def test_a_package_can_discover_itself_while_it_is_imported(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "selfmade").mkdir()
    (tmp_path / "selfmade" / "__init__.py").write_text("from jobspec import discover\nJOBS = discover(__name__)\n")
    (tmp_path / "selfmade" / "a_job.py").write_text(WHOLE)
    assert list(importlib.import_module("selfmade").JOBS) == ["a-job"]


def test_jobs_are_sorted_however_they_are_given(jobs):
    assert list(Registry(reversed(list(jobs.values())))) == list(jobs)


@pytest.mark.parametrize(
    ("name", "source", "missing"),
    [
        ("a_job", WHOLE.replace('"""What it does."""', ""), "missing docstring"),
        ("a_job", WHOLE.replace("class Params(Base)", "class Other(Base)"), "missing Params"),
        ("a_job", WHOLE.replace("(Base)", ""), "missing Params, a subclass"),
        ("a_job", WHOLE.replace("SIZE = Size(1, 2, 3)", ""), "missing SIZE"),
        ("a_job", WHOLE.replace("Size(1, 2, 3)", "3"), "missing SIZE"),
        ("a_job", WHOLE.replace("Size(1, 2, 3)", "Size(3, 2, 1)"), "cannot be imported at line 5: ValueError"),
        ("a_job", WHOLE.replace("def questions(params): return {}", ""), "exactly one of questions"),
        ("a_job", WHOLE + "def run(trips, params): ...\n", "exactly one of questions"),
        ("a_job", WHOLE + "report = 3\n", "must be functions"),
        ("a_job", WHOLE + "import nowhere_to_be_found\n", "cannot be imported at line 7: ModuleNotFoundError"),
        ("a_job", "def (", "cannot be imported: SyntaxError"),
        ("a_job", WHOLE.replace("    pass", "    top: int = 3\n    bottom: int = 4"), "description: top, bottom"),
        ("A_job", WHOLE, "lower-case"),
        ("_job", WHOLE, "lower-case"),
        ("a__job", WHOLE, "lower-case"),
        ("j" * 41, WHOLE, "at most 40 characters"),
    ],
)
def test_a_module_that_is_not_a_whole_job_is_refused_by_file(name, source, missing, package):
    with pytest.raises(JobDefinitionError) as caught:
        discover(package(**{name: source}))
    assert caught.value.file.endswith(f"/{name}.py")
    assert missing in caught.value.reason


def test_all_that_is_missing_is_said_at_once(package):
    with pytest.raises(JobDefinitionError) as caught:
        discover(package(empty=""))
    assert all(part in str(caught.value) for part in ("docstring", "Params", "SIZE", "questions"))


def test_a_field_without_a_description_is_refused_where_it_is_written():
    with pytest.raises(JobDefinitionError, match="description: top"):

        class Bare(Params):
            top: int = 10


@pytest.mark.parametrize(("trips", "workers"), [(0, 2), (100, 2), (200, 2), (201, 3), (400, 4), (401, 4), (10**12, 4)])
def test_size_asks_for_a_worker_per_so_many_trips_within_bounds(trips, workers):
    assert Size(min_workers=2, max_workers=4, trips_per_worker=100).workers_for(trips) == workers


@pytest.mark.parametrize("numbers", [(0, 1, 1), (2, 1, 1), (1, 201, 1), (1, 1, 0)])
def test_a_size_that_cannot_be_met_is_refused(numbers):
    with pytest.raises(ValueError, match="must hold"):
        Size(*numbers)
