"""What template.yaml promises that no server on this machine could show: network, counts, names, costs of a slip."""

import json
import re
import tomllib
from typing import Any

import pytest

from functions.core import keys
from functions.submit import LONGEST_MS
from tests.architecture.stack_template import FUNCTIONS, RESOURCES, ROOT, TEMPLATE, Stack, of_type

DEFAULTS = Stack()
OWN_NETWORK = Stack(VpcId="vpc-0a", SubnetIds="subnet-0a,subnet-0b")
TASKS = {"SchedulerTask": "scheduler", "WorkerTask": "worker", "ClientTask": "client"}
SERVICES = ("SchedulerService", "WorkerService")
AFTER = ("<RouteToInternet>", "<SubnetARoutes>", "<SubnetBRoutes>")
MAKEFILE = (ROOT / "Makefile").read_text()


def test_options_are_off_by_default() -> None:
    optional = {name for name, each in RESOURCES.items() if "Condition" in each}
    kept = {name for name in optional if DEFAULTS.has(name)}
    assert all(RESOURCES[name]["Condition"] == "MakesNetwork" for name in kept)
    assert DEFAULTS.properties("Cluster")["ClusterSettings"] == [{"Name": "containerInsights", "Value": "disabled"}]


def test_every_resource_that_others_rely_on_is_there() -> None:
    assert RESOURCES.keys() >= {
        "SpecsBucket", "ResultsBucket", "RunsTable", "SubmitQueue", "SubmitDeadLetters", "RunJob", "Cluster",
        "SchedulerService", "WorkerService", *TASKS, "Api", "ScheduleGroup", "ScheduleRole", "Topic", "Bus",
        "Namespace", "Repository", "TlsParameter",
    }  # fmt: skip
    handlers = {properties["Handler"] for properties in FUNCTIONS.values()}
    assert handlers == {
        f"functions.{name}.handler"
        for name in (
            "submit",
            "api",
            "plan",
            "acquire_workers",
            "await_workers",
            "finish_run",
            "janitor",
            "certificate",
        )
    }


# ---- names


def test_no_physical_name_is_fixed_so_that_stacks_can_stand_side_by_side() -> None:
    inside = {("SchedulerName", "Name"), ("JwtAuthorizer", "Name"), ("ApiStage", "StageName")}  # of parents of ours
    fixed = {
        (name, key)
        for name, each in RESOURCES.items()
        for key, value in each.get("Properties", {}).items()
        if (key.endswith("Name") or key == "Family") and key != "MetricName" and isinstance(value, str)
    }
    assert fixed == inside


# ---- network


def test_tasks_of_the_default_network_reach_the_internet() -> None:
    for service in SERVICES:
        network = DEFAULTS.properties(service)["NetworkConfiguration"]["AwsvpcConfiguration"]
        assert network["AssignPublicIp"] == "ENABLED", "there is no NAT: without an address not even the image comes"
        assert network["Subnets"] == ["<SubnetA>", "<SubnetB>"]
        assert network["SecurityGroups"] == ["<TasksSecurityGroup>"], "else the VPC's default, by which none meet"
    route = DEFAULTS.properties("RouteToInternet")
    assert (route["DestinationCidrBlock"], route["GatewayId"]) == ("0.0.0.0/0", "<InternetGateway>")
    assert RESOURCES["RouteToInternet"]["DependsOn"] == "InternetGatewayAttachment"
    routed = {
        p["SubnetId"]["Ref"]: p["RouteTableId"]["Ref"]
        for p in of_type("AWS::EC2::SubnetRouteTableAssociation").values()
    }
    assert routed == {"SubnetA": "RouteTable", "SubnetB": "RouteTable"}
    vpc = DEFAULTS.properties("Vpc")
    assert vpc["EnableDnsHostnames"] and vpc["EnableDnsSupport"]
    zones = {DEFAULTS.properties(subnet)["AvailabilityZone"] for subnet in ("SubnetA", "SubnetB")}
    assert len(zones) == 2
    endpoints = {p["ServiceName"]: p for p in map(DEFAULTS.properties, of_type("AWS::EC2::VPCEndpoint"))}
    assert set(endpoints) == {"com.amazonaws.us-east-1.s3", "com.amazonaws.us-east-1.dynamodb"}
    assert all(e["VpcEndpointType"] == "Gateway" and e["RouteTableIds"] == ["<RouteTable>"] for e in endpoints.values())
    assert of_type("AWS::EC2::NatGateway") == {}


