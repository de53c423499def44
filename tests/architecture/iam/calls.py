"""Which calls to AWS code makes while it runs, whichever client makes them: botocore tells."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.session
from botocore import handlers
from botocore.loaders import create_loader

_MODELS = create_loader()  # of the services: to read them anew for every recording takes seconds
Actor = str | Callable[[], str]


@dataclass
class Call:
    """One call of an operation."""

    service: str  # as boto3 names it
    operation: str
    parameters: dict[str, Any]
    actor: str  # on whose behalf
    absent: bool = False  # the answer was 404


class Recorder:
    """The calls that were made while somebody acted."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._actor: Actor | None = None

    @contextmanager
    def acting_as(self, actor: Actor) -> Iterator[None]:
        """What is called meanwhile is called by that function or role, or by the one that `actor` says as it is called.

        Whatever else is called is set-up.
        """
        before, self._actor = self._actor, actor
        try:
            yield
        finally:
            self._actor = before

    def on_call(self, params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        if self._actor is not None:
            actor = self._actor if isinstance(self._actor, str) else self._actor()
            call = Call(model.service_model.service_name, model.name, dict(params), actor)
            context["dispatch_call"] = call
            self.calls.append(call)

    def on_answer(self, http_response: Any, context: dict[str, Any], **_: Any) -> None:
        if "dispatch_call" in context:
            context["dispatch_call"].absent = http_response.status_code == 404


@contextmanager
def recording() -> Iterator[Recorder]:
    """Record the calls of every client that is made meanwhile."""
    recorder = Recorder()
    hooks = [("provide-client-params", recorder.on_call), ("after-call", recorder.on_answer)]
    before = boto3.DEFAULT_SESSION
    handlers.BUILTIN_HANDLERS.extend(hooks)  # sessions take the handlers when they are made
    session = botocore.session.get_session()
    session.register_component("data_loader", _MODELS)
    boto3.setup_default_session(botocore_session=session)
    try:
        yield recorder
    finally:
        for hook in hooks:
            handlers.BUILTIN_HANDLERS.remove(hook)
        boto3.DEFAULT_SESSION = before
