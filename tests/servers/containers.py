"""The image's roles as processes on loopback, with the environment that ECS would give them."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

KEPT = ("PATH", "HOME", "LANG", "TMPDIR")  # of this process's environment: a container has nothing else of it


class Container:
    """A process that logs lines of JSON."""

    def __init__(
        self,
        role: str,
        *arguments: str,
        python: str | Path = sys.executable,
        folder: Path | None = None,
        **environment: str,
    ) -> None:
        self.lines: list[dict[str, Any]] = []
        self.unreadable: list[str] = []
        self.process = subprocess.Popen(
            [str(python), "-m", "jobs.runtime.container", role, *arguments],
            cwd=folder,
            env={name: os.environ[name] for name in KEPT if name in os.environ} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            try:
                self.lines.append(json.loads(line))
            except ValueError:
                self.unreadable.append(line)

    def events(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line.get("event") == event]

    def wait_for(self, event: str, seconds: float = 240.0) -> dict[str, Any]:
        """The first line of that event."""
        deadline = time.monotonic() + seconds
        while not self.events(event):
            assert self.process.poll() is None or self._reader.is_alive(), self.told()
            assert time.monotonic() < deadline, f"no {event} within {seconds:g} s: {self.told()}"
            time.sleep(0.02)
        return self.events(event)[0]

    def stop(self) -> None:
        """What ECS does when it wants the task to end."""
        self.process.send_signal(signal.SIGTERM)

    def ended(self, seconds: float = 240.0) -> int:
        """The exit code, once it has ended."""
        code = self.process.wait(seconds)
        self._reader.join(5)
        return code

    def told(self) -> str:
        said = (f"{line['message']}\n{line.get('exception', '')}" for line in self.lines if "message" in line)
        return "\n".join([*said, *self.unreadable])


@contextmanager
def container(role: str, *arguments: str, **options: Any) -> Iterator[Container]:
    """A role that is killed at the end if it has not ended by then."""
    started = Container(role, *arguments, **options)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.process.terminate()
            try:
                started.process.wait(20)
            except subprocess.TimeoutExpired:
                started.process.kill()
                started.process.wait()
