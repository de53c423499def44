"""What DISPATCH_TLS may hold, and that an error never shows any of it."""

import json

import pytest

from jobs.runtime.tls import TLS, security
from jobspec import DispatchError
from tests.servers.certificates import dispatch_tls

GOOD = dispatch_tls()
PAIR = json.loads(GOOD)


def test_all_three_roles_have_the_key_and_require_encryption() -> None:
    made = security({TLS: GOOD})
    assert made.require_encryption
    for role in ("client", "scheduler", "worker"):
        config = made.get_tls_config_for_role(role)
        assert (config["key"], config["cert"], config["ca_file"]) == (PAIR["key"], *[PAIR["certificate"]] * 2)
    assert PAIR["key"] not in repr(made)


@pytest.mark.parametrize("environment", [{}, {TLS: ""}])
def test_without_any_there_is_none(environment: dict[str, str]) -> None:
    assert security(environment) is None


@pytest.mark.parametrize(
    "wrong",
    [
        "not JSON",
        "[]",
        "3",
        '{"key": "k"}',
        '{"key": 1, "certificate": 2}',
        '{"key": "k", "certificate": "c"}',  # Dask would take them for paths
        GOOD.replace("MI", ""),
        json.dumps(PAIR | {"key": json.loads(dispatch_tls())["key"]}),
    ],
    ids=["no JSON", "a list", "a number", "half", "numbers", "paths", "torn", "of two pairs"],
)
def test_what_is_wrong_is_refused_and_not_shown(wrong: str) -> None:
    with pytest.raises(DispatchError, match=TLS) as raised:
        security({TLS: wrong})
    told = str(raised.value)
    assert not [line for line in PAIR["key"].splitlines()[1:-1] if line in told]
    assert raised.value.__cause__ is None
