"""Wildcards of S3 keys, with the meaning that `jobs.runtime.storage` gives them (fsspec's): `*`, `?` and `[...]` stay
within a level, `**` alone between slashes stands for any number of levels.

A search lists level by level and goes down only where a level matches, so that a pattern of a few files does not list
a bucket of millions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol

WILDCARDS = "*?["


@dataclass(frozen=True, slots=True)
class Listed:
    """An object as a listing has it, or a level below (then `key` ends with a slash and `etag` is empty)."""

    key: str
    bytes: int = 0
    etag: str = ""
    level: bool = False


class Listing(Protocol):
    """What a search needs of a bucket: `(prefix, deep)` to what begins with the prefix.

    Not deep, it is cut at the next slash, and what lies below comes as levels. Deep, everything comes, and no levels.
    """

    def __call__(self, prefix: str, deep: bool) -> Iterator[Listed]: ...  # noqa: D102


def has_wildcard(pattern: str) -> bool:
    """Whether the pattern is one at all."""
    return any(sign in pattern for sign in WILDCARDS)


def fault(pattern: str) -> str | None:
    """What is wrong with a pattern, if anything."""
    if any("**" in part and part != "**" for part in pattern.split("/")):
        return "** stands alone between slashes"
    return None


def matches(pattern: str, key: str) -> bool:
    """Whether the key is one that the pattern means."""
    return _match(pattern.split("/"), key.split("/"))


def search(pattern: str, listing: Listing) -> Iterator[Listed]:
    """Every object that the pattern means."""
    return _search(pattern.split("/"), "", listing)


def _search(parts: Sequence[str], prefix: str, listing: Listing) -> Iterator[Listed]:
    while len(parts) > 1 and not has_wildcard(parts[0]):
        prefix, parts = f"{prefix}{parts[0]}/", parts[1:]
    stem = prefix + _beginning(parts[0])
    if "**" in parts:
        yield from (found for found in listing(stem, True) if _match(parts, found.key[len(prefix) :].split("/")))
        return
    for found in listing(stem, False):
        name = found.key[len(prefix) :]
        if found.level and len(parts) > 1 and _one(parts[0], name.removesuffix("/")):
            yield from _search(parts[1:], found.key, listing)
        elif not found.level and len(parts) == 1 and _one(parts[0], name):
            yield found


def _beginning(part: str) -> str:
    return part[: min((part.find(sign) for sign in WILDCARDS if sign in part), default=len(part))]


def _match(parts: Sequence[str], names: Sequence[str]) -> bool:
    if not parts:
        return not names
    if parts[0] != "**":
        return bool(names) and _one(parts[0], names[0]) and _match(parts[1:], names[1:])
    if len(parts) == 1:
        return bool(names)
    return any(_match(parts[1:], names[skipped:]) for skipped in range(len(names)))


def _one(part: str, name: str) -> bool:
    return bool(name) if part == "*" else fnmatchcase(name, part)
