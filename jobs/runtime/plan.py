"""From paths to units of work: every file is found, pinned, looked at once, and cut."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from jobs.runtime import csv_files, parquet_files
from jobs.runtime.storage import open_source, scheme_of
from jobs.runtime.tripfile import TripFile, Unit, colour, inspect
from jobs.trips import Taxi, TripParams
from jobspec import DataError, InputFile, UnreadableFile

_NAMED = 3  # files that the error names of which none could be read


@dataclass(frozen=True)
class Plan:
    """What a run will read."""

    files: tuple[TripFile, ...]
    taxi: Taxi
    skipped: dict[str, str]  # files that could not be read already now, and why

    @property
    def trips(self) -> int:
        """How many trips, about."""
        return sum(file.trips for file in self.files)

    def work(self) -> list[tuple[TripFile, list[Unit]]]:
        """Every file with its units; files without trips have none."""
        return [(file, list(units_of(file))) for file in self.files]


def make_plan(inputs: Sequence[InputFile], params: TripParams) -> Plan:
    """Look at every input. Raises UnreadableFile (or skips, as asked), MixedTaxis, InputChanged, InputUnavailable.

    Raises DataError where every file is skipped.
    """
    remote = any(scheme_of(pinned.uri) != "file" for pinned in inputs)
    if remote and len(inputs) > 1:
        with ThreadPoolExecutor(16) as pool:
            looks = list(pool.map(_look, inputs))
    else:
        looks = [_look(pinned) for pinned in inputs]
    skipped = {}
    for look in looks:
        if isinstance(look, UnreadableFile):
            if params.on_bad_file == "fail":
                raise look
            skipped[look.uri] = look.reason
    files = tuple(look for look in looks if isinstance(look, TripFile))
    plan = Plan(files, colour(files, params.taxi), skipped)
    check_any_read(plan, {})
    return plan


def check_any_read(plan: Plan, skipped: Mapping[str, str]) -> None:
    """Raise DataError where no file is left: what was `skipped` in the run, by file, with what was in the plan."""
    refused = sorted({**plan.skipped, **skipped}.items())
    if not refused or any(file.uri not in skipped for file in plan.files):
        return
    said = [f"{uri}: {reason}" for uri, reason in refused[:_NAMED]]
    more = [f"and {len(refused) - _NAMED:,} more"] if len(refused) > _NAMED else []
    raise DataError(f"none of the files can be read, and on_bad_file: skip leaves none: {'; '.join(said + more)}")


def _look(pinned: InputFile) -> TripFile | UnreadableFile:
    try:
        with open_source(pinned) as source:
            return inspect(source, pinned)
    except UnreadableFile as error:
        return error


def units_of(file: TripFile) -> Iterable[Unit]:
    """The file's units, in order."""
    if file.format == "empty":
        return ()
    return parquet_files.units(file) if file.format == "parquet" else csv_files.units(file)
