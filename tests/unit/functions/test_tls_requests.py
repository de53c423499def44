"""What is done about each request of CloudFormation's."""

import pytest

from functions.core.tls import Act, Asked, decide


@pytest.mark.parametrize(
    ("request_type", "new", "old", "act"),
    [
        ("Create", ("/dispatch/a/tls", "1"), {}, Act.MAKE),
        ("Update", ("/dispatch/a/tls", "1"), {"Name": "/dispatch/a/tls", "Generation": "1"}, Act.KEEP),
        ("Update", ("/dispatch/a/tls", "2"), {"Name": "/dispatch/a/tls", "Generation": "1"}, Act.REPLACE),
        ("Update", ("/dispatch/b/tls", "1"), {"Name": "/dispatch/a/tls", "Generation": "1"}, Act.MAKE),
        ("Delete", ("/dispatch/a/tls", "1"), {}, Act.REMOVE),
    ],
)
def test_each_request_has_its_act(request_type: str, new: tuple[str, str], old: dict[str, str], act: Act) -> None:
    event = {
        "RequestType": request_type,
        "ResourceProperties": {"Name": new[0], "Generation": new[1]},
        "OldResourceProperties": old,
    }
    assert decide(Asked.of(event)) is act
