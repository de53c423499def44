import pytest

from jobspec import Registry, discover
from tests.unit.jobspec import sample_catalogue


@pytest.fixture(scope="session")
def jobs() -> Registry:
    return discover(sample_catalogue)
