"""One contender in a process of its own: `python -m benchmarks.contender NAME CORES`, then requests on standard input.

A request is `KIND PATTERN` a line: the suite is answered over those files, and the sheet goes out as a line of JSON.
Before the first request a line tells the ids of its worker processes. `--once KIND PATTERN` answers one and ends.
"""

import sys
from importlib import import_module
from pathlib import Path

# name: module, function
CONTENDERS = {
    "dispatch-workers": ("ours", "workers"),
    "dispatch-threads": ("ours", "threads"),
    "dispatch-published": ("ours", "published"),
    "duckdb-table": ("duck", "table"),
    "duckdb-scans": ("duck", "scans"),
    "polars": ("polars_lazy", "lazy"),
    "dask-frame": ("dask_frame", "frames"),
    "article": ("article", "steps"),
}


def main(name: str, cores: str, *once: str) -> None:
    module, function = CONTENDERS[name]
    with getattr(import_module(f"benchmarks.{module}"), function)(int(cores)) as (explore, workers):
        if once:
            explore(once[1], files(once[2]))
            return
        import json

        print(json.dumps(workers), flush=True)
        for line in sys.stdin:
            kind, pattern = line.rstrip("\n").split(" ", 1)
            print(json.dumps(explore(kind, files(pattern))), flush=True)


def files(pattern: str) -> list[str]:
    """The files that a pattern names; only its last part may hold wildcards."""
    path = Path(pattern)
    return sorted(map(str, path.parent.glob(path.name)))


if __name__ == "__main__":
    main(*sys.argv[1:])
