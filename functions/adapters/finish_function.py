"""The function finish_run, called by another function and waited for."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.core.finishing import Ending, event_of
from jobspec import DispatchError

if TYPE_CHECKING:
    from botocore.config import Config
    from types_boto3_lambda import LambdaClient


@dataclass(frozen=True)
class FinishFunction:
    """The function that alone ends runs."""

    client: "LambdaClient"
    name: str

    @staticmethod
    def config() -> "Config":
        """The client's: by default the SDK calls again after a minute without an answer, and so would work it twice."""
        from botocore.config import Config  # a sixth of the import of every handler

        return Config(read_timeout=65, retries={"total_max_attempts": 1})

    def __call__(self, ending: Ending) -> None:
        """End a run. Raises DispatchError where the function failed; it may be called again."""
        answer = self.client.invoke(FunctionName=self.name, Payload=json.dumps(event_of(ending)).encode())
        if "FunctionError" in answer:
            raise DispatchError(f"{ending.run_id} could not be ended: {answer['Payload'].read().decode()}")
