"""The catalogue of jobs, found by looking into a package: one module, one job, no list to keep."""

import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from traceback import walk_tb
from types import ModuleType
from typing import Any

from jobspec.errors import JobDefinitionError
from jobspec.spec import MAX_JOB_NAME, Params, Size, is_job_name


@dataclass(frozen=True, slots=True)
class Job:
    """An analysis in the catalogue.

    It has either `questions(params)`, asked of every trip in one pass, or `run(trips, params)`, given a lazy frame.
    `report(answers)` is optional. `module` is the dotted name of the module that defines all of them.
    """

    name: str
    description: str
    documentation: str
    params: type[Params]
    size: Size
    module: str
    questions: Callable[..., Mapping[str, Any]] | None = None
    run: Callable[..., Any] | None = None
    report: Callable[..., Any] | None = None

    @property
    def file(self) -> str:
        """Where its module lies, from the folder of its package's own."""
        return _file(self.module)


class Registry(Mapping[str, Job]):
    """Jobs by name, sorted."""

    def __init__(self, jobs: Iterable[Job] = ()) -> None:
        self._jobs = {job.name: job for job in sorted(jobs, key=lambda job: job.name)}

    def __getitem__(self, name: str) -> Job:
        return self._jobs[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._jobs)

    def __len__(self) -> int:
        return len(self._jobs)

    def __repr__(self) -> str:
        return f"Registry({', '.join(self)})"


def discover(package: ModuleType | str) -> Registry:
    """Return the jobs of a package: every module directly in it, `vendor_summary.py` as `vendor-summary`.

    Sub-packages are not jobs. Raises JobDefinitionError, naming the file, for a module that is not a whole job.
    """
    package = import_module(package) if isinstance(package, str) else package
    modules = (found.name for found in pkgutil.iter_modules(package.__path__) if not found.ispkg)
    return Registry(_job(package, module) for module in modules)


def _job(package: ModuleType, module_name: str) -> Job:
    file = _file(f"{package.__name__}.{module_name}")
    try:
        module = import_module(f"{package.__name__}.{module_name}")
    except JobDefinitionError:
        raise
    except Exception as error:
        at = f" at line {line}" if (line := _line(error, package, module_name)) else ""
        raise JobDefinitionError(file, f"cannot be imported{at}: {type(error).__name__}: {error}") from error
    name = module_name.replace("_", "-")
    faults = _faults(name, module)
    if faults:
        raise JobDefinitionError(file, "; ".join(faults))
    documentation = (module.__doc__ or "").strip()
    return Job(
        name=name,
        description=documentation.splitlines()[0],
        documentation=documentation,
        params=module.Params,
        size=module.SIZE,
        module=module.__name__,
        questions=getattr(module, "questions", None),
        run=getattr(module, "run", None),
        report=getattr(module, "report", None),
    )


def _file(module: str) -> str:
    return f"{module.replace('.', '/')}.py"


def _line(error: Exception, package: ModuleType, module_name: str) -> int | None:
    """The line of the module's own file at which its import failed, if it came that far."""
    if isinstance(error, SyntaxError):
        return None  # its words name the file, which may be another, and the line
    dotted = f"{package.__name__}.{module_name}"
    lines = [line for frame, line in walk_tb(error.__traceback__) if frame.f_globals.get("__name__") == dotted]
    return lines[-1] if lines else None


def _faults(name: str, module: ModuleType) -> list[str]:
    has = vars(module)
    params, ways = has.get("Params"), [way for way in ("questions", "run") if way in has]
    checks = {
        f"a job's name is lower-case words of letters and digits, at most {MAX_JOB_NAME} characters: {name}": (
            is_job_name(name)
        ),
        "missing docstring, whose first line describes the job": (module.__doc__ or "").strip(),
        "missing Params, a subclass of jobspec.Params": isinstance(params, type) and issubclass(params, Params),
        "missing SIZE, a jobspec.Size": isinstance(has.get("SIZE"), Size),
        "needs exactly one of questions(params) and run(trips, params)": len(ways) == 1,
        "questions, run and report must be functions": all(
            callable(has[way]) for way in (*ways, "report") if way in has
        ),
    }
    return [fault for fault, holds in checks.items() if not holds]
