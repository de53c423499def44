"""The only door in: from whatever somebody sent to a Spec, or to all that is wrong with it at once."""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from jobspec.allowed import Allowed
from jobspec.document import Document, read_document
from jobspec.errors import SpecError
from jobspec.problem import FieldProblem, Path, Problem, closest, pointer_to, show
from jobspec.registry import Job
from jobspec.spec import Params, Spec

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

MAX_PROBLEMS = 1000

_NAME = "[key]"  # how pydantic's locations end where a key is wrong rather than what it holds

_MESSAGES = {
    "missing": "missing field",
    "extra_forbidden": "unknown field",
    "literal_error": "not an allowed value",
    "enum": "not an allowed value",
    "string_pattern_mismatch": "does not match the pattern",
    "too_long": "too long",
    "too_short": "too short",
    "string_too_long": "too long",
    "string_too_short": "too short",
    "greater_than": "out of range",
    "greater_than_equal": "out of range",
    "less_than": "out of range",
    "less_than_equal": "out of range",
}


def parse_spec(raw: bytes | str | Mapping[str, Any], jobs: Mapping[str, Job]) -> Spec:
    """Return the spec that a document asks for, with defaults filled in and params of the job's own class.

    `raw` is UTF-8 JSON of at most 256 KiB and 32 levels, or the value of such a document. Raises SpecError with every
    problem (the first thousand, if there are more), and nothing else, for any input.
    """
    document = read_document(raw)
    if not isinstance(document.value, dict):
        raise SpecError(_limited(document.problems, _not_an_object(document)))
    given = document.value
    job = jobs.get(given["job"]) if isinstance(given.get("job"), str) else None
    meant = job or jobs.get(closest(given.get("job"), jobs) or "")  # a slip in the job's name hides no other problem
    params: Params | None = None
    of_job: Iterable[Problem] = ()
    of_spec: Iterable[Problem] = ()
    if job is None:
        of_job = _job_problem(document, jobs)
    if meant is not None:
        asked = given.get("params", {})
        try:
            # As JSON, because strict means something else there: JSON has no tuples, dates or enums of its own.
            params = meant.params.model_validate_json(json.dumps(asked))
        except ValidationError as error:
            of_job = chain(of_job, model_problems(error, meant.params, asked, ("params",), document))
    # What has been judged above is stood in for, so that the rest of the document is judged whatever was found.
    judged = {"job": job.name if job else "unknown", "params": params or Params()}
    try:
        spec = Spec.model_validate(given | judged)
    except ValidationError as error:
        of_spec = model_problems(error, Spec, given, (), document)
    if problems := _limited(document.problems, of_job, of_spec):
        raise SpecError(problems)
    return spec


def _not_an_object(document: Document) -> Iterator[Problem]:
    if () not in document.unusable:
        fields = ", ".join(Spec.model_fields)
        yield Problem("", "not an object", show(document.value), f"an object with the fields {fields}")


def _job_problem(document: Document, jobs: Mapping[str, Job]) -> Iterator[Problem]:
    allowed = ", ".join(jobs) or "nothing: the catalogue is empty"
    if "job" not in document.value:
        yield Problem("/job", "missing field", None, allowed)
    elif ("job",) not in document.unusable:
        job = document.value["job"]
        message = "unknown job" if isinstance(job, str) else "wrong type"
        yield Problem("/job", message, show(job), allowed, closest(job, jobs))


def model_problems(
    error: ValidationError, model: type[BaseModel], value: object, prefix: Path, document: Document
) -> Iterator[Problem]:
    """Translate what pydantic says of `value`, found at `prefix` in the document, into one problem for each place."""
    by_place: dict[tuple[Path, bool], list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False):
        of_name = detail["loc"][-1:] == (_NAME,)
        by_place.setdefault((_path(detail, value), of_name), []).append(detail)
    allowed = Allowed(model.model_json_schema())
    above_another = {path[:length] for path, _ in by_place for length in range(len(path))}
    for (path, of_name), details in by_place.items():
        # A union is tried branch by branch; where one branch came further, only what stopped it there is of interest.
        outdone = len(details[0]["loc"]) > len(path) and path in above_another
        if prefix + path not in document.unusable and not outdone:
            if of_name:
                name, names = show(path[-1]), allowed.names_at(path[:-1])
                yield Problem(pointer_to(prefix + path), "the name is not allowed", name, names)
            else:
                yield _problem(details, path, value, prefix, allowed)


def _path(detail: "ErrorDetails", value: Any) -> Path:
    """Return where in `value` an error is; pydantic's own location also names branches of unions and the like."""
    path: Path = ()
    for index, part in enumerate(detail["loc"]):
        inside = part in value if isinstance(value, dict) else isinstance(value, list) and isinstance(part, int)
        if inside:
            value, path = value[part], (*path, part)
        elif detail["type"] == "missing" and index == len(detail["loc"]) - 1:
            path = (*path, part)
    return path


def _problem(details: list["ErrorDetails"], path: Path, value: Any, prefix: Path, allowed: Allowed) -> Problem:
    kind, cause = details[0]["type"], details[0].get("ctx", {}).get("error")
    if isinstance(cause, FieldProblem):
        path += cause.path
        return Problem(pointer_to(prefix + path), cause.message, _shown(value, path), cause.allowed)
    pointer, shown = pointer_to(prefix + path), _shown(value, path)
    if kind == "extra_forbidden":
        fields = allowed.fields(path[:-1])
        return Problem(pointer, _MESSAGES[kind], shown, ", ".join(fields) or "no field", closest(path[-1], fields))
    messages = set(map(_message, details))
    message = messages.pop() if len(messages) == 1 else "not an allowed value"
    suggestion = closest(_found(value, path), allowed.choices(path))
    return Problem(pointer, message, shown, allowed.at(path), suggestion)


def _message(detail: "ErrorDetails") -> str:
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, Exception):
        return str(cause)
    if detail["type"].endswith("_type") or detail["type"] == "int_from_float":
        return "wrong type"
    return _MESSAGES.get(detail["type"]) or detail["msg"]


_ABSENT = object()


def _found(value: Any, path: Path) -> Any:
    try:
        for part in path:
            value = value[part]
    except (LookupError, TypeError):
        return _ABSENT
    return value


def _shown(value: Any, path: Path) -> str | None:
    found = _found(value, path)
    return None if found is _ABSENT else show(found)


def _limited(*sources: Iterable[Problem]) -> list[Problem]:
    problems = list(islice(chain.from_iterable(sources), MAX_PROBLEMS + 1))
    if len(problems) > MAX_PROBLEMS:
        problems[MAX_PROBLEMS] = Problem("", "more problems than are listed here", None, "none")
    return problems
