"""Files and lines that are no trips: named, counted and left out, never silently."""

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobspec import DataError, MixedTaxis, UnreadableFile
from tests.oracle.compare import assert_same
from tests.oracle.duck import answers
from tests.oracle.hostile_parquet import UNREADABLE
from tests.oracle.sheet import DATA, Sheet

Explore = Callable[..., dict[str, Any]]


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return Sheet.real().csv(tmp_path / "yellow_tripdata_2018-01.csv")


@pytest.mark.parametrize("build", UNREADABLE.values(), ids=UNREADABLE)
def test_an_unreadable_file_fails_the_run_by_name(build: Callable[[Path], Path], explore: Explore, good: Path) -> None:
    bad = build(good.parent)
    with pytest.raises(UnreadableFile) as failure:
        explore([good, bad])
    assert bad.name in str(failure.value)


@pytest.mark.parametrize("build", UNREADABLE.values(), ids=UNREADABLE)
def test_or_is_skipped_and_said(build: Callable[[Path], Path], explore: Explore, good: Path) -> None:
    bad = build(good.parent)
    found = explore([bad, good], on_bad_file="skip")
    assert_same(found, answers([good]))
    assert [Path(skipped["uri"]).name for skipped in found["quality"]["skipped_files"]] == [bad.name]
    assert all(skipped["reason"] for skipped in found["quality"]["skipped_files"])


@pytest.mark.parametrize("build", UNREADABLE.values(), ids=UNREADABLE)
def test_but_a_run_of_nothing_else_fails(build: Callable[[Path], Path], explore: Explore, tmp_path: Path) -> None:
    """Zero trips would look like an answer."""
    bad = build(tmp_path)
    page = tmp_path / "page.txt"
    page.write_text("<html>no trips</html>\n")
    with pytest.raises(DataError) as failure:
        explore([bad, page], on_bad_file="skip")
    assert f"{bad}: " in str(failure.value)
    assert f"{page}: none of its columns is a trip's" in str(failure.value)


def test_a_run_of_many_bad_files_names_some(explore: Explore, tmp_path: Path) -> None:
    bad = [tmp_path / f"{at}.csv" for at in range(5)]
    for path in bad:
        path.write_text("<html>no trips</html>\n")
    with pytest.raises(DataError, match=r"0\.csv: .*1\.csv: .*2\.csv: .*; and 2 more$"):
        explore(bad, on_bad_file="skip")


def test_an_empty_file_beside_a_bad_one_has_been_read(explore: Explore, tmp_path: Path) -> None:
    empty, bad = tmp_path / "empty.csv", tmp_path / "bad.csv"
    empty.write_text("")
    bad.write_text("<html>no trips</html>\n")
    found = explore([empty, bad], on_bad_file="skip")
    assert found["answers"]["trips"] == 0
    assert found["quality"]["empty_files"] == [str(empty)]


# Found by tests.fuzz.footers: what the byte of the footer becomes, and what pyarrow 26 does when it is then asked.
DAMAGES = {
    "a column said to be encrypted ends the process": (387, 125),
    "a statistic of another type ends the process": (1858, 42),
    "a column's name that is no text is no ArrowException": (273, 255),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_footer_costs_the_file_and_not_the_process(damage: str, tmp_path: Path) -> None:
    raw = bytearray((DATA / "yellow_tripdata_2025-01.sample.parquet").read_bytes())
    at, byte = DAMAGES[damage]
    raw[len(raw) - 8 - int.from_bytes(raw[-8:-4], "little") + at] = byte
    bad, spec = tmp_path / "damaged.parquet", tmp_path / "spec.json"
    bad.write_bytes(raw)
    spec.write_text(json.dumps({"job": "explore-trips", "params": {"trips": [str(bad)]}}))
    command = [sys.executable, "-m", "jobs.runtime", "--spec", str(spec), "--results", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    told = json.loads(ended.stdout)
    assert ended.returncode in (0, 3), ended.stderr
    if ended.returncode:
        assert told["error"]["type"] == "urn:dispatch:error:unreadable-file"
        assert str(bad) in told["error"]["detail"]


@pytest.mark.parametrize("name", ["absent.csv", "absent.parquet", "absent-*.csv"])
def test_an_absent_file_fails_the_run_by_name(name: str, explore: Explore, good: Path) -> None:
    with pytest.raises(DataError) as failure:
        explore([good, good.parent / name])
    assert name in str(failure.value)


def test_a_folder_is_no_file(explore: Explore, good: Path) -> None:
    folder = good.parent / "yellow_tripdata_2018-05.csv"
    folder.mkdir()
    with pytest.raises(DataError) as failure:
        explore([good, folder])
    assert folder.name in str(failure.value)


def test_both_colours_name_a_file_of_each(explore: Explore, good: Path) -> None:
    with pytest.raises(MixedTaxis) as failure:
        explore([good, DATA / "green_tripdata_2021-01.parquet"])
    assert good.name in str(failure.value)
    assert "green_tripdata_2021-01.parquet" in str(failure.value)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_lines_set_aside_are_shown_with_their_place(suffix: str, explore: Explore, tmp_path: Path) -> None:
    """Places count lines of the file: blank ones, the header and the insides of quoted fields among them."""
    header, *trips = Sheet.real(rows=10).text().splitlines()
    lines = [
        "",
        header + ",note",
        *(f'{trip},"one\nnote"' for trip in trips[:3]),  # lines 3 to 8
        trips[3],  # line 9: no note
        "",
        trips[4].replace("2018-", "MMXVIII-") + ",",  # line 11
        *(f"{trip}," for trip in trips[5:9]),
        trips[9][:40],  # line 16
    ]
    raw = "\n".join(lines).encode()
    path = tmp_path / f"yellow_tripdata_2018-01{suffix}"
    path.write_bytes(gzip.compress(raw) if suffix.endswith(".gz") else raw)
    found = explore([path])
    assert_same(found, answers([path]))
    examples = found["quality"]["set_aside_examples"]
    assert {(Path(one["file"]).name, one["line"], one["reason"]) for one in examples} == {
        (path.name, 9, "field_count"),
        (path.name, 11, "bad_value"),
        (path.name, 16, "truncated_line"),
    }
    texts = {one["line"]: one["text"] for one in examples}
    assert trips[3] in texts[9]
    assert "MMXVIII" in texts[11]
    assert trips[9][:40] in texts[16]


def test_a_flag_in_no_encoding_costs_nobody_else(explore: Explore, tmp_path: Path) -> None:
    """One byte that is no UTF-8, in a column of text: the other trips are answered as if it were well."""
    path = tmp_path / "yellow_tripdata_2018-01.csv"
    path.write_bytes(Sheet.real().put({"store_and_fwd_flag": ["#"]}).text().encode().replace(b",#,", b",\xff,"))
    quality = explore([path])["quality"]
    assert quality["trips"]["read"] + sum(quality["lines_set_aside"].values()) == 60
    assert quality["trips"]["read"] >= 59
