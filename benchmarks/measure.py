"""Contenders in processes of their own, and what is measured of them: wall time and private memory."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from benchmarks.sheet import Sheet

ROOT = Path(__file__).parent.parent
CORES = 2  # what the targets are stated for; a larger machine is narrowed to as many
SAMPLE_SECONDS = 0.01


class Child:
    """A contender in a process that stays up and answers whenever it is asked to."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._process = subprocess.Popen(
            contender(name), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        # Read to the end in the background, so that a talkative child never waits for a full pipe.
        self._said: list[str] = []
        threading.Thread(target=lambda: self._said.extend(self._process.stderr or ()), daemon=True).start()

    def wait_until_up(self) -> None:
        """To be called once, before anything is asked; from then on `pids` are the processes that do the work."""
        self.pids: list[int] = self._read()

    def sheet(self, kind: str, pattern: str) -> Sheet:
        """The answers over those files."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{kind} {pattern}\n")
        self._process.stdin.flush()
        answers: Sheet = self._read()
        return answers

    def seconds(self, kind: str, pattern: str) -> float:
        """How long the answers take."""
        begun = time.perf_counter()
        self.sheet(kind, pattern)
        return time.perf_counter() - begun

    def close(self) -> None:
        """Ask the process to end, by the end of its requests."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def wait(self) -> None:
        """Wait until it has ended."""
        self._process.wait(timeout=60)

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait(timeout=60)
            raise SystemExit(f"{self.name} ended early:\n{''.join(self._said)[-4000:]}")
        return json.loads(line)


def contender(name: str, *once: str) -> list[str]:
    """The command that runs a contender: asked line by line, or once."""
    return [sys.executable, "-W", "ignore", "-m", "benchmarks.contender", name, str(CORES), *once]


def process_seconds(command: list[str]) -> float:
    """How long a process takes from start to exit; SystemExit with what it said where it fails."""
    begun = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    took = time.perf_counter() - begun
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return took


@contextmanager
def peak_private_memory(pids: list[int]) -> Iterator[list[int]]:
    """Samples the processes while it is open; then the list holds the most bytes that any had to itself (USS)."""
    processes = [psutil.Process(pid) for pid in pids]
    peaks = [0] * len(pids)
    stop = threading.Event()

    def sample() -> None:
        while not stop.wait(SAMPLE_SECONDS):
            for at, process in enumerate(processes):
                peaks[at] = max(peaks[at], process.memory_full_info().uss)

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        yield peaks
    finally:
        stop.set()
        sampler.join()


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    from importlib.metadata import version
    from platform import machine, python_version

    info = Path("/proc/cpuinfo")
    models = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    packages = ("dask", "numba", "numpy", "pandas", "pyarrow", "duckdb", "polars")
    return {
        "cores": CORES,
        "cpu": models[0] if models else machine(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "versions": {"python": python_version(), **{name: version(name) for name in packages}},
    }
