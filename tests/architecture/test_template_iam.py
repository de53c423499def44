"""Who may do what, as far as the template alone can tell. What code really needs is proven elsewhere."""

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cfnlint
import pytest

from tests.architecture.stack_template import FUNCTIONS, RESOURCES, Stack, actions_of, of_type, statements

STARRED = json.loads(Path(__file__).with_name("no_resource_level.json").read_text())
AUTHORIZATION: dict[str, Any] = json.loads(
    (Path(cfnlint.__file__).parent / "data" / "AdditionalSpecs" / "Policies.json").read_text()
)
EVERYTHING = Stack(
    DataBuckets="lake,archive",
    DataKeys="arn:aws:kms:us-east-1:123456789012:key/a,arn:aws:kms:us-east-1:123456789012:key/b",
    Dashboard="public",
    DashboardCidr="192.0.2.0/24",
    CertificateArn="arn:aws:acm:us-east-1:123456789012:certificate/x",
    Notebook="true",
)
ALL = [(role, action, statement) for role, statement in statements(EVERYTHING) for action in actions_of(statement)]


def resources_of(statement: Any) -> list[str]:
    found = statement["Resource"]
    return [found] if isinstance(found, str) else list(found)


def test_every_statement_names_its_actions() -> None:
    for role, statement in statements(EVERYTHING):
        assert statement["Effect"] == "Allow"
        assert "NotAction" not in statement, role
        assert "NotResource" not in statement, role
        assert [action for action in actions_of(statement) if "*" in action] == [], role
        assert statement["Sid"], role


def test_a_star_stands_only_where_an_action_takes_no_resource() -> None:
    starred = {action for _, action, statement in ALL if "*" in resources_of(statement)}
    assert starred == set(STARRED["actions"])
    mixed = [role for role, statement in statements(EVERYTHING) if "*" in resources_of(statement) != ["*"]]
    assert mixed == []


@pytest.mark.parametrize("action", sorted({action for _, action, _ in ALL}))
def test_the_list_agrees_with_the_service_authorization_reference(action: str) -> None:
    service, name = action.split(":")
    known = AUTHORIZATION[service]["Actions"].get(name.lower())
    assert known is not None, f"there is no {action}"
    assert (action in STARRED["actions"]) == (not known.get("Resources"))


def test_no_policy_is_taken_from_aws() -> None:
    for name, role in of_type("AWS::IAM::Role").items():
        for policy in role.get("ManagedPolicyArns", []):
            assert RESOURCES[policy["Ref"]]["Type"] == "AWS::IAM::ManagedPolicy", name


def test_every_function_and_the_state_machine_have_a_role_of_their_own() -> None:
    roles = [properties["Role"]["Fn::GetAtt"] for properties in FUNCTIONS.values()]
    roles.append(RESOURCES["RunJob"]["Properties"]["Role"]["Fn::GetAtt"])
    named = [".".join(role) if isinstance(role, list) else role for role in roles]
    assert len(set(named)) == len(named) == len(FUNCTIONS) + 1
    assert all(properties.keys().isdisjoint({"Policies"}) for properties in FUNCTIONS.values())


def test_a_function_writes_to_its_own_log_alone() -> None:
    for name, properties in FUNCTIONS.items():
        log = properties["LoggingConfig"]["LogGroup"]["Ref"]
        role = EVERYTHING.value(properties["Role"]).strip("<>").removesuffix(".Arn")
        mine = {tuple(resources_of(s)) for r, a, s in ALL if r == role and a.startswith("logs:")}
        assert mine == {(f"<{log}.Arn>",)}, name


def holders() -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for role, action, _ in ALL:
        found[action].add(role)
    return found


@pytest.mark.parametrize(
    ("action", "roles"),
    [
        ("states:StartExecution", {"SubmitRole", "JanitorRole"}),  # the janitor starts again what a crash left
        ("states:StopExecution", {"ApiRole", "JanitorRole"}),
        ("lambda:InvokeFunction", {"ApiRole", "JanitorRole", "RunJobRole"}),
        ("ecs:RunTask", {"RunJobRole"}),
        ("ecs:UpdateService", {"AcquireWorkersRole", "AwaitWorkersRole", "FinishRunRole", "JanitorRole"}),
        ("ecs:UpdateTaskProtection", {"WorkerRole"}),
        ("scheduler:CreateSchedule", {"ApiRole"}),
        ("scheduler:DeleteSchedule", {"ApiRole"}),
        ("sqs:SendMessage", {"ScheduleRole"}),
        ("sqs:ReceiveMessage", {"SubmitRole"}),
        ("sns:Publish", {"FinishRunRole"}),
        ("events:PutEvents", {"FinishRunRole"}),
        ("ssm:PutParameter", {"CertificateRole"}),
        ("ssm:GetParameters", {"ExecutionRole"}),
        ("ssm:GetParameter", {"CertificateRole", "NotebookRole"}),  # which generation the key is of, and the key
        ("ecr:PutImage", {"ImageBuildRole"}),
        ("iam:PassRole", {"ApiRole", "RunJobRole"}),
        ("elasticloadbalancing:RegisterTargets", {"SchedulerRole"}),
        ("execute-api:Invoke", {"NotebookRole"}),
        ("s3:DeleteObject", {"SubmitRole", "ClientRole"}),
    ],
)
def test_no_role_does_what_another_does_for_it(action: str, roles: set[str]) -> None:
    assert holders()[action] == roles


