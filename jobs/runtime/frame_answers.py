"""What a job on a frame has returned, computed, as answers that JSON can hold."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

import dask
import numpy as np
import pandas as pd

from jobspec import JobDefinitionError
from jobspec.problem import show

_ALLOWED = "frames, series, numbers, text, booleans, times, durations, null, and lists and dicts of them"


class _NoAnswerError(ValueError):
    """Raised for a value that is no answer: where it stands and what is wrong."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"answer {where} {problem}")


def computed(returned: Any, compute: Callable[[list[Any]], Sequence[Any]], file: str) -> dict[str, Any]:
    """The answers, with everything lazy in them, however deep, computed by `compute` at once.

    Frames become rows, series rows of index and value, times ISO text, durations seconds; what is missing or no finite
    number is null. Raises JobDefinitionError, naming the job's `file` and the answer, for what is none of these.
    """
    if not isinstance(returned, Mapping):
        raise JobDefinitionError(file, f"run returned {_named(returned)}; allowed: a dict of answers by their names")
    lazy = list(_lazy(returned))
    values = compute(lazy) if lazy else ()
    done = {id(collection): value for collection, value in zip(lazy, values, strict=True)}
    try:
        return {str(name): _plain(_filled(value, done), str(name)) for name, value in returned.items()}
    except _NoAnswerError as error:
        raise JobDefinitionError(file, str(error)) from error


def _lazy(value: Any) -> Iterator[Any]:
    if dask.is_dask_collection(value):
        yield value
    elif isinstance(value, (Mapping, list, tuple)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _lazy(item)


def _filled(value: Any, done: Mapping[int, Any]) -> Any:
    """The value with what has been computed in the place of what was lazy."""
    if isinstance(value, Mapping):
        return {name: _filled(item, done) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_filled(item, done) for item in value]
    return done.get(id(value), value)


def _plain(value: Any, where: str) -> Any:
    """The value as JSON can hold it; `where` names it in an error."""
    if isinstance(value, pd.DataFrame):
        return _rows(value, where)
    if isinstance(value, pd.Series):
        named = value.name is not None and value.name not in value.index.names
        return _rows(value.reset_index(name=value.name if named else "value"), where)
    if isinstance(value, Mapping):
        _check_names(value, where)
        return {str(name): _plain(item, f"{where}/{name}") for name, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray, pd.Index, pd.api.extensions.ExtensionArray)):
        return [_plain(item, f"{where}/{at}") for at, item in enumerate(value)]
    return _single(value, where)


def _rows(frame: Any, where: str) -> list[Any]:
    """The rows of a frame, its index among their fields where it tells more than their numbers."""
    if not isinstance(frame.index, pd.RangeIndex) or frame.index.name is not None:
        try:
            frame = frame.reset_index()
        except ValueError as error:
            raise _NoAnswerError(where, f"has an index that cannot be a column: {error}") from error
    _check_names(frame.columns, where)
    return [_plain(row, f"{where}/{at}") for at, row in enumerate(frame.to_dict("records"))]


def _check_names(names: Any, where: str) -> None:
    """Raise _NoAnswerError where two names are the same as text: one of them would be lost."""
    texts = [str(name) for name in names]
    twice = next((text for text in texts if texts.count(text) > 1), None) if len(set(texts)) < len(texts) else None
    if twice is not None:
        raise _NoAnswerError(where, f"has two names {twice!r}; allowed: every name once")


def _single(value: Any, where: str) -> Any:
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (str, int)):
        return value
    if isinstance(value, np.timedelta64):  # before the integers, which it is one of
        return _single(pd.Timedelta(value), where)
    if isinstance(value, np.datetime64):
        return _single(pd.Timestamp(value), where)
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, (float, np.floating, Decimal)):
        return number if math.isfinite(number := float(value)) else None
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (date, time)):
        return value.isoformat()
    raise _NoAnswerError(where, f"is {_named(value)}; allowed: {_ALLOWED}")


def _named(value: Any) -> str:
    return f"the {type(value).__name__} {show(value)}"
