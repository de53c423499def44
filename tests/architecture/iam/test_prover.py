"""The prover itself, on a small template: it finds what is missing, what is too much, and what is too wide."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import cfnlint
import pytest
from moto import mock_aws

from tests.architecture.iam.authorization import authorization
from tests.architecture.iam.calls import Call, Recorder, recording
from tests.architecture.iam.documented import documented
from tests.architecture.iam.needs import Need, needs_of
from tests.architecture.iam.prover import findings, matches
from tests.architecture.iam.scenarios import Stage
from tests.architecture.iam.stack import NAME, Stack

TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/table-0abc"
TEMPLATE = """
Parameters:
  Extra: {Type: String, Default: "no"}
  Buckets: {Type: CommaDelimitedList, Default: ""}
Conditions:
  HasExtra: !Equals [!Ref Extra, "yes"]
Globals:
  Function: {Tracing: Active, Environment: {Variables: {STACK: !Ref AWS::StackName}}}
Resources:
  Table: {Type: AWS::DynamoDB::Table, Properties: {}}
  Bucket: {Type: AWS::S3::Bucket}
  Queue: {Type: AWS::SQS::Queue}
  Logs: {Type: AWS::Logs::LogGroup, Properties: {}}
  MayTrace:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement: {Effect: Allow, Action: ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], Resource: "*"}
  Role:
    Type: AWS::IAM::Role
    Properties:
      ManagedPolicyArns: [!Ref MayTrace]
      Policies:
        - PolicyDocument:
            Statement:
              - Sid: Log
                Effect: Allow
                Action: ["logs:CreateLogStream", "logs:PutLogEvents"]
                Resource: !GetAtt Logs.Arn
              - STATEMENT
              - !If
                - HasExtra
                - Sid: Queue
                  Effect: Allow
                  Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
                  Resource: !GetAtt Queue.Arn
                - !Ref AWS::NoValue
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Role: !GetAtt Role.Arn
      LoggingConfig: {LogGroup: !Ref Logs}
      Environment: {Variables: {TABLE: !Ref Table, KEY: !Sub "${Bucket.Arn}/${AWS::Region}"}}
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Condition: HasExtra
    Properties: {FunctionName: !Ref Function, EventSourceArn: !GetAtt Queue.Arn}
