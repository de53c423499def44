"""`dispatch doctor`: whether a stack can run, and what to do where it cannot.

Each check is a function of the facts that were found. What could not be found out is a fact too: it says why.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar

import click

from cli.cloud.stacks import Stack
from cli.deploying import roll_back_command
from cli.stage import Stage

T = TypeVar("T")

READY = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
ROLE_COMMAND = "aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com"


@dataclass(frozen=True, slots=True)
class Unknown:
    """A fact that could not be found out."""

    reason: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found in the account."""

    caller: str | Unknown  # the ARN that we act as
    has_ecs_role: bool | Unknown
    on_demand_vcpus: float | Unknown  # that the account may run at once
    spot_vcpus: float | Unknown
    stack: Stack | Unknown | None
    has_image: bool | Unknown | None  # that the stack runs; None without a stack
    lost_specs: int | Unknown | None  # in the dead-letter queue; None without a stack
    draining: bool | Unknown | None  # whether no run gets workers; None without a stack


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what it found, and what to do where that is not well."""

    check: str
    found: str
    advice: str | None = None

    @property
    def well(self) -> bool:
        """Whether there is nothing to do."""
        return self.advice is None


def diagnose(facts: Facts, stage: Stage) -> list[Finding]:
    """Every finding, in the order in which things are needed. Without credentials there is but one."""
    credentials = _credentials(facts)
    if not credentials.well:
        return [credentials]
    checks = (_role, _on_demand, _spot, _stack, _bootstrap, _image, _draining, _lost_specs)
    return [credentials, *(finding for check in checks if (finding := check(facts, stage)))]


def _credentials(facts: Facts) -> Finding:
    if isinstance(facts.caller, Unknown):
        advice = "log in (`aws sso login`, `aws configure`), or set AWS_PROFILE"
        return Finding("credentials", facts.caller.reason, advice)
    return Finding("credentials", facts.caller)


def _role(facts: Facts, _: Stage) -> Finding:
    match facts.has_ecs_role:
        case Unknown(reason):
            return Finding("ECS role", reason, f"may be there: see for yourself, or run `{ROLE_COMMAND}`")
        case True:
            return Finding("ECS role", "there")
        case _:
            return Finding("ECS role", "missing, as in every new account", f"run `{ROLE_COMMAND}`")


def _on_demand(facts: Facts, stage: Stage) -> Finding | None:
    share = 1 - _spot_share(stage) / 100
    clients = _max_workers(stage) * _vcpus(stage, "Client", 1)
    needed = _all_workers(stage) * share + clients + _vcpus(stage, "Scheduler", 1)
    who = "all workers, the scheduler, and a client for each run, with one worker each,"
    return _quota("Fargate quota", facts.on_demand_vcpus, needed, who, stage)


def _spot(facts: Facts, stage: Stage) -> Finding | None:
    share = _spot_share(stage) / 100
    needed = _all_workers(stage) * share
    return _quota("Fargate Spot quota", facts.spot_vcpus, needed, "the workers on Spot", stage) if share else None


def _quota(check: str, allowed: float | Unknown, needed: float, who: str, stage: Stage) -> Finding:
    where = f"Service Quotas, AWS Fargate, in {stage.region}"
    if isinstance(allowed, Unknown):
        return Finding(check, allowed.reason, f"see that {where} allows {needed:g} vCPUs")
    found = f"{allowed:g} vCPUs at once; {who} need {needed:g}"
    if allowed >= needed:
        return Finding(check, found)
    return Finding(check, found, f"ask for more ({where}), or deploy with a smaller MaxWorkers or WorkerVcpus")


def _stack(facts: Facts, stage: Stage) -> Finding:
    check = f"stack {stage.stack}"
    match facts.stack:
        case Unknown(reason):
            return Finding(check, reason, "allow cloudformation:DescribeStacks")
        case None:
            return Finding(check, f"not in {stage.region}", f"`make deploy ENV={stage.name}`")
        case Stack(status=status) if status in READY:
            return Finding(check, status)
        case Stack(status=status) if status.endswith("_IN_PROGRESS"):
            return Finding(check, status, "wait until it has ended, then look again")
        case Stack(status="UPDATE_ROLLBACK_FAILED" as status):
            return Finding(check, status, f"see its events, mend what they name, then {roll_back_command(stage.stack)}")
        case Stack(status=status) if status in (
            "ROLLBACK_COMPLETE",
            "ROLLBACK_FAILED",
            "CREATE_FAILED",
            "DELETE_FAILED",
        ):
            return Finding(check, status, f"`make destroy ENV={stage.name}`, then `make deploy ENV={stage.name}`")
        case Stack(status=status):
            return Finding(check, status, "see the stack's events in the CloudFormation console")


def _bootstrap(facts: Facts, stage: Stage) -> Finding | None:
    if not isinstance(facts.stack, Stack) or facts.stack.parameters.get("Bootstrap") != "true":
        return None
    found = "still true: the next deploy would set running services to nothing"
    return Finding("Bootstrap", found, f"`make deploy ENV={stage.name}` goes on where the first deploy stopped")


def _image(facts: Facts, stage: Stage) -> Finding | None:
    if not isinstance(facts.stack, Stack) or facts.has_image is None:
        return None
    tag = facts.stack.parameters.get("ImageTag", "")
    match facts.has_image:
        case Unknown(reason):
            return Finding(f"image {tag}", reason, "allow ecr:DescribeImages")
        case True:
            return Finding(f"image {tag}", "there")
        case _:
            return Finding(f"image {tag}", "missing: no task can start", f"`make image ENV={stage.name}`")


def _draining(facts: Facts, stage: Stage) -> Finding | None:
    match facts.draining:
        case None:
            return None
        case Unknown(reason):
            return Finding("ledger", reason, "allow dynamodb:GetItem on the runs table")
        case False:
            return Finding("ledger", "grants workers")
        case _:
            advice = f"wait if somebody deploys; if nobody does, `dispatch resume --stack {stage.stack}`"
            return Finding("ledger", "drained: no run gets workers", advice)


def _lost_specs(facts: Facts, _: Stage) -> Finding | None:
    match facts.lost_specs:
        case None:
            return None
        case Unknown(reason):
            return Finding("lost specs", reason, "allow sqs:GetQueueAttributes")
        case 0:
            return Finding("lost specs", "none")
        case count:
            advice = "see the log of the function submit, then move them back (SQS: start a DLQ redrive)"
            return Finding("lost specs", f"{count} in the dead-letter queue", advice)


def _max_workers(stage: Stage) -> int:
    """And so how many runs there are at most, each with a client of its own."""
    return int(stage.parameters.get("MaxWorkers", "20"))


def _all_workers(stage: Stage) -> float:
    return _max_workers(stage) * _vcpus(stage, "Worker", 2)


def _vcpus(stage: Stage, what: str, default: int) -> float:
    return float(stage.parameters.get(f"{what}Vcpus", default))


def _spot_share(stage: Stage) -> int:
    return int(stage.parameters.get("SpotShare", "0"))


def gather(stage: Stage) -> Facts:
    """Look at the account; nothing is changed."""
    from cli.cloud import identity, queues, quotas, roles
    from cli.cloud.images import Images
    from cli.cloud.stacks import Stacks
    from cli.draining import ledger_in

    caller = _tried(lambda: identity.caller(stage.region))
    if isinstance(caller, Unknown):
        return Facts(caller, *[caller] * 7)
    fargate = quotas.Quotas(stage.region)
    stack = _tried(lambda: Stacks(stage.region).find(stage.stack))
    outputs = stack.outputs if isinstance(stack, Stack) else {}
    image: bool | Unknown | None = None
    lost: int | Unknown | None = None
    draining: bool | Unknown | None = None
    if isinstance(stack, Stack) and "Repository" in outputs:
        tag = stack.parameters["ImageTag"]
        image = _tried(lambda: Images(stage.region, outputs["Repository"]).has(tag))
        lost = _tried(lambda: queues.waiting(stage.region, outputs["SubmitDeadLetters"]))
        draining = _tried(lambda: ledger_in(stage.region, outputs["RunsTable"]).read().draining)
    return Facts(
        caller=caller,
        has_ecs_role=_tried(roles.has_ecs_role),
        on_demand_vcpus=_tried(lambda: fargate.fargate_vcpus(quotas.ON_DEMAND)),
        spot_vcpus=_tried(lambda: fargate.fargate_vcpus(quotas.SPOT)),
        stack=stack,
        has_image=image,
        lost_specs=lost,
        draining=draining,
    )


def _tried(look: Callable[[], T]) -> T | Unknown:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return look()
    except (BotoCoreError, ClientError) as error:
        return Unknown(str(error))


def shown(findings: Sequence[Finding], as_json: bool) -> str:
    """The findings for people, or for programs."""
    if as_json:
        return json.dumps([asdict(finding) | {"well": finding.well} for finding in findings], indent=2)
    width = max(len(finding.check) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{'ok ' if finding.well else 'DO '} {finding.check:<{width}}  {finding.found}")
        if finding.advice:
            lines.append(f"    {'':<{width}}  -> {finding.advice}")
    return "\n".join(lines)


def doctor(stage: Stage, as_json: bool) -> bool:
    """Print every finding; returns whether all is well."""
    findings = diagnose(gather(stage), stage)
    click.echo(shown(findings, as_json))
    return all(finding.well for finding in findings)
