"""The inputs that a run was planned with, as whoever planned it wrote them down."""

import json
from collections.abc import Iterator
from dataclasses import replace

from pydantic import ValidationError

from jobs.runtime.storage import read_document
from jobspec import InputFile, Problem, SpecError
from jobspec.document import Document
from jobspec.parse import model_problems
from jobspec.problem import show

_MAX_BYTES = 2**26  # of the document: that of MAX_INPUTS files takes a tenth of it
_ALLOWED = "a JSON list of at least one {uri, bytes, etag}"


def planned_inputs(uri: str) -> list[InputFile]:
    """The pinned inputs listed in a document. Raises SpecError with all that is wrong with it."""
    raw = read_document(uri, _MAX_BYTES)
    try:
        listed = json.loads(raw)
    except ValueError as error:
        raise SpecError([_problem(uri, f"is not JSON: {error}", show(raw[:40].decode(errors="replace")))]) from None
    if not isinstance(listed, list) or not listed:
        raise SpecError([_problem(uri, "lists no inputs", show(listed))])
    inputs: list[InputFile] = []
    problems: list[Problem] = []
    for at, item in enumerate(listed):
        try:
            inputs.append(InputFile.model_validate(item))
        except ValidationError as error:
            problems += _located(uri, model_problems(error, InputFile, item, (at,), Document()))
    if problems:
        raise SpecError(problems)
    return inputs


def _problem(uri: str, message: str, value: str) -> Problem:
    return Problem("", f"the list of inputs {uri} {message}", value, _ALLOWED)


def _located(uri: str, problems: Iterator[Problem]) -> Iterator[Problem]:
    """The same, with the name of the document: the spec is another one."""
    return (replace(problem, message=f"{problem.message} in {uri}") for problem in problems)