"""
GOOD = '{Sid: It, Effect: Allow, Action: ["dynamodb:GetItem"], Resource: !GetAtt Table.Arn}'
GET_ITEM = Need.exactly("dynamodb:GetItem", TABLE, "reading")


def stack_with(tmp_path: Path, statement: str = GOOD, **parameters: Any) -> Stack:
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE.replace("STATEMENT", statement))
    return Stack.of(path, **parameters)


def found(tmp_path: Path, statement: str, *needs: Need) -> list[str]:
    stack = stack_with(tmp_path, statement)
    return findings(stack, {"Role": [*documented(stack)["Role"], *needs]})


def test_nothing_is_wrong_where_needed_and_allowed_are_equal(tmp_path: Path) -> None:
    assert found(tmp_path, GOOD, GET_ITEM) == []


def test_a_missing_action_is_found(tmp_path: Path) -> None:
    put = Need.exactly("dynamodb:PutItem", TABLE, "writing")
    assert found(tmp_path, GOOD, GET_ITEM, put) == [f"Role lacks dynamodb:PutItem on {TABLE} (writing)"]


def test_a_surplus_action_is_found(tmp_path: Path) -> None:
    assert found(tmp_path, GOOD) == ["Role/It allows dynamodb:GetItem, which nothing needs"]


def test_an_action_on_another_resource_is_missing(tmp_path: Path) -> None:
    other = Need.exactly("dynamodb:GetItem", TABLE.replace("table-0abc", "other-0abc"))
    assert "lacks dynamodb:GetItem" in found(tmp_path, GOOD, other)[0]


WIDE = {
    "a star": ('["dynamodb:GetItem"]', '"*"', "on *, though it knows resources"),
    "a star for an action": ('["dynamodb:*"]', "!GetAtt Table.Arn", "allows dynamodb:*: an action has to be named"),
    "an unknown action": ('["dynamodb:GetItems"]', "!GetAtt Table.Arn", "which authorization.json does not know"),
    "another type": ('["dynamodb:GetItem"]', "!GetAtt Bucket.Arn", "which is no resource of that action"),
    "every table": (
        '["dynamodb:GetItem"]',
        '!Sub "arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/*"',
        "which is no resource of this stack",
    ),
    "one too many": (
        '["dynamodb:GetItem"]',
        '[!GetAtt Table.Arn, !Sub "${Table.Arn}2"]',
        "table-0abc2, where nothing needs it",
    ),
    "tables that begin like ours": ('["dynamodb:GetItem"]', '!Sub "${Table.Arn}*"', f"{TABLE}*; {TABLE} would do"),
}


@pytest.mark.parametrize("case", WIDE)
def test_what_is_too_wide_is_found(tmp_path: Path, case: str) -> None:
    actions, resource, said = WIDE[case]
    told = found(tmp_path, f"{{Sid: It, Effect: Allow, Action: {actions}, Resource: {resource}}}", GET_ITEM)
    assert any(said in text for text in told), told


def test_a_folder_may_be_allowed_and_a_bucket_not(tmp_path: Path) -> None:
    call = Call("s3", "GetObject", {"Bucket": "bucket-0abc", "Key": "runs/one/result.json"}, "Role")
    statement = '{{Sid: It, Effect: Allow, Action: ["s3:GetObject"], Resource: !Sub "${{Bucket.Arn}}/{}"}}'
    assert found(tmp_path, statement.format("runs/*"), *needs_of(call)) == []
    assert found(tmp_path, statement.format("*"), *needs_of(call)) == [
        "Role/It allows s3:GetObject on arn:aws:s3:::bucket-0abc/*; arn:aws:s3:::bucket-0abc/runs/* would do"
    ]
    assert found(tmp_path, statement.format("*"), *needs_of(call, frozenset(["bucket-0abc"]))) == []


def test_a_role_may_be_passed_to_a_named_service_only(tmp_path: Path) -> None:
    need = Need.exactly("iam:PassRole", "arn:aws:iam::123456789012:role/role-0abc")
    passing = 'Sid: It, Effect: Allow, Action: ["iam:PassRole"], Resource: !GetAtt Role.Arn'
    condition = 'Condition: {StringEquals: {"iam:PassedToService": ecs-tasks.amazonaws.com}}'
    assert found(tmp_path, f"{{{passing}, {condition}}}", need) == []
    assert found(tmp_path, f"{{{passing}}}", need) == [
        "Role/It allows iam:PassRole without the condition iam:PassedToService"
    ]


def test_a_policy_of_aws_is_found(tmp_path: Path) -> None:
    stack = stack_with(tmp_path, GOOD)
    stack.template["Resources"]["Role"]["Properties"]["ManagedPolicyArns"].append("arn:aws:iam::aws:policy/ReadOnly")
    assert any("policy/ReadOnly allows *" in text for text in findings(stack, {"Role": [GET_ITEM]}))


def test_what_an_option_adds_is_needed_with_the_option_only(tmp_path: Path) -> None:
    without, extra = stack_with(tmp_path), stack_with(tmp_path, Extra="yes")
    for stack in (without, extra):
        assert findings(stack, {"Role": [*documented(stack)["Role"], GET_ITEM]}) == []
    told = findings(extra, {"Role": [*documented(without)["Role"], GET_ITEM]})
    assert [text.split(" allows ")[1] for text in told] == [
        f"sqs:{operation}, which nothing needs"
        for operation in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
    ]


def test_a_templates_values_are_resolved(tmp_path: Path) -> None:
    stack = stack_with(tmp_path)
    environment = {"STACK": NAME, "TABLE": "table-0abc", "KEY": "arn:aws:s3:::bucket-0abc/us-east-1"}
    assert stack.environment("Function") == environment
    assert stack.role_of("Function") == "Role"
    assert stack.value({"Fn::Join": [",", {"Fn::Split": ["-", "a-b"]}]}) == "a,b"
    with pytest.raises(LookupError, match="Fn::ImportValue"):
        stack.value({"Fn::ImportValue": "x"})


@pytest.mark.parametrize(
    ("pattern", "arn", "covered"),
    [("a/*", "a/b/c", True), ("a/*", "b/a/c", False), ("a/?", "a/b", True), ("a.c", "abc", False), ("*", "a/*", True)],
)
def test_a_pattern_covers(pattern: str, arn: str, covered: bool) -> None:
    assert matches(pattern, arn) == covered


# ---- What code needs, recorded


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with mock_aws(), recording() as recorder:
        yield recorder


def actions(recorder: Recorder) -> list[tuple[str, str]]:
    return [(need.action, need.arn.split(":")[-1]) for call in recorder.calls for need in needs_of(call)]


def test_only_what_is_done_while_acting_is_recorded(recorder: Recorder) -> None:
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="bucket")
    with recorder.acting_as("Role"):
        s3.put_object(Bucket="bucket", Key="runs/1/a", Body=b"")
        s3.head_object(Bucket="bucket", Key="runs/1/a")
        s3.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "runs/1/signed"})
        with pytest.raises(s3.exceptions.NoSuchKey):
            s3.get_object(Bucket="bucket", Key="runs/1/none")
    s3.list_objects_v2(Bucket="bucket")
    assert actions(recorder) == [
        ("s3:PutObject", "bucket/runs/1/a"),
        ("s3:GetObject", "bucket/runs/1/a"),
        ("s3:GetObject", "bucket/runs/1/signed"),
        ("s3:GetObject", "bucket/runs/1/none"),
        ("s3:ListBucket", "bucket"),  # to tell that it is not there
    ]


def test_who_acts_may_be_asked_call_by_call(recorder: Recorder) -> None:
    s3 = boto3.client("s3", region_name="us-east-1")
    names = iter(["ClientRole", "WorkerRole"])
    with recorder.acting_as(lambda: next(names)):
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="runs/1/a", Body=b"")
    assert [(call.actor, call.operation) for call in recorder.calls] == [
        ("ClientRole", "CreateBucket"),
        ("WorkerRole", "PutObject"),
    ]


def test_a_transaction_needs_each_of_its_parts(recorder: Recorder) -> None:
    resource = boto3.resource("dynamodb", region_name="us-east-1")
    keys = {"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST"}
    resource.create_table(TableName="t", AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}], **keys)
    with recorder.acting_as("Role"):
        resource.Table("t").get_item(Key={"pk": "a"})
        resource.meta.client.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": "t", "Item": {"pk": "a"}}},
                {
                    "ConditionCheck": {
                        "TableName": "t",
                        "Key": {"pk": "b"},
                        "ConditionExpression": "attribute_not_exists(pk)",
                    }
                },
            ]
        )
    assert actions(recorder) == [
        ("dynamodb:GetItem", "table/t"),
        ("dynamodb:PutItem", "table/t"),
        ("dynamodb:ConditionCheckItem", "table/t"),
    ]


def test_a_schedule_needs_its_role_passed() -> None:
    target = {"Arn": "arn:aws:sqs:us-east-1:123456789012:q", "RoleArn": "arn:aws:iam::123456789012:role/r"}
    call = Call("scheduler", "CreateSchedule", {"GroupName": "g", "Name": "n", "Target": target}, "Role")
    needed = [(need.action, need.within) for need in needs_of(call)]
    assert needed == [
        ("scheduler:CreateSchedule", "arn:aws:scheduler:us-east-1:123456789012:schedule/g/*"),
        ("iam:PassRole", "arn:aws:iam::123456789012:role/r"),
    ]


@pytest.mark.parametrize(("service", "operation"), [("kms", "Decrypt"), ("s3", "RestoreObject")])
def test_a_call_that_nobody_knows_the_needs_of_is_an_error(service: str, operation: str) -> None:
    with pytest.raises(LookupError, match=f"{service}:{operation}"):
        needs_of(Call(service, operation, {"Bucket": "b", "Key": "k"}, "Role"))


def test_a_scenario_plays_under_the_templates_names(tmp_path: Path, recorder: Recorder) -> None:
    stage = Stage("Function", stack_with(tmp_path), recorder)
    table = stage.settings["TABLE"]
    client = boto3.client("dynamodb", region_name="us-east-1")
    with stage.acting(), pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_item(TableName=table, Key={"pk": {"S": "a"}})
    (call,) = recorder.calls
    assert (call.actor, needs_of(call)[0].arn) == ("Function", TABLE)
    with pytest.raises(KeyError):
        assert stage.settings.max_workers  # it is not in the function's environment


# ---- The table


def test_the_table_says_what_cfn_lint_says() -> None:
    copy = Path(cfnlint.__file__).parent / "data" / "AdditionalSpecs" / "Policies.json"
    services = json.loads(copy.read_text())
    table = authorization()
    for action, types in table.actions.items():
        service, name = action.split(":")
        known = services[service]["Actions"][name.lower()].get("Resources", [])
        assert set(types) <= set(known), action
        assert bool(types) == bool(known), action
    named = {f"{action.split(':')[0]}:{kind}" for action, types in table.actions.items() for kind in types}
    assert named == set(table.resource_types)
    assert list(table.actions) == sorted(table.actions)
    assert set(table.conditions) <= set(table.actions)
