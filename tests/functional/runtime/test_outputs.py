"""A run's folder holds files that are whole, whoever looks at them and whenever."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.runtime.outputs import RunFolder


def put(folder: RunFolder, content: bytes) -> None:
    folder.put("answers/one.json", content)


def write(folder: RunFolder, content: bytes) -> None:
    with folder.writing("answers/one.json", "application/json") as file:
        file.write(content)


@pytest.mark.parametrize("written", [put, write])
def test_a_file_is_replaced_whole(written: Callable[[RunFolder, bytes], None], tmp_path: Path) -> None:
    """Whoever reads the earlier one meanwhile reads it to its end."""
    folder = RunFolder(str(tmp_path), "run-1")
    written(folder, b"the earlier one")
    with Path(folder.path("answers/one.json")).open("rb", buffering=0) as reader:
        assert reader.read(4) == b"the "
        written(folder, b"another")
        assert reader.read() == b"earlier one"
    assert folder.read("answers/one.json") == b"another"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["one.json"]


def test_a_file_whose_writing_fails_is_not_there(tmp_path: Path) -> None:
    folder = RunFolder(str(tmp_path), "run-1")
    with pytest.raises(ZeroDivisionError), folder.writing("quarantine.parquet", "x/y") as file:
        file.write(b"half of it")
        raise ZeroDivisionError
    assert not Path(folder.path("quarantine.parquet")).exists()
    assert folder.outputs == []
