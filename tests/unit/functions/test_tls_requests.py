"""What is done about each request of CloudFormation's, given the generation of the key that is kept."""

import pytest

from functions.core.tls import Act, Asked, decide


@pytest.mark.parametrize(
    ("request_type", "generation", "kept", "act"),
    [
        ("Create", "1", None, Act.MAKE),
        ("Create", "1", 1, Act.KEEP),  # asked twice
        ("Create", "2", 1, Act.KEEP),  # left by a stack of that name, and in use perhaps
        ("Update", "1", None, Act.MAKE),  # of another name, or deleted by hand
        ("Update", "1", 1, Act.KEEP),
        ("Update", "2", 1, Act.REPLACE),
        ("Update", "10", 9, Act.REPLACE),
        ("Update", "1", 2, Act.KEEP),  # a rollback
        ("Delete", "1", 1, Act.REMOVE),
        ("Delete", "1", None, Act.REMOVE),
    ],
)
def test_each_request_has_its_act(request_type: str, generation: str, kept: int | None, act: Act) -> None:
    before = {"Name": "/dispatch/a/tls", "Generation": "7"}
    properties = {"Name": "/dispatch/a/tls", "Generation": generation}
    event = {"RequestType": request_type, "ResourceProperties": properties, "OldResourceProperties": before}
    assert decide(Asked.of(event), kept) is act
