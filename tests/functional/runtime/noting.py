"""Tasks that leave notes of when they were run, for workers in other processes to import."""

import time
from collections import Counter
from pathlib import Path


def noted(folder: str, key: int, seconds: float) -> bytes:
    """A task that leaves a line when it begins and one when it ends."""
    with Path(folder, "begun").open("a") as file:
        file.write(f"{key}\n")
    time.sleep(seconds)
    with Path(folder, "ended").open("a") as file:
        file.write(f"{key}\n")
    return bytes([key]) * 100_000


def counts(folder: Path, what: str) -> Counter[int]:
    path = folder / what
    return Counter(map(int, path.read_text().split())) if path.exists() else Counter()


def held_up(folder: str, key: int) -> None:
    """A task that ends when it is let go."""
    with Path(folder, "begun").open("a") as file:
        file.write(f"{key}\n")
    while not Path(folder, "go").exists():
        time.sleep(0.02)


def let_go(folder: Path) -> None:
    (folder / "go").touch()
