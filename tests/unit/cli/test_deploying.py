"""In which order a stack, its image and its runs are dealt with; and what happens when a step fails."""

import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.cloud.stacks import Stack
from cli.deploying import KEPT_IMAGES, Deployment, Step, interruptible, outlived, steps, tag_of_this_commit
from cli.stage import Stage, stage
from jobspec import DispatchError, NotFound, Refused

STAGE = Stage("dev", "dispatch-dev", "eu-west-1", {"MaxWorkers": "20", "Architecture": "X86_64"})
OUTPUTS = {"Repository": "1.ecr/dispatch-dev-repository", "ImageBuild": "project", "SpecsBucket": "specs"}
STACK = Stack("dispatch-dev", "UPDATE_COMPLETE", OUTPUTS, {"Bootstrap": "false"})


@dataclass
class Account:
    """An account in which deploys succeed until told otherwise."""

    stack: Stack | None = None
    images: set[str] = field(default_factory=set)
    log: list[str] = field(default_factory=list)
    failing: str = "nothing"
    status: str = "UPDATE_COMPLETE"  # after a command that failed
    answer: bool = True
    deployed: tuple[str, ...] = ()  # tags of the client's revisions, newest first

    def run(self, command: Sequence[str], stdin: bytes | None = None, quiet: bool = False) -> bytes:
        words = [word for word in command if not word.startswith("AWS_DEFAULT_REGION")]
        entry = {
            ".venv-sam/bin/sam": "sam deploy "
            + " ".join(w for w in words if w.startswith(("Bootstrap", "ImageTag", "--no-ex"))),
            "docker": " ".join(words[:2]),
            "git": " ".join(words[:2]),
            "env": " ".join(words[2:]),
        }[words[0]]
        self.log.append(entry)
        assert "sam" not in words[0] or "--no-confirm-changeset" in words, "sam would ask while the stack is drained"
        if self.failing in entry:
            self.stack = self.stack and replace(self.stack, status=self.status)
            raise DispatchError(f"{entry} failed")
        if entry.startswith("sam deploy") and "--no-execute-changeset" not in entry:
            self.stack = replace(STACK, parameters={"Bootstrap": str("Bootstrap=true" in entry).lower()})
        if entry == "docker push":
            self.images.add(words[2].rsplit(":", 1)[1])
        return b"zip" if quiet else b""

    def find(self, _: str) -> Stack | None:
        return self.stack

    def has(self, tag: str) -> bool:
        return tag in self.images

    def password(self) -> bytes:
        return b"secret"

    def pushed(self) -> dict[str, datetime]:
        return dict.fromkeys(self.images, datetime(2026, 1, 1, tzinfo=UTC))

    def delete(self, tags: Sequence[str]) -> None:
        self.images -= {*tags}

    def tags(self, family: str, count: int) -> list[str]:
        assert family == "dispatch-dev-client"
        return list(self.deployed[:count])

    def ask(self, question: str) -> bool:
        self.log.append(question)
        return self.answer

    def build(self, project: str, bucket: str, source: bytes, tag: str, platform: str) -> None:
        assert (project, bucket, source, platform) == ("project", "specs", b"zip", "linux/amd64")
        self.log.append("codebuild")
        self.images.add(tag)

    def deployment(self, builder: str = "docker", stage: Stage = STAGE, **options: Any) -> Deployment:
        return Deployment(
            stage,
            "abc",
            builder,
            run=self.run,
            stacks=lambda region: self,
            images=lambda region, repository: self,
            tasks=lambda region: self,
            build=self.build,
            ask=self.ask,
            **options,
        )


def test_the_first_deploy_makes_the_stack_before_the_image_that_its_repository_holds() -> None:
    account = Account()
    account.deployment().deploy()
    assert account.log == [
        "sam deploy ImageTag=abc Bootstrap=true",
        "docker login",
        "docker build",
        "docker push",
        "sam deploy ImageTag=abc Bootstrap=false",
    ]


def test_a_later_deploy_builds_first_and_drains_only_then() -> None:
    account = Account(STACK)
    account.deployment().deploy()
    assert account.log == [
        "docker login",
        "docker build",
        "docker push",
        "drain --stack dispatch-dev",
        "sam deploy ImageTag=abc Bootstrap=false",
        "resume --stack dispatch-dev",
    ]


def test_force_does_not_wait() -> None:
    account = Account(STACK, images={"abc"})
    account.deployment(force=True).deploy()
    assert account.log[0] == "drain --stack dispatch-dev --force"


@pytest.mark.parametrize("failing", ["drain", "sam deploy"])
def test_runs_may_have_workers_again_however_a_deploy_ends(failing: str) -> None:
    account = Account(STACK, images={"abc"}, failing=failing)
    with pytest.raises(DispatchError, match="failed"):
        account.deployment().deploy()
    assert account.log[-1] == "resume --stack dispatch-dev"


