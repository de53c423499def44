"""Partials of drawn trips, by the compiled loops."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jobs.questions import Question
from jobs.runtime.canonical import Scratch
from jobs.runtime.fillers import filler
from tests.unit.runtime.drawn import Row, batch_of


def partials(
    questions: Mapping[str, Question], batches: Sequence[Sequence[Row]], masks: Sequence[Sequence[int]] | None = None
) -> dict[str, Any]:
    """The partial of each question, as a unit of several batches makes it; the masks say which trips count."""
    fillers, scratch = {name: filler(question) for name, question in questions.items()}, Scratch()
    for at, rows in enumerate(batches):
        batch = batch_of(rows, scratch)
        counting = batch.everyone if masks is None else np.array(masks[at], np.uint8)
        for name, question in questions.items():
            where = question.where
            chosen = counting
            if where.value is not None:
                chosen = batch.among(where.value, where.at_least, where.at_most, counting)
            fillers[name].update(batch, chosen)
    return {name: filling.partial() for name, filling in fillers.items()}


def filled(question: Question, batches: Sequence[Sequence[Row]]) -> Any:
    """The partial of one question."""
    return partials({"": question}, batches)[""]
