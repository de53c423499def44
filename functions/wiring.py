"""The composition root: which adapter stands behind which port. Nothing is made or read before it is used."""

from functools import cache, cached_property

import boto3

from functions.adapters.drained import is_drained
from functions.adapters.tls_parameter import TlsParameter
from functions.settings import Settings


class Wiring:
    """The adapters of one process; each is made when it is first asked for."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()

    @cached_property
    def tls_parameter(self) -> TlsParameter:
        """The SecureString of the stack's TLS key and certificate."""
        return TlsParameter(boto3.client("ssm"))

    def drained(self) -> bool:
        """Whether no run holds workers, nor may get any."""
        return is_drained(boto3.resource("dynamodb").Table(self.settings.runs_table))


@cache
def wiring() -> Wiring:
    """The adapters of this Lambda environment, kept while it is warm."""
    return Wiring()