@pytest.mark.parametrize("answer", [True, False])
def test_what_changes_is_shown_and_asked_about_before_anybody_waits(answer: bool) -> None:
    account = Account(STACK, images={"abc"}, answer=answer)
    deployment = account.deployment(stage=replace(STAGE, asks=True))
    if answer:
        deployment.deploy()
    else:
        with pytest.raises(Refused, match="stays as it is"):
            deployment.deploy()
    asked = ["sam deploy --no-execute-changeset ImageTag=abc Bootstrap=false", "Deploy that to dispatch-dev?"]
    deployed = ["drain --stack dispatch-dev", "sam deploy ImageTag=abc Bootstrap=false", "resume --stack dispatch-dev"]
    assert account.log == asked + (deployed if answer else [])


def test_a_stack_that_is_being_updated_still_stays_drained_and_that_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Interrupted in the middle: CloudFormation goes on, and replaces the tasks of whoever had workers."""
    account = Account(STACK, images={"abc"}, failing="sam deploy", status="UPDATE_IN_PROGRESS")
    with pytest.raises(DispatchError):
        account.deployment().deploy()
    assert account.log[-1].startswith("sam deploy")
    assert "`dispatch resume --stack dispatch-dev`" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_deploy_that_is_told_to_stop_lets_runs_go_on(number: signal.Signals) -> None:
    account = Account(STACK, images={"abc"})

    def run(command: Sequence[str], **options: Any) -> bytes:
        done = account.run(command, **options)
        if "drain" in command:
            os.kill(os.getpid(), number)
        return done

    handler = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), interruptible():
        replace(account.deployment(), run=run).deploy()
    assert account.log == ["drain --stack dispatch-dev", "resume --stack dispatch-dev"]
    assert signal.getsignal(number) is handler


def test_a_deploy_deletes_the_images_that_it_outlives() -> None:
    account = Account(STACK, images={"abc", "now", "before", "earlier", "never"}, deployed=("abc", "now", "before"))
    account.deployment().deploy()
    assert account.images == {"abc", "now", "before"}


def test_a_deploy_that_fails_deletes_none() -> None:
    account = Account(STACK, images={"abc", "now", "old"}, deployed=("now",), failing="sam deploy")
    with pytest.raises(DispatchError):
        account.deployment().deploy()
    assert account.images == {"abc", "now", "old"}


def test_images_stay_that_run_or_that_somebody_is_about_to_deploy() -> None:
    noon = datetime(2026, 11, 25, 12, tzinfo=UTC)
    pushed = {"runs": 400, "new": 23, "old": 25, "older": 100}
    at = {tag: noon - timedelta(hours=hours) for tag, hours in pushed.items()}
    assert outlived(at, ["runs"], noon) == ["old", "older"]
    assert KEPT_IMAGES >= 2, "a rollback goes back to the last one"


def test_an_image_that_cannot_be_built_stops_the_deploy_before_anybody_waits() -> None:
    account = Account(STACK, failing="docker build")
    with pytest.raises(DispatchError):
        account.deployment().deploy()
    assert account.log == ["docker login", "docker build"]


def test_a_first_deploy_that_stopped_half_way_goes_on() -> None:
    account = Account(failing="docker push")
    with pytest.raises(DispatchError):
        account.deployment().deploy()
    account.failing = "nothing"
    account.log.clear()
    account.deployment().deploy()
    assert account.log == ["docker login", "docker build", "docker push", "sam deploy ImageTag=abc Bootstrap=false"]


def test_an_image_is_built_once_here_or_in_the_account() -> None:
    account = Account(STACK)
    account.deployment("codebuild").image()
    account.deployment("codebuild").image()
    assert account.log == ["git archive", "codebuild"]


def test_there_is_no_image_without_a_stack() -> None:
    with pytest.raises(Refused, match="make deploy ENV=dev"):
        Account().deployment().image()


@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "ROLLBACK_COMPLETE", "CREATE_FAILED", "DELETE_FAILED"])
def test_a_stack_that_cannot_be_deployed_to_is_left_alone(status: str) -> None:
    with pytest.raises(Refused, match=status):
        steps(replace(STACK, status=status))


def test_a_rollback_that_stopped_half_way_is_gone_on_with_first() -> None:
    with pytest.raises(Refused, match="continue-update-rollback --stack-name dispatch-dev"):
        steps(replace(STACK, status="UPDATE_ROLLBACK_FAILED"))


def test_every_step_is_in_some_deploy() -> None:
    assert {*steps(None), *steps(STACK, asks=True)} == set(Step)


def test_a_tag_names_a_commit_and_nothing_less() -> None:
    clean = {"status": b"", "rev-parse": b"0123456789ab\n"}
    assert tag_of_this_commit(lambda command, quiet: clean[command[1]]) == "0123456789ab"
    with pytest.raises(Refused, match="commit your changes"):
        tag_of_this_commit(lambda command, quiet: b" M template.yaml\n")


def test_both_stages_of_samconfig_are_known_and_no_other() -> None:
    config = Path(__file__).parents[3] / "samconfig.toml"
    dev, prod = stage("dev", config), stage("prod", config)
    assert dev.stack != prod.stack
    assert (dev.asks, prod.asks) == (False, True)
    assert (dev.platform, STAGE.platform) == ("linux/arm64", "linux/amd64")
    assert prod.parameters["Alarms"] == "true"
    with pytest.raises(NotFound, match=r"dev, prod.*did you mean 'prod'"):
        stage("prd", config)
