"""Wildcards of keys. That they mean what they mean to the runtime, test_same_inputs.py shows."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core import globs
from functions.core.globs import Listed
from tests.fakes.objects import FakeBuckets

KEYS = [
    "a.csv",
    "in/a.csv",
    "in/b.csv",
    "in/b.csv.bak",
    "in/y=1/m=1/a.csv",
    "in/y=1/m=2/b.csv",
    "in/y=2/a.csv",
    "x/in/a.csv",
]


def found(pattern: str, keys: list[str] = KEYS) -> list[str]:
    buckets = FakeBuckets(b=dict.fromkeys(keys, b""))
    return sorted(one.key for one in globs.search(pattern, lambda prefix, deep: buckets.listing("b", prefix, deep)))


@pytest.mark.parametrize(
    ("pattern", "keys"),
    [
        ("*.csv", ["a.csv"]),
        ("in/*.csv", ["in/a.csv", "in/b.csv"]),
        ("in/?.csv*", ["in/a.csv", "in/b.csv", "in/b.csv.bak"]),
        ("in/[!a].csv", ["in/b.csv"]),
        ("in/y=*/m=*/[ab].csv", ["in/y=1/m=1/a.csv", "in/y=1/m=2/b.csv"]),
        ("in/y=*/a.csv", ["in/y=2/a.csv"]),
        ("*/a.csv", ["in/a.csv"]),
        ("**/a.csv", ["a.csv", "in/a.csv", "in/y=1/m=1/a.csv", "in/y=2/a.csv", "x/in/a.csv"]),
        ("in/**", [key for key in KEYS if key.startswith("in/")]),
        ("in/y=1/**/b.csv", ["in/y=1/m=2/b.csv"]),
        ("none/*", []),
    ],
)
def test_patterns(pattern: str, keys: list[str]) -> None:
    assert found(pattern) == keys


_PARTS = st.text("ab*?", min_size=1, max_size=4).filter(lambda part: "**" not in part) | st.just("**")
_NAMES = st.text("ab", min_size=1, max_size=3)


@given(st.lists(_PARTS, min_size=1, max_size=3), st.lists(st.lists(_NAMES, min_size=1, max_size=4), max_size=12))
def test_searching_level_by_level_finds_just_what_matches(parts: list[str], names: list[list[str]]) -> None:
    pattern, keys = "/".join(parts), sorted({"/".join(name) for name in names})
    if globs.has_wildcard(pattern):
        assert found(pattern, keys) == [key for key in keys if globs.matches(pattern, key)]


def test_a_level_that_does_not_match_is_not_listed() -> None:
    asked = []

    def listing(prefix: str, deep: bool) -> Iterator[Listed]:
        asked.append(prefix)
        yield from FakeBuckets(b=dict.fromkeys(KEYS, b"")).listing("b", prefix, deep)

    list(globs.search("in/y=2*/*.csv", listing))
    assert asked == ["in/y=2", "in/y=2/"]
