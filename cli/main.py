"""`dispatch`: the command line."""

import json
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

import click

from jobspec import DispatchError, Interrupted, UnreadableFile, as_dispatch_error, state_after

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


def failing_clearly(command: Callable[..., Any]) -> Callable[..., Any]:
    """End with the error's own exit code and words; with `--json` the error is the last line on standard output."""

    @wraps(command)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # held back since cli.start
            return command(*arguments, **options)
        except DispatchError as error:
            problem: DispatchError = error
        except KeyboardInterrupt:
            problem = Interrupted("interrupted")
        except (click.ClickException, BrokenPipeError):
            raise
        except Exception as error:
            if not isinstance(error, OSError):  # a path that cannot be written to is nobody's bug
                traceback.print_exc()
            problem = as_dispatch_error(error)
        if options.get("as_json"):
            failed = {"run_id": problem.run_id, "state": state_after(problem), "result": None}
            click.echo(json.dumps(failed | {"error": problem.as_problem()}, default=str))
        click.echo(f"dispatch: {problem}", err=True)
        if isinstance(problem, UnreadableFile):
            click.echo('Name the files of trips more closely, or say "on_bad_file": "skip" in the params.', err=True)
        return sys.exit(problem.exit_code)

    return wrapped


@click.group(context_settings=CONTEXT)
@click.version_option(package_name="dispatch-jobs", prog_name="dispatch")
def main() -> None:
    """Run data jobs from a spec to a report."""


@main.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@failing_clearly
def jobs(name: str | None, as_json: bool) -> None:
    """List the jobs of the catalogue, or describe the one called NAME."""
    from cli import catalogue

    click.echo(catalogue.one(name, as_json) if name else catalogue.every(as_json))


@main.command()
@click.argument("spec")
@click.option("--json", "as_json", is_flag=True, help="Print the canonical spec as JSON.")
@failing_clearly
def validate(spec: str, as_json: bool) -> None:
    """Check SPEC, a path, an s3:// address or - for standard input, and name everything that is wrong with it."""
    from jobspec import shown_spec

    parsed = _parse(spec)
    click.echo(json.dumps(shown_spec(parsed), indent=2) if as_json else f"{spec}: a good spec of {parsed.job}")


@main.command()
@click.argument("spec")
@click.option("--results", required=True, metavar="DIR_OR_S3", help="Where the run leaves its folder runs/<run id>/.")
@click.option("--workers", type=click.IntRange(1, 1000), help="Worker processes; default: what fits run and machine.")
@click.option("--scheduler", metavar="ADDR", help="Run on the Dask cluster of this scheduler, such as tcp://host:8786.")
@click.option("--report/--no-report", default=True, help="Write report.html, plots and the Dask report (default: yes).")
@click.option("--json", "as_json", is_flag=True, help="Print nothing but one JSON object: run_id, state, result.")
@failing_clearly
def run(spec: str, results: str, workers: int | None, scheduler: str | None, report: bool, as_json: bool) -> None:
    """Run SPEC, a path, an s3:// address or - for standard input, here and now. Exits with 0 only if it succeeded."""
    from jobs.runtime.cancelling import cancellable

    with cancellable():
        parsed = _parse(spec)
        from cli import showing
        from jobs.runtime.run import run_spec

        with showing.progress(quiet=as_json) as progress:
            outcome = run_spec(
                parsed, results=results, workers=workers, scheduler=scheduler, report=report, progress=progress
            )
    if as_json:
        last = {"run_id": outcome.run_id, "state": outcome.state, "result": outcome.result_path}
        click.echo(json.dumps(last))
    else:
        showing.outcome(outcome)


ENV = click.option("--env", "environment", default="dev", show_default=True, help="Section of samconfig.toml.")
BUILDER = click.option(
    "--builder",
    type=click.Choice(["docker", "codebuild"]),
    help="Who builds the image; default: docker where it is installed.",
)


@main.command()
@ENV
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@failing_clearly
def doctor(environment: str, as_json: bool) -> None:
    """Check credentials, quotas, roles, stack and image, and say what to do. Exits with 0 only if all is well."""
    from cli.doctor import doctor
    from cli.stage import stage

    sys.exit(0 if doctor(stage(environment), as_json) else 1)


@main.command()
@ENV
@BUILDER
@click.option("--tag", help="Tag of the image; default: this commit.")
@failing_clearly
def image(environment: str, builder: str | None, tag: str | None) -> None:
    """Build the image of this commit and push it, unless it is there."""
    from cli.deploying import Deployment, default_builder, tag_of_this_commit
    from cli.stage import stage

    Deployment(stage(environment), tag or tag_of_this_commit(), builder or default_builder()).image()


@main.command()
@ENV
@BUILDER
@click.option("--tag", help="Tag of the image; default: this commit.")
@click.option("--force", is_flag=True, help="Do not wait for runs that have workers: they fail.")
@click.option("--yes", is_flag=True, help="Do not ask, where samconfig.toml says confirm_changeset.")
@failing_clearly
def deploy(environment: str, builder: str | None, tag: str | None, force: bool, yes: bool) -> None:
    """Deploy what `make build` has built: image, drain, stack. The first deploy makes the stack before the image."""
    from cli.deploying import Deployment, default_builder, interruptible, tag_of_this_commit
    from cli.stage import stage

    found = stage(environment)
    if yes:
        found = replace(found, asks=False)
    with interruptible():
        Deployment(found, tag or tag_of_this_commit(), builder or default_builder(), force).deploy()


@main.command()
@ENV
@click.option("--yes", is_flag=True, help="Do not ask.")
@failing_clearly
def destroy(environment: str, yes: bool) -> None:
    """Delete a stack with all its specs, results and images. Runs that are under way are stopped."""
    from cli.destroying import Removal
    from cli.stage import stage

    found = stage(environment)
    if not yes:
        click.confirm(f"Delete {found.stack} in {found.region} with all its specs, results and images?", abort=True)
    gone = Removal.of(found).destroy()
    click.echo(f"{found.stack} is gone" if gone else f"there is no {found.stack} in {found.region}")


@main.command()
@click.option("--stack", required=True, metavar="NAME", help="The name of the CloudFormation stack.")
@click.option("--force", is_flag=True, help="Do not wait for runs that have workers.")
@failing_clearly
def drain(stack: str, force: bool) -> None:
    """Let no run have workers any more, and wait for those that have some; runs that wait go on waiting."""
    from cli import draining

    draining.drain(stack, force)


@main.command()
@click.option("--stack", required=True, metavar="NAME", help="The name of the CloudFormation stack.")
@failing_clearly
def resume(stack: str) -> None:
    """Let runs have workers again. Those that wait get theirs within five minutes."""
    from cli import draining

    draining.resume(stack)


def _parse(spec: str) -> Any:
    from jobs import JOBS
    from jobspec import parse_spec

    return parse_spec(_read(spec), JOBS)


def _read(spec: str) -> bytes:
    if spec == "-":
        return sys.stdin.buffer.read()
    from jobs.runtime.storage import read_document

    return read_document(spec)
