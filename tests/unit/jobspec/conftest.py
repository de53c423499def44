import pytest
import sample_catalogue

from jobspec import Registry, discover


@pytest.fixture(scope="session")
def jobs() -> Registry:
    return discover(sample_catalogue)
