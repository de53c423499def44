"""ECR: which images there are."""

from base64 import b64decode
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import boto3

DELETED = 100  # images that one call deletes


class Images:
    """The images of one repository, named by its address."""

    def __init__(self, region: str, repository: str) -> None:
        self._ecr: Any = boto3.client("ecr", region_name=region)
        self.repository = repository
        self._name = repository.split("/", 1)[1]

    def has(self, tag: str) -> bool:
        """Whether an image of that tag was pushed."""
        try:
            self._ecr.describe_images(repositoryName=self._name, imageIds=[{"imageTag": tag}])
        except (self._ecr.exceptions.ImageNotFoundException, self._ecr.exceptions.RepositoryNotFoundException):
            return False
        return True

    def pushed(self) -> dict[str, datetime]:
        """Every tag, with when its image was pushed."""
        pages = self._ecr.get_paginator("describe_images").paginate(
            repositoryName=self._name, filter={"tagStatus": "TAGGED"}
        )
        return {
            tag: image["imagePushedAt"]
            for page in pages
            for image in page["imageDetails"]
            for tag in image["imageTags"]
        }

    def delete(self, tags: Sequence[str]) -> None:
        """Delete the images of these tags; what is gone already counts as deleted."""
        for at in range(0, len(tags), DELETED):
            ids = [{"imageTag": tag} for tag in tags[at : at + DELETED]]
            self._ecr.batch_delete_image(repositoryName=self._name, imageIds=ids)

    def password(self) -> bytes:
        """What `docker login` takes, for the user AWS; good for twelve hours."""
        token = self._ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        return b64decode(token).split(b":", 1)[1]
