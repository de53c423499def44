"""Damages the footers of the shipped Parquet files and reads them: each must be answered or refused by name.

    python -m tests.fuzz.footers [CASES A FILE] [SEED]

Each case is one to five changed bytes and runs in a child process of its own, because what is looked for is the end of
the process. Prints how the cases ended; exits with 1 if any ended badly: by a signal, an error that names no file, or
not at all.
"""

import os
import random
import resource
import signal
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from jobs import explore_trips
from jobs.runtime.answering import Asked, answer
from jobs.runtime.plan import make_plan
from jobs.runtime.storage import resolve
from jobspec import UnreadableFile
from tests.oracle.hostile_parquet import parquet
from tests.oracle.sheet import DATA, Sheet

SECONDS = 30  # after which a case has not ended at all
MEMORY = 8 * 2**30
FINE = ("answered", "refused by name")

Edits = list[tuple[int, int]]


def subjects(folder: Path) -> Iterator[Path]:
    """The shipped files, and one of many row groups."""
    yield from sorted(DATA.glob("*.parquet"))
    yield parquet(Sheet.real(rows=300).table(), folder / "yellow_tripdata_2018-01.parquet", row_group_size=60)


def damage(good: bytes, rng: random.Random) -> Edits:
    """A few bytes of the footer and what they become."""
    end = len(good) - 8
    start = end - int.from_bytes(good[-8:-4], "little")
    edits = []
    for _ in range(rng.choice([1, 1, 1, 2, 3, 5])):
        at = rng.randrange(start, end)
        edits.append((at, rng.choice([rng.randrange(256), good[at] ^ 1 << rng.randrange(8), 0, 0x7F, 0xFF])))
    return edits


def damaged(good: bytes, edits: Edits) -> bytes:
    raw = bytearray(good)
    for at, byte in edits:
        raw[at] = byte
    return bytes(raw)


def read(path: Path) -> str:
    """Explore the one file as a run does; how it ended."""
    params = explore_trips.Params(trips=[str(path)])
    asked = Asked(explore_trips.questions(params))
    try:
        for _, units in make_plan(resolve(params.trips), params).work():
            for unit in units:
                answer(unit, asked)
    except UnreadableFile as error:
        return "refused by name" if path.name in str(error) else f"refused without its name: {error}"
    except Exception as error:
        return f"an unnamed {type(error).__name__}"
    return "answered"


def in_a_child(path: Path) -> str:
    """How reading ended, or the process."""
    reader, writer = os.pipe()
    with warnings.catch_warnings(action="ignore"):
        child = os.fork()
    if not child:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        signal.alarm(SECONDS)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        os.write(writer, read(path).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as said:
        ended = said.read().decode()
    _, status = os.waitpid(child, 0)
    return f"ended by {signal.Signals(os.WTERMSIG(status)).name}" if os.WIFSIGNALED(status) else ended


def main(cases: int, seed: int) -> int:
    rng = random.Random(seed)
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for subject in subjects(Path(folder)):
            good = subject.read_bytes()
            path = Path(folder) / f"damaged-{subject.name}"
            path.write_bytes(good)
            read(path)  # whatever is loaded late is loaded once, before the children
            found: Counter[str] = Counter()
            for _ in range(cases):
                edits = damage(good, rng)
                path.write_bytes(damaged(good, edits))
                ended = in_a_child(path)
                found[ended] += 1
                if ended not in FINE:
                    bad += 1
                    if found[ended] == 1:
                        print(f"{subject.name} {edits}: {ended}", flush=True)
            print(
                f"{subject.name}: " + ", ".join(f"{count:,} {ended}" for ended, count in found.most_common()),
                flush=True,
            )
    return 1 if bad else 0


if __name__ == "__main__":
    cases, seed = [*map(int, sys.argv[1:]), *(2000, 1)[len(sys.argv) - 1 :]]
    sys.exit(main(cases, seed))
