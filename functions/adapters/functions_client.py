"""The function submit, called by another function and waited for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jobspec import Unanswered

if TYPE_CHECKING:
    from botocore.config import Config
    from types_boto3_lambda import LambdaClient


@dataclass(frozen=True)
class SubmitFunction:
    """The function that is the only door to a new run."""

    client: "LambdaClient"
    name: str

    @staticmethod
    def config() -> "Config":
        """The client's: by default the SDK calls again after a minute without an answer, and that is another call."""
        from botocore.config import Config  # a sixth of the import of every handler

        return Config(read_timeout=28, retries={"total_max_attempts": 1})

    def __call__(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Its answer: `run`, `plan` or `problem`. Raises Unanswered."""
        answer = self.client.invoke(FunctionName=self.name, Payload=json.dumps(document).encode())
        payload = answer["Payload"].read()
        if "FunctionError" in answer:
            raise Unanswered("the submission broke off; try again with the same Idempotency-Key")
        result: dict[str, Any] = json.loads(payload)
        return result
