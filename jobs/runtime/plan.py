"""From paths to units of work: every file is found, pinned, looked at once, and cut."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from jobs.runtime import csv_files, parquet_files
from jobs.runtime.storage import open_source, scheme_of
from jobs.runtime.tripfile import TripFile, Unit, colour, inspect
from jobs.trips import Taxi, TripParams
from jobspec import InputFile, UnreadableFile


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
    """Look at every input. Raises UnreadableFile (or skips, as asked), MixedTaxis, InputChanged, InputUnavailable."""
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
    return Plan(files, colour(files, params.taxi), skipped)


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