@pytest.mark.parametrize("resource", [*SERVICES, "DashboardBalancer"])
def test_the_way_out_is_there_before_what_needs_it_and_goes_after_it(resource: str) -> None:
    def after(stack: Stack) -> list[str]:
        named = stack.value(RESOURCES[resource]["Metadata"]["After"])
        return [named] if isinstance(named, str) else named

    needed = ["<RouteToInternet>"] if resource == "DashboardBalancer" else list(AFTER)
    assert after(DEFAULTS) == needed
    assert after(OWN_NETWORK) == [""]


def test_a_network_of_ones_own_takes_the_place_of_ours() -> None:
    assert [
        name for name, each in RESOURCES.items() if each["Type"].startswith("AWS::EC2::") and OWN_NETWORK.has(name)
    ] == [
        "TasksSecurityGroup",
        "TasksFromEachOther",
        "TasksToEachOther",
    ]
    for service in SERVICES:
        network = OWN_NETWORK.properties(service)["NetworkConfiguration"]["AwsvpcConfiguration"]
        assert (network["AssignPublicIp"], network["Subnets"]) == ("DISABLED", ["subnet-0a", "subnet-0b"])
        assert network["SecurityGroups"] == ["<TasksSecurityGroup>"]
    client = OWN_NETWORK.properties("RunJob")["DefinitionSubstitutions"]
    assert (client["AssignPublicIp"], client["Subnets"]) == ("DISABLED", "subnet-0a,subnet-0b")
    assert OWN_NETWORK.properties("Namespace")["Vpc"] == "vpc-0a"


def test_the_client_runs_where_the_services_run() -> None:
    client = DEFAULTS.properties("RunJob")["DefinitionSubstitutions"]
    assert client["Subnets"] == "<SubnetA>,<SubnetB>"
    assert (client["SecurityGroup"], client["AssignPublicIp"]) == ("<TasksSecurityGroup>", "ENABLED")


def test_nobody_reaches_a_task_but_the_others_and_they_reach_https_alone() -> None:
    group = DEFAULTS.properties("TasksSecurityGroup")
    assert "SecurityGroupIngress" not in group
    [out] = group["SecurityGroupEgress"]
    assert (out["CidrIp"], out["FromPort"], out["ToPort"], out["IpProtocol"]) == ("0.0.0.0/0", 443, 443, "tcp")
    inside = {
        name: DEFAULTS.properties(name) for name in of_type("AWS::EC2::SecurityGroupIngress") if DEFAULTS.has(name)
    }
    assert [p["SourceSecurityGroupId"] for p in inside.values()] == ["<TasksSecurityGroup>"]
    outside = [DEFAULTS.properties(name) for name in of_type("AWS::EC2::SecurityGroupEgress") if DEFAULTS.has(name)]
    assert [p["DestinationSecurityGroupId"] for p in outside] == ["<TasksSecurityGroup>"]
    for rule in (*inside.values(), *outside):  # the scheduler's 8786, and whatever ports workers take
        assert (rule["GroupId"], rule["FromPort"], rule["ToPort"]) == ("<TasksSecurityGroup>", 1024, 65535)


def test_the_dask_dashboard_is_fenced() -> None:
    public = Stack(Dashboard="public", DashboardCidr="192.0.2.0/24", CertificateArn="arn:aws:acm:x")
    internal = Stack(Dashboard="internal", DashboardCidr="10.0.0.0/20")
    assert public.properties("DashboardBalancer")["Scheme"] == "internet-facing"
    assert internal.properties("DashboardBalancer")["Scheme"] == "internal"
    [rule] = public.properties("DashboardSecurityGroup")["SecurityGroupIngress"]
    assert (rule["CidrIp"], rule["FromPort"], rule["ToPort"]) == ("192.0.2.0/24", 443, 443)
    assert public.properties("DashboardListener")["Protocol"] == "TLS"
    into = public.properties("SchedulerFromDashboard")
    assert (into["SourceSecurityGroupId"], into["FromPort"]) == ("<DashboardSecurityGroup>", 8787)
    environment = {
        e["Name"]: e["Value"] for e in public.properties("SchedulerTask")["ContainerDefinitions"][0]["Environment"]
    }
    assert environment["DISPATCH_TARGET_GROUP"] == "<DashboardTargets>"
    assert "LoadBalancers" not in public.properties("SchedulerService"), "its health check would end busy schedulers"