def test_every_role_that_is_passed_is_passed_to_one_service() -> None:
    passed = {
        (role, tuple(resources_of(s)), s["Condition"]["StringEquals"]["iam:PassedToService"])
        for role, action, s in ALL
        if action == "iam:PassRole"
    }
    assert passed == {
        ("ApiRole", ("<ScheduleRole.Arn>",), "scheduler.amazonaws.com"),
        ("RunJobRole", ("<ClientRole.Arn>", "<ExecutionRole.Arn>"), "ecs-tasks.amazonaws.com"),
    }


def test_data_buckets_are_read_by_submit_and_tasks_alone() -> None:
    policy = RESOURCES["MayReadData"]["Properties"]
    assert EVERYTHING.value(policy["Roles"]) == ["<SubmitRole>", "<ClientRole>", "<WorkerRole>"]
    reads = {a: resources_of(s) for r, a, s in ALL if r == "MayReadData"}
    assert reads == {
        "s3:ListBucket": ["arn:aws:s3:::lake", "arn:aws:s3:::archive"],
        "s3:GetObject": ["arn:aws:s3:::lake/*", "arn:aws:s3:::archive/*"],
    }
    assert not Stack().has("MayReadData")
    foreign = [
        (role, resource)
        for role, action, s in ALL
        for resource in resources_of(s)
        if action.startswith("s3:") and "arn:aws:s3" in resource and role != "MayReadData"
    ]
    assert foreign == []


def test_data_is_decrypted_by_those_who_read_it_with_the_keys_that_are_named() -> None:
    assert EVERYTHING.value(RESOURCES["MayDecryptData"]["Properties"]["Roles"]) == ["<ClientRole>", "<WorkerRole>"]
    keys = [f"arn:aws:kms:us-east-1:123456789012:key/{name}" for name in "ab"]
    assert [resources_of(s) for _, action, s in ALL if action == "kms:Decrypt"] == [keys]
    assert not Stack().has("MayDecryptData")


def s3_reach(role: str) -> Iterator[tuple[str, str]]:
    for who, action, statement in ALL:
        if who == role and action.startswith("s3:"):
            yield from ((action, resource) for resource in resources_of(statement))


@pytest.mark.parametrize("role", [name for name, r in RESOURCES.items() if r["Type"] == "AWS::IAM::Role"])
def test_nobody_writes_specs_but_people(role: str) -> None:
    writes = {resource for action, resource in s3_reach(role) if action in ("s3:PutObject", "s3:DeleteObject")}
    assert "<SpecsBucket.Arn>/specs/*" not in writes or role == "NotebookRole"
    assert all(resource.endswith(("/runs/*", "/answers/*", "/specs/*")) for resource in writes)


def test_run_task_is_allowed_for_the_family_of_the_client_in_our_cluster_alone() -> None:
    [(_, _, statement)] = [entry for entry in ALL if entry[1] == "ecs:RunTask"]
    family = EVERYTHING.properties("ClientTask")["Family"]
    assert resources_of(statement) == [f"arn:aws:ecs:us-east-1:123456789012:task-definition/{family}:*"]
    assert statement["Condition"] == {"ArnEquals": {"ecs:cluster": "<Cluster.Arn>"}}


def test_trust_is_given_to_services_and_never_to_accounts() -> None:
    for name, role in of_type("AWS::IAM::Role").items():
        [statement] = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Action"] == "sts:AssumeRole", name
        assert list(statement["Principal"]) == ["Service"], name
        assert statement["Principal"]["Service"].endswith(".amazonaws.com"), name


def test_only_this_account_makes_scheduler_take_its_role() -> None:
    """Scheduler acts for whoever names the role; the others take one only from whoever may pass it here."""
    for name, role in of_type("AWS::IAM::Role").items():
        [statement] = EVERYTHING.value(role["AssumeRolePolicyDocument"])["Statement"]
        confused = statement["Principal"]["Service"] == "scheduler.amazonaws.com"
        wanted = {"StringEquals": {"aws:SourceAccount": "123456789012"}} if confused else None
        assert statement.get("Condition") == wanted, name


def test_the_queue_takes_messages_of_our_rule_alone_and_over_tls_alone() -> None:
    policy = EVERYTHING.properties("SubmitQueuePolicy")
    assert policy["Queues"] == ["<SubmitQueue>"]
    assert policy["PolicyDocument"]["Statement"] == [
        {
            "Sid": "SpecDropped",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": "<SubmitQueue.Arn>",
            "Condition": {"ArnEquals": {"aws:SourceArn": "<SpecDropped.Arn>"}},
        },
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sqs:*",
            "Resource": "<SubmitQueue.Arn>",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    ]


def test_a_service_calls_a_function_for_one_source_of_ours_alone() -> None:
    for name, permission in of_type("AWS::Lambda::Permission").items():
        assert "SourceArn" in permission, name
        assert permission["Principal"].endswith(".amazonaws.com"), name
