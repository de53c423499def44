"""Files of trips answered as a run answers them, unit by unit, but cut and merged as the test pleases."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jobs import explore_trips, profile_trips, trip_duration
from jobs.questions import Question
from jobs.runtime import csv_bytes, csv_files, finishing, parquet_files
from jobs.runtime.answering import Asked, answer, file_tally
from jobs.runtime.plan import Plan, make_plan
from jobs.runtime.storage import resolve
from jobs.runtime.tally import Tally, merged
from jobs.runtime.tripfile import TripFile, Unit
from jobs.trips import TripParams

Merge = Callable[[list[Tally], Asked], list[Tally]]


def in_order(tallies: list[Tally], asked: Asked) -> list[Tally]:
    """No merging before the end."""
    return tallies


@dataclass(frozen=True)
class Cut:
    """How the files are split and the tallies of the units merged."""

    unit_bytes: int = csv_files.UNIT_BYTES
    block_bytes: int = csv_bytes.BLOCK_BYTES
    unit_rows: int = parquet_files.UNIT_ROWS
    head_bytes: int = csv_files.HEAD_BYTES  # what is looked at before: no quote in there, and the file is cut
    merge: Merge = in_order

    def units(self, file: TripFile) -> list[Unit]:
        if file.format == "empty":
            return []
        if file.format == "parquet":
            return list(parquet_files.units(file, self.unit_rows))
        return list(csv_files.units(file, self.unit_bytes))


WHOLE = Cut()


def every_question(params: TripParams) -> dict[str, Question]:
    """All that the exploration asks, and what only single jobs ask."""
    explored = explore_trips.questions(explore_trips.Params(trips=params.trips, keep=params.keep, top=3))
    return {**profile_trips.questions(params), **trip_duration.questions(params), **explored}  # type: ignore[arg-type]


def planned(paths: Sequence[Path], keep: str = "plausible") -> tuple[Plan, Asked]:
    params = TripParams(trips=[str(path) for path in paths], keep=keep)  # type: ignore[arg-type]
    return make_plan(resolve(params.trips), params), Asked(every_question(params), params.keeps_all)


def tally_of(plan: Plan, asked: Asked, cut: Cut = WHOLE) -> Tally:
    """The tally of all files."""
    files = []
    for file in plan.files:
        answered = [answer(unit, asked) for unit in cut.units(file)]
        files.append(file_tally(file, cut.merge(answered, asked), asked))
    return merged(cut.merge(files, asked), asked.questions)


def told(paths: Sequence[Path], cut: Cut = WHOLE, keep: str = "plausible") -> dict[str, Any]:
    """Answers and quality of the files; raises what a run raises."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_bytes, "BLOCK_BYTES", cut.block_bytes)
        patch.setattr(csv_files, "HEAD_BYTES", cut.head_bytes)
        plan, asked = planned(paths, keep)
        tally = tally_of(plan, asked, cut)
    finishing.check_whole(tally, plan)
    return {"answers": finishing.answers(tally, asked, plan), "quality": finishing.quality(tally, asked, plan)}


def printed(paths: Sequence[Path], cut: Cut = WHOLE, keep: str = "plausible") -> str:
    """The same as bytes that can be compared."""
    return json.dumps(told(paths, cut, keep), allow_nan=False)