@pytest.mark.parametrize(
    ("parameters", "broken"),
    [
        ({}, None),
        ({"Dashboard": "internal", "DashboardCidr": "10.0.0.0/20"}, None),
        ({"Dashboard": "internal"}, "DashboardIsFenced"),
        ({"Dashboard": "public", "DashboardCidr": "192.0.2.0/24"}, "PublicDashboardIsEncrypted"),
        ({"VpcId": "vpc-0a"}, "OwnNetworkIsWhole"),
        ({"JwtIssuer": "https://issuer.example"}, "JwtIsWhole"),
        ({"WorkerVcpus": "16", "WorkerMemory": "120"}, None),
        ({"WorkerVcpus": "1", "WorkerMemory": "16"}, "WorkerSizeExists"),
        ({"WorkerVcpus": "4", "WorkerMemory": "32"}, "WorkerSizeExists"),
        ({"ClientVcpus": "8", "ClientMemory": "8"}, "ClientSizeExists"),
        ({"SchedulerVcpus": "2", "SchedulerMemory": "2"}, "SchedulerSizeExists"),
    ],
)
def test_parameters_that_do_not_go_together_are_refused_before_anything_is_made(
    parameters: dict[str, str], broken: str | None
) -> None:
    stack = Stack(**parameters)
    failed = [
        name
        for name, rule in TEMPLATE["Rules"].items()
        if "RuleCondition" not in rule or stack.true(rule["RuleCondition"])
        if not all(stack.true(each["Assert"]) for each in rule["Assertions"])
    ]
    assert failed == ([broken] if broken else [])


def test_every_size_that_may_be_chosen_is_in_the_tables() -> None:
    for name, table in (("Vcpus", "CpuUnits"), ("Memory", "MemoryMib")):
        for what in ("Worker", "Client", "Scheduler"):
            assert set(TEMPLATE["Parameters"][what + name]["AllowedValues"]) == set(TEMPLATE["Mappings"][table]["Of"])
    assert all(int(mib) == 1024 * int(gb) for gb, mib in TEMPLATE["Mappings"]["MemoryMib"]["Of"].items())
    assert all(int(units) == 1024 * int(n) for n, units in TEMPLATE["Mappings"]["CpuUnits"]["Of"].items())


# ---- Dask on Fargate


def test_the_first_deploy_starts_no_task_because_there_is_no_image_and_no_later_one_changes_a_count() -> None:
    for service in SERVICES:
        assert Stack(Bootstrap="true").properties(service)["DesiredCount"] == 0
        assert "DesiredCount" not in Stack(Bootstrap="false").properties(service)
    assert of_type("AWS::ApplicationAutoScaling::ScalableTarget") == {}


def test_a_deployment_never_runs_more_tasks_than_are_leased_nor_two_schedulers() -> None:
    for service in SERVICES:
        deployment = DEFAULTS.properties(service)["DeploymentConfiguration"]
        assert deployment == {"MinimumHealthyPercent": 0, "MaximumPercent": 100}


@pytest.mark.parametrize("share", ["0", "25", "50", "75", "100"])
def test_workers_are_spread_over_spot_as_asked_and_the_scheduler_never_is(share: str) -> None:
    stack = Stack(SpotShare=share)
    weights = {
        p["CapacityProvider"]: p["Weight"] for p in stack.properties("WorkerService")["CapacityProviderStrategy"]
    }
    assert weights == {"FARGATE": 100 - int(share), "FARGATE_SPOT": int(share)}
    assert [p["CapacityProvider"] for p in stack.properties("SchedulerService")["CapacityProviderStrategy"]] == [
        "FARGATE"
    ]


