"""CodeBuild: builds the image in the account, from sources in the specs bucket."""

import time
from collections.abc import Callable
from typing import Any

import boto3

from cli.cloud.buckets import Buckets
from jobspec import DispatchError

SOURCE = "source/image.zip"
"""Where the project looks for its source: no key that the trigger matches."""


class Builds:
    """The builds of one region."""

    def __init__(self, region: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._codebuild: Any = boto3.client("codebuild", region_name=region)
        self._buckets = Buckets(region)
        self._sleep = sleep

    def build(self, project: str, bucket: str, source: bytes, tag: str) -> None:
        """Build and push the image of that tag. Raises DispatchError, with where its log is, if that fails."""
        self._buckets.put(bucket, SOURCE, source)
        started = self._codebuild.start_build(
            projectName=project, environmentVariablesOverride=[{"name": "IMAGE_TAG", "value": tag}]
        )
        build = started["build"]
        while build["buildStatus"] == "IN_PROGRESS":
            self._sleep(10)
            build = self._codebuild.batch_get_builds(ids=[build["id"]])["builds"][0]
        if build["buildStatus"] != "SUCCEEDED":
            log = build.get("logs", {}).get("deepLink", "CodeBuild")
            raise DispatchError(f"the image was not built ({build['buildStatus'].lower()}); its log: {log}")
