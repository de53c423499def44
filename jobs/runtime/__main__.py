"""The container's role `client`: `python -m jobs.runtime --spec s3://... --results s3://...`.

Logs lines of JSON on standard error and ends with the exit code of `docs/generated/errors.md`: 0 done, 2 bad spec or
place for results, 3 bad data, 4 out of memory, 5 lost workers, 143 cancelled by SIGTERM, 130 by SIGINT, 1 anything
else. What went wrong is also on standard output, as is the outcome of a run that went well, and in the run's folder as
`error.json`: from the beginning where the run's id is given, else from when its inputs are found, which give it its id.
"""

import argparse
import json
import logging
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from jobs.runtime.cancelling import cancellable
from jobs.runtime.memory import keep_freed
from jobspec import Cancelled, DispatchError, Interrupted, as_dispatch_error, parse_spec, state_after


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the spec that the arguments name; returns the exit code."""
    keep_freed()
    options = _parser().parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    try:
        with cancellable():
            outcome = _run(options)
    except DispatchError as error:
        return _failed(error)
    except Exception as error:
        logging.getLogger(__name__).exception("the run failed for a reason that has no name")
        return _failed(as_dispatch_error(error))
    return _report({"run_id": outcome.run_id, "state": outcome.state, "result": outcome.result_path}, 0)


def _run(options: argparse.Namespace) -> Any:
    from jobs import JOBS
    from jobs.runtime.progress import json_lines
    from jobs.runtime.run import give_up, given_folder, run_spec
    from jobs.runtime.storage import read_document

    folder = None if options.run_id is None else given_folder(options.results, options.run_id)
    try:
        spec = parse_spec(read_document(options.spec), JOBS)
    except Exception as error:
        give_up(folder, error)
        raise
    return run_spec(
        spec,
        results=options.results,
        inputs=options.inputs,
        run_id=options.run_id,
        scheduler=options.scheduler,
        workers=options.workers,
        start_seconds=options.start_seconds,
        progress=json_lines(sys.stderr),
    )


def _failed(error: DispatchError) -> int:
    told = {"run_id": error.run_id, "state": state_after(error), "error": error.as_problem()}
    return _report(told, error.exit_code)


def _report(outcome: dict[str, Any], exit_code: int) -> int:
    sys.stdout.write(json.dumps({"exit_code": exit_code} | outcome, default=str) + "\n")
    sys.stdout.flush()
    return exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m jobs.runtime", description="Run one spec to its result.")
    parser.add_argument("--spec", required=True, help="the spec: a local path or s3://")
    parser.add_argument("--results", required=True, help="where runs/<run id>/ is written: a folder or s3:// prefix")
    parser.add_argument("--run-id", help="the run's id; the work's next attempt if not given")
    parser.add_argument(
        "--inputs", help="the pinned inputs, a JSON list of {uri, bytes, etag}; found anew if not given"
    )
    parser.add_argument("--scheduler", help="address of the Dask scheduler; this machine alone if not given")
    parser.add_argument("--workers", type=int, help="how many workers to claim, or worker processes to start")
    parser.add_argument("--start-seconds", type=float, default=300.0, help="how long to wait for workers")
    return parser


def leave(code: int) -> NoReturn:
    """End the process with this exit code."""
    if code in (Cancelled.exit_code, Interrupted.exit_code):
        os._exit(code)  # everything is tidied up; a thread in the midst of a slow read would hold up the exit
    sys.exit(code)


if __name__ == "__main__":
    leave(main())
