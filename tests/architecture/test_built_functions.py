"""What `sam build` makes: small, quick to import, and nothing in it that computes."""

from pathlib import Path

import pytest

from benchmarks.functions import EXEMPT, MOST_MB, MOST_MS, UNFIT, Built, all_built, handlers


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Built]:
    folder: Path = tmp_path_factory.mktemp("functions")
    return {each.function: each for each in all_built(folder)}


def test_functions_import_with_what_was_built_and_what_lambda_brings(built: dict[str, Built]) -> None:
    assert built.keys() == handlers().keys(), "all_built fails where an import does"
    unfit = {name: set(UNFIT) & {*each.loaded, *each.packages} for name, each in built.items()}
    assert {name: found for name, found in unfit.items() if found} == {}


def test_functions_are_small_and_start_quickly(built: dict[str, Built]) -> None:
    judged = [each for each in built.values() if each.function != EXEMPT]
    assert {each.function: each.megabytes for each in judged if each.megabytes >= MOST_MB} == {}
    assert {each.function: each.milliseconds for each in judged if each.milliseconds >= MOST_MS} == {}
    assert [each.function for each in judged if "cryptography" in each.packages] == []


def test_the_certificate_is_the_one_exception(built: dict[str, Built]) -> None:
    assert "cryptography" in built[EXEMPT].packages
