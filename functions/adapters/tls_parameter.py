"""The SecureString that holds the stack's TLS key and certificate."""

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient


class TlsParameter:
    """Writes and removes it, and reads which it is; ECS reads it for the containers."""

    def __init__(self, ssm: "SSMClient") -> None:
        self._ssm = ssm

    def generation(self, name: str) -> int | None:
        """Of the key that it holds; None where there is no such parameter."""
        try:
            kept = self._ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
        except self._ssm.exceptions.ParameterNotFound:
            return None
        return int(json.loads(kept)["generation"])

    def make(self, name: str, document: str) -> None:
        """Write it unless it is there: CloudFormation may ask twice, and the first key may be in use by then."""
        try:
            self._put(name, document, overwrite=False)
        except self._ssm.exceptions.ParameterAlreadyExists:
            return

    def replace(self, name: str, document: str) -> None:
        """Write it, whatever was there."""
        self._put(name, document, overwrite=True)

    def remove(self, name: str) -> None:
        """Remove it; one that is not there counts as removed."""
        try:
            self._ssm.delete_parameter(Name=name)
        except self._ssm.exceptions.ParameterNotFound:
            return

    def _put(self, name: str, document: str, overwrite: bool) -> None:
        self._ssm.put_parameter(
            Name=name,
            Description="TLS key and certificate of Dask's parts",
            Value=document,
            Type="SecureString",
            Overwrite=overwrite,
        )
