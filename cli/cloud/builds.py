"""CodeBuild: builds the image in the account, from sources in the specs bucket."""

import time
from collections.abc import Callable
from typing import Any

import boto3

from cli.cloud.buckets import Buckets
from jobspec import DispatchError

SOURCE = "source/image.zip"
"""Where the project looks for its source: no key that the trigger matches."""
MACHINES = {
    "linux/arm64": ("ARM_CONTAINER", "aws/codebuild/amazonlinux-aarch64-standard:3.0"),
    "linux/amd64": ("LINUX_CONTAINER", "aws/codebuild/amazonlinux-x86_64-standard:5.0"),
}
"""By platform: kind and image of the machine that builds for it. The template says so too, but of the processor that
the stack has, which need not be the one that it is about to get."""


class Builds:
    """The builds of one region."""

    def __init__(self, region: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._codebuild: Any = boto3.client("codebuild", region_name=region)
        self._buckets = Buckets(region)
        self._sleep = sleep

    def build(self, project: str, bucket: str, source: bytes, tag: str, platform: str) -> None:
        """Build and push the image of that tag for that platform.

        Raises DispatchError, with where its log is, if that fails.
        """
        self._buckets.put(bucket, SOURCE, source)
        kind, image = MACHINES[platform]
        started = self._codebuild.start_build(
            projectName=project,
            environmentTypeOverride=kind,
            imageOverride=image,
            environmentVariablesOverride=[
                {"name": "IMAGE_TAG", "value": tag, "type": "PLAINTEXT"},
                {"name": "PLATFORM", "value": platform, "type": "PLAINTEXT"},
            ],
        )
        build = started["build"]
        while build["buildStatus"] == "IN_PROGRESS":
            self._sleep(10)
            build = self._codebuild.batch_get_builds(ids=[build["id"]])["builds"][0]
        if build["buildStatus"] != "SUCCEEDED":
            log = build.get("logs", {}).get("deepLink", "CodeBuild")
            raise DispatchError(f"the image was not built ({build['buildStatus'].lower()}); its log: {log}")
