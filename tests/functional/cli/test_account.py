"""What doctor and image ask of an account, on moto."""

import json
import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from cli.cloud import identity, queues, quotas, roles
from cli.cloud.builds import MACHINES, SOURCE, Builds
from cli.cloud.images import Images
from cli.cloud.stacks import Stacks
from cli.cloud.tasks import Tasks
from cli.doctor import gather
from cli.draining import ledger_in
from cli.stage import Stage
from functions.core.clock import SystemClock
from functions.core.draining import drain
from jobspec import DispatchError

REGION = "us-east-1"
TEMPLATE = """
Parameters: {ImageTag: {Type: String}, Bootstrap: {Type: String, Default: "false"}}
Resources:
  SpecsBucket: {Type: AWS::S3::Bucket}
  ResultsBucket: {Type: AWS::S3::Bucket}
  Repository: {Type: AWS::ECR::Repository, Properties: {RepositoryName: images}} # moto makes up a name that it refuses
  Lost: {Type: AWS::SQS::Queue}
  Runs:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
Outputs:
  RunsTable: {Value: !Ref Runs}
  SpecsBucket: {Value: !Ref SpecsBucket}
  ResultsBucket: {Value: !Ref ResultsBucket}
  Repository: {Value: !GetAtt Repository.RepositoryUri}
  SubmitDeadLetters: {Value: !Ref Lost}
"""


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield


@pytest.fixture
def stack() -> Stage:
    boto3.client("cloudformation").create_stack(
        StackName="dispatch-dev",
        TemplateBody=TEMPLATE,
        Parameters=[{"ParameterKey": "ImageTag", "ParameterValue": "abc"}],
    )
    return Stage("dev", "dispatch-dev", REGION, {})


def push(repository: str, tag: str, note: str = "") -> None:
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "annotations": {"note": note}})
    name = repository.split("/", 1)[1]
    boto3.client("ecr").put_image(repositoryName=name, imageManifest=manifest, imageTag=tag)


def test_a_stack_is_found_with_its_outputs_and_parameters(stack: Stage) -> None:
    stacks = Stacks(REGION)
    found = stacks.find(stack.stack)
    assert found is not None
    assert (found.status, found.parameters) == ("CREATE_COMPLETE", {"ImageTag": "abc", "Bootstrap": "false"})
    assert set(found.outputs) == {"SpecsBucket", "ResultsBucket", "Repository", "SubmitDeadLetters", "RunsTable"}
    assert stacks.find("another") is None


def test_a_change_set_that_was_never_executed_is_no_stack() -> None:
    boto3.client("cloudformation").create_change_set(
        StackName="dispatch-dev", ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=TEMPLATE,
        Parameters=[{"ParameterKey": "ImageTag", "ParameterValue": "abc"}],
    )  # fmt: skip
    assert Stacks(REGION).find("dispatch-dev") is None


def test_doctor_finds_each_fact(stack: Stage) -> None:
    facts = gather(stack)
    assert facts.caller == identity.caller(REGION)
    assert (facts.has_ecs_role, facts.has_image, facts.lost_specs, facts.draining) == (False, False, 0, False)
    found = Stacks(REGION).find(stack.stack)
    assert found is not None
    push(found.outputs["Repository"], "abc")
    boto3.client("sqs").send_message(QueueUrl=found.outputs["SubmitDeadLetters"], MessageBody="{}")
    boto3.client("iam").create_service_linked_role(AWSServiceName="ecs.amazonaws.com")
    drain(ledger_in(REGION, found.outputs["RunsTable"]), SystemClock(), wait=False, told=lambda _: None)
    facts = gather(stack)
    assert (facts.has_image, facts.lost_specs, facts.draining) == (True, 1, True)
    assert queues.waiting(REGION, found.outputs["SubmitDeadLetters"]) == 1


