"""What the SDK raises, by one name that the state machine repeats and that clients understand."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from jobspec import Unanswered

SDK_ERRORS = (ClientError, BotoCoreError)


@contextmanager
def sdk_errors_as_unanswered() -> Iterator[None]:
    """Raises Unanswered for whatever AWS refused, or did not answer, once the SDK has given up repeating it.

    A refusal for want of permission is one of them: just after a deployment it passes by itself.
    """
    try:
        yield
    except SDK_ERRORS as error:
        raise Unanswered(f"a part of the stack gave no answer: {error}") from error
