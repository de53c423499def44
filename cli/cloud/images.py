"""ECR: which images there are."""

from base64 import b64decode
from typing import Any

import boto3


class Images:
    """The images of one repository, named by its address."""

    def __init__(self, region: str, repository: str) -> None:
        self._ecr: Any = boto3.client("ecr", region_name=region)
        self.repository = repository

    def has(self, tag: str) -> bool:
        """Whether an image of that tag was pushed."""
        name = self.repository.split("/", 1)[1]
        try:
            self._ecr.describe_images(repositoryName=name, imageIds=[{"imageTag": tag}])
        except (self._ecr.exceptions.ImageNotFoundException, self._ecr.exceptions.RepositoryNotFoundException):
            return False
        return True

    def password(self) -> bytes:
        """What `docker login` takes, for the user AWS; good for twelve hours."""
        token = self._ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        return b64decode(token).split(b":", 1)[1]