def test_doctor_knows_ecs_role_by_its_name() -> None:
    assert not roles.has_ecs_role()
    boto3.client("iam").create_role(RoleName=roles.ECS_ROLE, AssumeRolePolicyDocument="{}")
    assert roles.has_ecs_role()


@pytest.mark.parametrize("quota", [quotas.ON_DEMAND, quotas.SPOT])
def test_doctor_asks_for_fargates_quotas(quota: str) -> None:
    client = boto3.client("service-quotas")  # moto has VPC's only
    with Stubber(client) as stub:
        stub.add_response(
            "get_service_quota", {"Quota": {"Value": 6.0}}, {"ServiceCode": "fargate", "QuotaCode": quota}
        )
        assert quotas.Quotas(REGION, client).fargate_vcpus(quota) == 6.0


def test_docker_gets_a_password() -> None:
    assert Images(REGION, "r/x").password()


def test_images_are_told_by_tag_and_deleted_by_tag(stack: Stage) -> None:
    found = Stacks(REGION).find(stack.stack)
    assert found is not None
    images = Images(REGION, found.outputs["Repository"])
    for tag in ("a", "b", "c"):
        push(found.outputs["Repository"], tag, note=tag)
    assert images.pushed().keys() == {"a", "b", "c"}
    assert all(at.tzinfo for at in images.pushed().values())
    images.delete(["a", "c", "gone"])
    images.delete([])
    assert images.pushed().keys() == {"b"}


def test_what_was_deployed_last_is_told_by_the_revisions_of_a_family() -> None:
    ecs = boto3.client("ecs")
    deployed = {"x-client": ["a", "b", *["c"] * 9, "d"], "x-client-2": ["e"]}  # a twelfth revision follows a ninth
    for family, tag in ((family, tag) for family, tags in deployed.items() for tag in tags):
        container = {"name": "d", "image": f"1.ecr:443/images:{tag}", "memory": 64}
        ecs.register_task_definition(family=family, containerDefinitions=[container])
    assert Tasks(REGION).tags("x-client", 2) == ["d", "c"]
    assert Tasks(REGION).tags("x-client", 9) == ["d", "c", "b", "a"]


class CodeBuild:
    """Where a build goes on for a while, and ends as told: moto's succeed at once."""

    def __init__(self, end: str) -> None:
        self.end, self.asked, self.turns = end, [], 0

    def start_build(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        return {"build": {"id": "b", "buildStatus": "IN_PROGRESS"}}

    def batch_get_builds(self, ids: list[str]) -> dict[str, Any]:
        assert ids == ["b"]
        self.turns += 1
        status = self.end if self.turns == 3 else "IN_PROGRESS"
        return {"builds": [{"id": "b", "buildStatus": status, "logs": {"deepLink": "the-log"}}]}


@pytest.mark.parametrize("end", ["SUCCEEDED", "FAILED"])
def test_an_image_is_built_of_the_sources_that_were_handed_in(end: str) -> None:
    boto3.client("s3").create_bucket(Bucket="specs")
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as source:
        source.writestr("Dockerfile", "FROM x")
    naps: list[float] = []
    builds, codebuild = Builds(REGION, naps.append), CodeBuild(end)
    builds._codebuild = codebuild
    if end == "FAILED":
        with pytest.raises(DispatchError, match="the-log"):
            builds.build("project", "specs", archive.getvalue(), "abc", "linux/amd64")
    else:
        builds.build("project", "specs", archive.getvalue(), "abc", "linux/amd64")
    [asked] = codebuild.asked
    told = {each["name"]: each["value"] for each in asked.pop("environmentVariablesOverride")}
    assert told == {"IMAGE_TAG": "abc", "PLATFORM": "linux/amd64"}
    kind, image = MACHINES["linux/amd64"]
    assert asked == {"projectName": "project", "environmentTypeOverride": kind, "imageOverride": image}
    assert len(naps) == 3
    assert boto3.client("s3").get_object(Bucket="specs", Key=SOURCE)["Body"].read() == archive.getvalue()
