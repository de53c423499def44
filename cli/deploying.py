"""`dispatch image` and `dispatch deploy`: in which order a stack, its image and its runs are dealt with.

The first deploy makes the stack before its image, because the repository is part of the stack. Every later one builds
the image first, then drains: no run gets workers any more, and those that have some end. None of these is lost; one
that waited goes on after the deploy, and is told that its version is gone. What asks a question asks it before that.
"""

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

import click

from cli.cloud.images import Images
from cli.cloud.stacks import Stack, Stacks
from cli.cloud.tasks import Tasks
from cli.stage import Stage
from functions.core.runs import now
from jobspec import DispatchError, Refused

BUILT = ".aws-sam/build/template.yaml"
SAM = ".venv-sam/bin/sam"
KEPT_IMAGES = 3
"""Images of so many deploys stay: the one that runs, and those that runs which waited began with."""
NEW_IMAGES = timedelta(days=1)
"""Images younger than that stay too: somebody may be about to deploy one."""


class Step(Enum):
    """One step of a deploy."""

    MAKE_STACK = "make the stack, with no tasks"
    BUILD_IMAGE = "build the image, unless it is there"
    PREVIEW = "show what changes, and ask"
    DRAIN = "wait for the runs that have workers"
    UPDATE_STACK = "deploy"
    RESUME = "let runs have workers again"
    TIDY = "delete the images that nobody runs any more"


def steps(stack: Stack | None, asks: bool = False) -> tuple[Step, ...]:
    """What to do with the stack as it is. Raises Refused for one that cannot be deployed to."""
    if stack is None:
        return Step.MAKE_STACK, Step.BUILD_IMAGE, Step.UPDATE_STACK
    if stack.status.endswith("_IN_PROGRESS"):
        raise Refused(f"{stack.name} is {stack.status}: wait until that has ended, then deploy again")
    if stack.status == "UPDATE_ROLLBACK_FAILED":
        raise Refused(f"{stack.name} is {stack.status}: {roll_back_command(stack.name)}, then deploy again")
    if stack.status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"):
        raise Refused(f"{stack.name} is {stack.status}: delete it (`make destroy`), then deploy again")
    if stack.parameters.get("Bootstrap") == "true":  # the first deploy stopped half-way
        return Step.BUILD_IMAGE, Step.UPDATE_STACK
    preview = (Step.PREVIEW,) if asks else ()
    return Step.BUILD_IMAGE, *preview, Step.DRAIN, Step.UPDATE_STACK, Step.RESUME, Step.TIDY


def roll_back_command(stack: str) -> str:
    """What ends a rollback that stopped half-way, once what stopped it is mended."""
    return f"`aws cloudformation continue-update-rollback --stack-name {stack}`"