@pytest.mark.parametrize("task", TASKS)
def test_a_task_definition_is_whole(task: str) -> None:
    stack = Stack(Architecture="X86_64", ImageTag="abc")
    definition, role = stack.properties(task), TASKS[task]
    [container] = definition["ContainerDefinitions"]
    assert RESOURCES[task]["UpdateReplacePolicy"] == "Retain", "a run that waited goes on with its revision"
    assert definition["Family"] == f"taxis-{role}"
    assert definition["RuntimePlatform"] == {"CpuArchitecture": "X86_64", "OperatingSystemFamily": "LINUX"}
    assert (definition["NetworkMode"], definition["RequiresCompatibilities"]) == ("awsvpc", ["FARGATE"])
    assert (container["Name"], container["Command"], container["StopTimeout"]) == ("dispatch", [role], 120)
    assert container["Image"] == "<Repository.RepositoryUri>:abc"
    assert container["Secrets"] == [{"Name": "DISPATCH_TLS", "ValueFrom": "<TlsParameter>"}]
    assert container["LogConfiguration"]["Options"]["awslogs-group"] == "<ContainerLogs>"
    environment = {each["Name"]: each["Value"] for each in container["Environment"]}
    assert environment.pop("DISPATCH_CODE_VERSION") == "abc"
    name = f"{stack.properties('SchedulerName')['Name']}.{stack.properties('Namespace')['Name']}"
    assert environment == ({"DISPATCH_SCHEDULER": f"tls://{name}:8786"} if role == "worker" else {})


def test_the_schedulers_name_forgets_an_old_address_within_seconds() -> None:
    assert DEFAULTS.properties("SchedulerName")["DnsConfig"]["DnsRecords"] == [{"Type": "A", "TTL": 5}]


@pytest.mark.parametrize(
    ("architecture", "kind", "platform"),
    [("ARM64", "ARM_CONTAINER", "linux/arm64"), ("X86_64", "LINUX_CONTAINER", "linux/amd64")],
)
def test_the_image_is_built_for_the_processor_that_its_tasks_run_on(
    architecture: str, kind: str, platform: str
) -> None:
    from cli.cloud.builds import MACHINES
    from cli.stage import PLATFORMS

    build = Stack(Architecture=architecture).properties("ImageBuild")["Environment"]
    assert (build["Type"], build["PrivilegedMode"]) == (kind, True)
    assert MACHINES[platform] == (kind, build["Image"])
    assert ("aarch64" in build["Image"]) == (architecture == "ARM64")
    assert (
        {e["Name"]: e["Value"] for e in build["EnvironmentVariables"]}["PLATFORM"]
        == platform
        == PLATFORMS[architecture]
    )


def test_codebuild_looks_for_its_source_where_the_command_line_puts_it() -> None:
    from cli.cloud.builds import SOURCE

    assert DEFAULTS.properties("ImageBuild")["Source"]["Location"] == f"<SpecsBucket>/{SOURCE}"


