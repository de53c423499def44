"""One thing that is wrong with a spec, said so that its author can mend it without reading our code."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from jobspec.addresses import redacted

SHOWN_CHARACTERS = 200

Path = tuple[str | int, ...]
"""The keys and indexes that lead from the top of a document to a place in it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where, with which value, and what would be right.

    `pointer` is a JSON pointer (RFC 6901); the empty one means the whole document. `value` is the offending value as
    JSON text cut at 200 characters, None where there is none. `allowed` says in words what may stand there.
    """

    pointer: str
    message: str
    value: str | None
    allowed: str
    suggestion: str | None = None

    def as_dict(self) -> dict[str, str | None]:
        """Return the five fields, ready for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        text = f"{cut(_printable(self.pointer)) or 'document'}: {self.message}"
        if self.value is not None:
            text += f", got {self.value}"
        text += f"; allowed: {self.allowed}"
        return f'{text}; did you mean "{self.suggestion}"?' if self.suggestion is not None else text


class FieldProblem(ValueError):  # noqa: N818 (it becomes a Problem)
    """Raised when a validator of a job's Params finds one field wrong.

    `field` leads there from what is validated: in a model validator the field's name, or the way to something in it,
    such as `trips/0`; in a field's own validator nothing. `allowed` says in words what would be right.
    """

    def __init__(self, field: str, message: str, allowed: str) -> None:
        super().__init__(field, message, allowed)
        self.field, self.message, self.allowed = field, message, allowed

    @property
    def path(self) -> Path:
        """The field as keys and indexes."""
        return tuple(int(part) if part.isdecimal() else part for part in self.field.split("/") if part)

    def __str__(self) -> str:
        return f"{self.field}: {self.message}; allowed: {self.allowed}"


def pointer_to(path: Path) -> str:
    """Return the JSON pointer of a path of keys and indexes; lone surrogates become visible escapes."""
    return "".join("/" + _encodable(str(part)).replace("~", "~0").replace("/", "~1") for part in path)


def show(value: object) -> str:
    """Return a JSON value as one printable line of JSON, cut at 200 characters, web addresses without their query."""
    value = redacted(value)
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return cut(text if text.isprintable() else json.dumps(value, default=repr))


def cut(text: str) -> str:
    """Return the text, cut at 200 characters."""
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


def closest(name: object, candidates: Iterable[str]) -> str | None:
    """Return the candidate that `name` is most likely a slip of the pen for, or None."""
    if not isinstance(name, str) or len(name) > SHOWN_CHARACTERS:
        return None
    from difflib import get_close_matches  # only a wrong spec pays for the import

    by_folded = {candidate.casefold().replace("_", "-"): candidate for candidate in candidates}
    matches = get_close_matches(name.casefold().replace("_", "-"), by_folded, n=1)
    return by_folded[matches[0]] if matches else None


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _printable(text: str) -> str:
    return text if text.isprintable() else json.dumps(text)[1:-1]