def outlived(pushed: Mapping[str, datetime], deployed: Sequence[str], moment: datetime) -> list[str]:
    """The tags, with when their images were pushed, that no deploy in `deployed` is of, and that nobody waits for."""
    return sorted(tag for tag, at in pushed.items() if tag not in deployed and moment - at > NEW_IMAGES)


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGTERM and SIGHUP, of a closed terminal, interrupt as Ctrl-C does: what was drained is let go on again."""
    numbers = [each for each in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(each) is not signal.SIG_IGN]
    before = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


Run = Callable[..., bytes]
"""Runs a command: `run(command, stdin=b"")` returns its standard output. Raises DispatchError if it fails."""


def shell(command: Sequence[str], stdin: bytes | None = None, quiet: bool = False) -> bytes:
    """Run a command; what it prints is returned if `quiet`, else shown. Raises DispatchError if it fails."""
    try:
        ended = subprocess.run(command, input=stdin, stdout=subprocess.PIPE if quiet else None, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as error:
        raise DispatchError(f"`{' '.join(command[:3])} ...` failed: {error}") from error
    return ended.stdout or b""


@dataclass(frozen=True)
class Deployment:
    """A commit on its way to a stage."""

    stage: Stage
    tag: str
    builder: str  # docker or codebuild
    force: bool = False  # do not wait for runs: their workers go, and they fail
    run: Run = shell
    stacks: Callable[[str], Any] = Stacks
    images: Callable[[str, str], Any] = Images
    tasks: Callable[[str], Any] = Tasks
    build: Callable[..., None] | None = None
    ask: Callable[[str], bool] = click.confirm

    def deploy(self) -> None:
        """All steps, in their order. Runs may have workers again however the deploy ends.

        But for one that was interrupted in mid-update: CloudFormation goes on, and would take workers away.
        """
        todo = steps(self._find(), self.stage.asks)
        click.echo(f"{self.stage.stack}, {self.tag}: {', '.join(step.value for step in todo)}")
        drained = False
        try:
            for step in todo:
                click.echo(f"-- {step.value}")
                drained = drained or step is Step.DRAIN
                self._do(step)
                drained = drained and step is not Step.RESUME
        except BaseException:
            if drained:
                self._let_go_on()
            raise

    def image(self) -> None:
        """Build and push the image of our tag, unless it is there. Raises Refused without a stack."""
        stack, repository = self._with_repository()
        images = self.images(self.stage.region, repository)
        if images.has(self.tag):
            click.echo(f"{repository}:{self.tag} is there")
        elif self.builder == "docker":
            self._docker(repository, images.password())
        else:
            self._codebuild(stack.outputs)

    def _do(self, step: Step) -> None:
        match step:
            case Step.MAKE_STACK:
                self._sam_deploy(bootstrap=True)
            case Step.PREVIEW:
                self._sam_deploy(bootstrap=False, options=["--no-execute-changeset"])
                if not self.ask(f"Deploy that to {self.stage.stack}?"):
                    raise Refused(f"{self.stage.stack} stays as it is")
            case Step.UPDATE_STACK:
                self._sam_deploy(bootstrap=False)
            case Step.BUILD_IMAGE:
                self.image()
            case Step.DRAIN:
                self._ours("drain", *(["--force"] if self.force else []))
            case Step.RESUME:
                self._ours("resume")
            case Step.TIDY:
                self._tidy()

    def _find(self) -> Stack | None:
        found: Stack | None = self.stacks(self.stage.region).find(self.stage.stack)
        return found

    def _with_repository(self) -> tuple[Stack, str]:
        """The stack, and its repository's address. Raises Refused where there is none."""
        stack = self._find()
        if stack is None or "Repository" not in stack.outputs:
            raise Refused(f"{self.stage.stack} has no repository yet: `make deploy ENV={self.stage.name}` makes it")
        return stack, stack.outputs["Repository"]

    def _let_go_on(self) -> None:
        stack = self._find()
        if stack is not None and stack.status.endswith("_IN_PROGRESS"):
            told = f"{stack.name} is {stack.status} still, and drained: when that has ended, "
            click.echo(f"{told}`dispatch resume --stack {stack.name}`, or deploy again", err=True)
        else:
            self._do(Step.RESUME)

    def _tidy(self) -> None:
        region, (stack, repository) = self.stage.region, self._with_repository()
        images = self.images(region, repository)
        deployed = [self.tag, *self.tasks(region).tags(f"{stack.name}-client", KEPT_IMAGES)]
        tags = outlived(images.pushed(), deployed, now())
        images.delete(tags)
        click.echo(f"deleted {', '.join(tags) or 'none'}")

    def _ours(self, command: str, *options: str) -> None:
        ours = [str(Path(sys.executable).with_name("dispatch")), command, "--stack", self.stage.stack, *options]
        self.run(["env", f"AWS_DEFAULT_REGION={self.stage.region}", *ours])

    def _sam_deploy(self, bootstrap: bool, options: Sequence[str] = ()) -> None:
        parameters = {**self.stage.parameters, "ImageTag": self.tag, "Bootstrap": str(bootstrap).lower()}
        overrides = [f"{name}={value}" for name, value in parameters.items()]
        stage = ["--config-env", self.stage.name, "--stack-name", self.stage.stack, "--region", self.stage.region]
        asked = ["--no-confirm-changeset", *options]  # sam would ask while the stack is drained
        self.run([SAM, "deploy", "--template-file", BUILT, *stage, *asked, "--parameter-overrides", *overrides])

    def _docker(self, repository: str, password: bytes) -> None:
        registry = repository.split("/", 1)[0]
        self.run(["docker", "login", "--username", "AWS", "--password-stdin", registry], stdin=password)
        image = f"{repository}:{self.tag}"
        self.run(["docker", "build", "--platform", self.stage.platform, "--tag", image, "."])
        self.run(["docker", "push", image])

    def _codebuild(self, outputs: Mapping[str, str]) -> None:
        source = self.run(["git", "archive", "--format=zip", "HEAD"], quiet=True)
        if self.build is not None:
            build = self.build
        else:
            from cli.cloud.builds import Builds

            build = Builds(self.stage.region).build
        build(outputs["ImageBuild"], outputs["SpecsBucket"], source, self.tag, self.stage.platform)


def tag_of_this_commit(run: Run = shell) -> str:
    """The tag of the image of what is checked out. Raises Refused while there are changes that no commit holds."""
    if run(["git", "status", "--porcelain"], quiet=True).strip():
        raise Refused("commit your changes first: the tag of an image names a commit, and never moves")
    return run(["git", "rev-parse", "--short=12", "HEAD"], quiet=True).decode().strip()


def default_builder() -> str:
    """Docker where it is, else CodeBuild."""
    return "docker" if shutil.which("docker") else "codebuild"