def test_images_never_change_and_go_with_the_stack_or_when_no_tag_names_them() -> None:
    repository = DEFAULTS.properties("Repository")
    assert (repository["ImageTagMutability"], repository["EmptyOnDelete"]) == ("IMMUTABLE", True)
    [rule] = json.loads(repository["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
    assert rule["selection"]["tagStatus"] == "untagged", "by count or age the image that runs would go too"


def test_base_images_come_from_where_pulls_are_not_limited() -> None:
    stages: set[str] = set()
    for line in re.findall(r"^FROM (.+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE):
        source, _, name = line.partition(" AS ")
        assert source in stages or source == "on-${TARGETARCH}" or source.startswith("public.ecr.aws/"), line
        stages.add(name)
    assert {"on-amd64", "on-arm64"} <= stages


def test_the_image_warms_its_loops_for_a_named_processor_as_the_user_who_runs_them() -> None:
    text = (ROOT / "Dockerfile").read_text()
    named = dict(re.findall(r"FROM base AS on-(\w+)\nENV NUMBA_CPU_NAME=(\S+)", text))
    assert set(named) == {"amd64", "arm64"}
    assert 'NUMBA_CPU_FEATURES=""' in text
    assert text.index("USER dispatch") < text.index("jobs.runtime.warm") < text.index("ENTRYPOINT")
    assert 'ENTRYPOINT ["python", "-m", "jobs.runtime.container"]' in text
    assert TEMPLATE["Globals"]["Function"]["Runtime"].removeprefix("python") in text


# ---- storage


@pytest.mark.parametrize("bucket", of_type("AWS::S3::Bucket"))
def test_a_bucket_is_encrypted_private_versioned_and_reached_by_tls_alone(bucket: str) -> None:
    properties = DEFAULTS.properties(bucket)
    assert properties["BucketEncryption"]
    assert all(properties["PublicAccessBlockConfiguration"].values())
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    rules = properties["LifecycleConfiguration"]["Rules"]
    assert any("NoncurrentVersionExpiration" in rule and "AbortIncompleteMultipartUpload" in rule for rule in rules)
    [policy] = [p for p in map(DEFAULTS.properties, of_type("AWS::S3::BucketPolicy")) if p["Bucket"] == f"<{bucket}>"]
    [statement] = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == [f"<{bucket}.Arn>", f"<{bucket}.Arn>/*"]


def test_the_runs_table_is_what_the_adapters_expect() -> None:
    from functions.adapters.run_items import INDEX, OPEN, OPEN_INDEX

    table = DEFAULTS.properties("RunsTable")
    assert table["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]
    indexes = {
        index["IndexName"]: [key["AttributeName"] for key in index["KeySchema"]]
        for index in table["GlobalSecondaryIndexes"]
    }
    assert indexes == {INDEX: ["listed", "created_at"], OPEN_INDEX: [OPEN, "created_at"]}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
    assert table["BillingMode"] == "PAY_PER_REQUEST"


# ---- triggers


def test_no_key_that_we_write_can_ever_trigger_us() -> None:
    from cli.cloud.builds import SOURCE

    pattern = DEFAULTS.properties("SpecDropped")["EventPattern"]
    assert pattern["detail-type"] == ["Object Created"], "a put makes other events too"
    assert pattern["detail"]["bucket"] == {"name": ["<SpecsBucket>"]}
    [rule] = pattern["detail"]["object"]["key"]
    dropped = keys.SPECS + "answers/specs/a.json"
    ours = [keys.error_answer(dropped), keys.run_answer(dropped), keys.run_file("r", "specs/x"), SOURCE]
    assert dropped.startswith(rule["prefix"])
    assert [key for key in ours if key.startswith(rule["prefix"])] == []


def test_a_message_is_tried_for_longer_than_a_try_takes_and_is_kept_when_it_fails() -> None:
    queue, submit = DEFAULTS.properties("SubmitQueue"), DEFAULTS.properties("SubmitFunction")
    assert queue["VisibilityTimeout"] >= 6 * submit["Timeout"]
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == "<SubmitDeadLetters.Arn>"
    assert queue["RedrivePolicy"]["maxReceiveCount"] >= 5, "one that Lambda throttled counts as received"
    assert queue["MessageRetentionPeriod"] >= 2 * queue["RedrivePolicy"]["maxReceiveCount"] * queue["VisibilityTimeout"]
    assert DEFAULTS.properties("SubmitDeadLetters")["MessageRetentionPeriod"] == 14 * 24 * 3600
    source = DEFAULTS.properties("SubmitFromQueue")
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert submit["Environment"]["Variables"]["MAX_RECEIVES"] == queue["RedrivePolicy"]["maxReceiveCount"] == 5
    slow_ones = submit["Timeout"] * 1000 // LONGEST_MS  # that one call gets through
    assert slow_ones * (queue["RedrivePolicy"]["maxReceiveCount"] - 1) > source["BatchSize"], "none starves the others"


@pytest.mark.parametrize("route", of_type("AWS::ApiGatewayV2::Route"))
def test_the_api_knows_its_callers_on_every_route(route: str) -> None:
    assert DEFAULTS.properties(route)["AuthorizationType"] == "AWS_IAM"
    tokens = Stack(JwtIssuer="https://issuer.example", JwtAudience="dispatch")
    assert tokens.properties(route)["AuthorizationType"] == "JWT"
    assert tokens.properties(route)["AuthorizerId"] == "<JwtAuthorizer>"


def test_the_api_is_throttled_and_writes_down_who_calls() -> None:
    stage = DEFAULTS.properties("ApiStage")
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] <= 100
    assert stage["AccessLogSettings"]["DestinationArn"] == "<ApiAccessLogs.Arn>"
    assert DEFAULTS.properties("ApiFunction")["Timeout"] < 30, "an HTTP API waits no longer"


def test_the_sample_schedule_hands_in_a_spec_that_is_good() -> None:
    from jobs import JOBS
    from jobspec import parse_spec

    assert not DEFAULTS.has("SampleMonthlySchedule")
    stack = Stack(SampleSchedule="s3://lake/yellow_tripdata_{scheduled:%Y-%m}.parquet")
    schedule = stack.properties("SampleMonthlySchedule")
    message = json.loads(schedule["Target"]["Input"])
    assert set(message) == {"trigger", "name", "spec", "scheduled"}
    assert message["scheduled"] == "<aws.scheduler.scheduled-time>"
    trips = [uri.replace("{scheduled:%Y-%m}", "2018-01") for uri in message["spec"]["params"]["trips"]]
    parse_spec(message["spec"] | {"params": {"trips": trips}}, JOBS)
    assert (schedule["GroupName"], schedule["Target"]["Arn"]) == ("<ScheduleGroup>", "<SubmitQueue.Arn>")


def test_executions_that_ended_without_their_last_state_are_heard_of() -> None:
    pattern = DEFAULTS.properties("RunEnded")["EventPattern"]
    assert pattern["detail"]["status"] == ["FAILED", "ABORTED", "TIMED_OUT"]
    assert pattern["detail"]["stateMachineArn"] == ["<RunJob>"]
    for rule, permission in (("RunEnded", "RunEndedMayCall"), ("EveryFiveMinutes", "EveryFiveMinutesMayCall")):
        assert DEFAULTS.properties(permission)["SourceArn"] == f"<{rule}.Arn>"
        assert DEFAULTS.properties(permission)["FunctionName"] == DEFAULTS.properties(rule)["Targets"][0]["Arn"]


@pytest.mark.parametrize(
    ("rule", "target"),
    [("SpecDropped", "SubmitQueue"), ("RunEnded", "FinishRunFunction"), ("EveryFiveMinutes", "JanitorFunction")],
)
def test_every_rule_is_on_and_calls_whom_it_is_for(rule: str, target: str) -> None:
    assert set(of_type("AWS::Events::Rule")) == {"SpecDropped", "RunEnded", "EveryFiveMinutes"}
    properties = DEFAULTS.properties(rule)
    assert properties.get("State", "ENABLED") == "ENABLED"
    assert [each["Arn"] for each in properties["Targets"]] == [f"<{target}.Arn>"]


def test_every_trigger_is_on() -> None:
    assert DEFAULTS.properties("SubmitFromQueue").get("Enabled", True) is True
    assert DEFAULTS.properties("SubmitFromQueue")["EventSourceArn"] == "<SubmitQueue.Arn>"
    sample = Stack(SampleSchedule="s3://lake/{scheduled:%Y-%m}.parquet").properties("SampleMonthlySchedule")
    assert sample.get("State", "ENABLED") == "ENABLED"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_the_time_that_its_work_takes(function: str) -> None:
    """A sweep of a hundred runs, each ended by a function of a minute; the API's caller waits no longer than this."""
    needed = {"JanitorFunction": 240, "SubmitFunction": 120, "ApiFunction": 29}
    everywhere = TEMPLATE["Globals"]["Function"]["Timeout"]
    assert DEFAULTS.properties(function).get("Timeout", everywhere) == needed.get(function, 60)
    assert needed["JanitorFunction"] < 300, "the next one begins then"


# ---- logs, alarms, packaging


def test_every_log_ends() -> None:
    for name, properties in of_type("AWS::Logs::LogGroup").items():
        assert properties["RetentionInDays"] == {"Ref": "LogRetentionDays"}, name
    groups = [properties["LoggingConfig"]["LogGroup"]["Ref"] for properties in FUNCTIONS.values()]
    assert len(set(groups)) == len(FUNCTIONS)


RUN_JOB = {"StateMachineArn": "<RunJob>"}
OURS = {"service": "dispatch"}  # as Powertools says it
JANITOR = {"FunctionName": "<JanitorFunction>"}
# What an alarm watches: namespace, metric, dimensions, statistic, seconds, periods.
ALARMS: dict[str, tuple[Any, ...]] = {
    "FailedRuns": ("AWS/States", "ExecutionsFailed", RUN_JOB, "Sum", 300, 1),
    "LostSpecs": (
        "AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": "<SubmitDeadLetters.QueueName>"},
        "Maximum", 300, 1,
    ),
    "LateLeases": ("taxis", "OverdueLeases", OURS, "Maximum", 300, 2),
    "Strays": ("taxis", "StrayTasks", OURS, "Maximum", 300, 3),
    "Throttled": ("AWS/Lambda", "Throttles", {}, "Sum", 300, 2),
    "JanitorFails": ("AWS/Lambda", "Errors", JANITOR, "Sum", 300, 2),
    "JanitorMissing": ("AWS/Lambda", "Invocations", JANITOR, "Sum", 900, 1),
}  # fmt: skip


@pytest.mark.parametrize("name", of_type("AWS::CloudWatch::Alarm"))
def test_an_alarm_watches_what_there_is_and_tells_of_the_first(name: str) -> None:
    alarm = Stack(Alarms="true").properties(name)
    dimensions = {each["Name"]: each["Value"] for each in alarm.get("Dimensions", [])}
    keys = ("Namespace", "MetricName", "Statistic", "Period", "EvaluationPeriods")
    namespace, metric, statistic, period, periods = (alarm[key] for key in keys)
    assert (namespace, metric, dimensions, statistic, period, periods) == ALARMS[name]
    silence_is_bad = name == "JanitorMissing"
    assert alarm["Threshold"] == 1
    comparison = "LessThanThreshold" if silence_is_bad else "GreaterThanOrEqualToThreshold"
    assert alarm["ComparisonOperator"] == comparison
    assert alarm["TreatMissingData"] == ("breaching" if silence_is_bad else "notBreaching")
    assert alarm["AlarmActions"] == ["<Topic>"]
    assert alarm.get("ActionsEnabled", True) is True
    assert RESOURCES[name]["Condition"] == "HasAlarms"


def test_every_alarm_is_there_and_every_metric_of_ours_is_sent() -> None:
    assert set(ALARMS) == set(of_type("AWS::CloudWatch::Alarm"))
    sent = (ROOT / "functions" / "janitor.py").read_text()
    for namespace, metric, *_ in ALARMS.values():
        assert namespace != "taxis" or f'"{metric}"' in sent, metric
    variables = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == {"Ref": "AWS::StackName"}
    assert variables["POWERTOOLS_SERVICE_NAME"] == OURS["service"]


def test_the_janitor_is_missed_after_as_long_as_three_of_its_calls() -> None:
    assert DEFAULTS.properties("EveryFiveMinutes")["ScheduleExpression"] == "rate(5 minutes)"
    assert ALARMS["JanitorMissing"][4] == 3 * 300


def test_functions_are_built_for_where_they_run() -> None:
    everywhere = TEMPLATE["Globals"]["Function"]
    recipe = (ROOT / "functions" / "Makefile").read_text()
    assert everywhere["Runtime"] == "python" + re.findall(r"^PYTHON_VERSION \?= (\S+)$", recipe, re.MULTILINE)[0]
    assert everywhere["Architectures"] == ["arm64"]
    assert re.findall(r"^PLATFORM \?= (\S+)$", recipe, re.MULTILINE)[0].startswith("aarch64-")
    for name in FUNCTIONS:
        assert RESOURCES[name]["Metadata"] == {"BuildMethod": "makefile", "WorkingDirectory": "."}, name


def test_no_build_is_taken_from_a_cache() -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    for stage in ("default", "dev", "prod"):
        assert config[stage]["build"]["parameters"]["cached"] is False


def test_stages_are_deployed_with_parameters_that_there_are() -> None:
    from cli.stage import stage

    for name in ("dev", "prod"):
        assert stage(name, ROOT / "samconfig.toml").parameters.keys() <= TEMPLATE["Parameters"].keys()


def test_the_notebook_has_the_versions_of_the_image() -> None:
    pinned = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    script: Any = Stack(Notebook="true").properties("NotebookStart")["OnStart"][0]["Content"]
    for name in ("dask", "distributed", "s3fs"):
        assert re.search(rf"\b{name}(?:\[dataframe\])?=={re.escape(pinned[name])}\b", script), name


def test_what_is_pinned_for_functions_and_tools_is_hashed_and_names_no_registry() -> None:
    for pins in [*(ROOT / "functions").glob("requirements*.txt"), ROOT / "requirements-sam.txt"]:
        text = pins.read_text()
        assert "://" not in text, pins.name
        assert text.count("==") <= text.count("--hash=sha256:"), pins.name
    lock = (ROOT / "statemachine" / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert lock.count('"integrity"') == lock.count('"node_modules/')


@pytest.mark.parametrize("target", ["validate", "build", "image", "deploy", "destroy"])
def test_make_knows_how_to_deploy(target: str) -> None:
    assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)


# ---- documents


def test_every_parameter_is_documented_with_its_default() -> None:
    rows = re.findall(r"^\| (`[A-Z].*?`) \| (.*?) \|", (ROOT / "docs" / "deploy.md").read_text(), re.MULTILINE)
    documented = {name: defaults for names, defaults in rows for name in re.findall(r"`(\w+)`", names)}
    assert documented.keys() == TEMPLATE["Parameters"].keys()
    for name, parameter in TEMPLATE["Parameters"].items():
        default = str(parameter.get("Default", "set by")) or "none"
        assert default in documented[name] or documented[name] == "`off`" or name == "Bootstrap", name


def test_the_first_spec_of_the_page_is_one_that_a_stack_takes() -> None:
    from functions.core.inputs import check_readable
    from jobs import JOBS
    from jobspec import SpecError, parse_spec

    page = (ROOT / "docs" / "deploy.md").read_text()
    [text] = re.findall(r"<<'END'\n(.*?)\n +END$", page, re.DOTALL | re.MULTILINE)
    check_readable(parse_spec(text, JOBS))
    with pytest.raises(SpecError):  # which is why the page says so
        check_readable(parse_spec((ROOT / "examples" / "specs" / "explore-trips.json").read_bytes(), JOBS))


def test_a_stack_with_the_defaults_costs_less_than_a_dollar_a_month_while_nothing_runs() -> None:
    from docs import idle_cost

    assert idle_cost.total(idle_cost.IDLE) < idle_cost.TARGET_USD
    assert idle_cost.PAGE.read_text("utf-8") == idle_cost.page()


def test_nothing_that_is_billed_by_the_hour_is_there_by_default() -> None:
    by_the_hour = (
        "AWS::EC2::NatGateway", "AWS::EC2::EIP", "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::KMS::Key",
        "AWS::SageMaker::NotebookInstance", "AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard",
        "AWS::SecretsManager::Secret", "AWS::ApplicationAutoScaling::ScalableTarget",
    )  # fmt: skip
    assert [name for name, each in RESOURCES.items() if each["Type"] in by_the_hour and DEFAULTS.has(name)] == []
    interfaces = [
        p for p in map(DEFAULTS.properties, of_type("AWS::EC2::VPCEndpoint")) if p["VpcEndpointType"] != "Gateway"
    ]
    assert interfaces == []


def test_what_the_costs_count_is_what_the_template_holds() -> None:
    from cli.deploying import KEPT_IMAGES
    from docs.idle_cost import IDLE, MINUTES, OPTIONS

    counted = {line.what: line.quantity for line in IDLE}
    assert DEFAULTS.properties("EveryFiveMinutes")["ScheduleExpression"] == "rate(5 minutes)"
    assert counted["Janitor, calls"] == MINUTES / 5
    assert len(of_type("AWS::ServiceDiscovery::PrivateDnsNamespace")) == counted["Private DNS zone of Cloud Map"] == 1
    assert len(of_type("AWS::Lambda::EventSourceMapping")) == 1, "each polls a queue"
    [alarms] = OPTIONS["`Alarms=true`"]
    assert alarms.quantity == len(of_type("AWS::CloudWatch::Alarm"))
    assert counted["Images"] == KEPT_IMAGES * 0.35
