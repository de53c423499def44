"""The entry point of `dispatch`: starts and ends fast, and leaves everything else to `cli.main`.

Most of a short run is the loading of modules, which makes hundreds of thousands of objects that live to the end. To
look for garbage among them while they load, and to take them down one by one at the end, would be half of that time.
"""

import contextlib
import gc
import os
import signal
import sys

ALLOCATIONS_BETWEEN_COLLECTIONS = 200_000


def main() -> None:
    """Run the command line, and leave without taking the interpreter down: by then everything is closed and written."""
    gc.set_threshold(ALLOCATIONS_BETWEEN_COLLECTIONS, 20, 20)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # else it looks for them in every installed package
    # Ctrl-C waits until there is somebody to answer it: see cli.main.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    from cli.main import main as commands
    from jobspec import JobDefinitionError

    with contextlib.suppress(JobDefinitionError):  # a command that needs the jobs raises it again, and tells of it
        from jobs.runtime.memory import keep_freed

        keep_freed()

    try:
        commands()
    except SystemExit as end:
        if end.code is not None and not isinstance(end.code, int):
            raise
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code or 0)
