"""From bytes to plain JSON values: what Python's json takes too kindly, or dies of, becomes a problem here."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isinf
from typing import Any, Never

from jobspec.errors import SpecError
from jobspec.problem import Path, Problem, cut, pointer_to, show

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32

_GOOD_TEXT = "Unicode text without NUL"
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)
_ENCODING_MARKS = (  # longest first: the mark of UTF-16 begins that of UTF-32
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)


@dataclass(slots=True)
class Document:
    """A document's plain value, and the problems of places that no JSON value can stand for.

    Such a place holds None in `value` and its path is in `unusable`: whatever else is said about it is noise.
    """

    value: Any = None
    problems: list[Problem] = field(default_factory=list)
    unusable: set[Path] = field(default_factory=set)

    def spoil(self, path: Path, message: str, shown: str, allowed: str) -> None:
        """Note that nothing usable is at the path; the None returned stands for it."""
        self.problems.append(Problem(pointer_to(path), message, cut(shown), allowed))
        self.unusable.add(path)


def read_document(raw: object) -> Document:
    """Return the content of a JSON document given as bytes, as text, or as the value itself.

    Raises SpecError with one problem if it cannot be read at all: size, encoding, depth or syntax.
    """
    text = _text(raw)
    if not text.strip(" \t\r\n"):
        _refuse("the document is empty", None, "a JSON object")
    _check_depth(text)
    try:
        tree = json.loads(
            text, object_pairs_hook=_Pairs, parse_constant=_Unusable, parse_int=_integer, parse_float=_float
        )
    except json.JSONDecodeError as error:
        _refuse(
            f"{_syntax(error)} at line {error.lineno} column {error.colno}",
            show(text[error.pos : error.pos + 40]),
            "a JSON object (RFC 8259)",
        )
    document = Document()
    document.value = _plain(tree, (), document)
    return document


class _Pairs(tuple[tuple[str, Any], ...]):
    """A JSON object as written: a key may come twice."""


@dataclass(frozen=True, slots=True)
class _Unusable:
    """A number as written that no finite double can hold."""

    written: str


def _integer(written: str) -> int | _Unusable:
    # int() would refuse more than 4300 digits, and pydantic would turn more than 308 into an infinite float.
    return _Unusable(written) if isinf(float(written)) else int(written)


def _float(written: str) -> float | _Unusable:
    number = float(written)
    return _Unusable(written) if isinf(number) else number


def _plain(node: Any, path: Path, document: Document) -> Any:
    if isinstance(node, _Pairs):
        return _plain_object(node, path, document)
    if isinstance(node, list):
        return [_plain(item, (*path, index), document) for index, item in enumerate(node)]
    if isinstance(node, _Unusable):
        return document.spoil(path, "not a finite number", node.written, "a number that fits a 64-bit float")
    if isinstance(node, str) and (fault := _text_fault(node)):
        return document.spoil(path, f"the text holds {fault}", show(node), _GOOD_TEXT)
    return node


def _plain_object(pairs: _Pairs, path: Path, document: Document) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, item in pairs:
        here = (*path, key)
        if fault := _text_fault(key):
            document.spoil(here, f"the name holds {fault}", show(key), _GOOD_TEXT)
            continue
        value = _plain(item, here, document)
        if key in found:
            shown = None if here in document.unusable else show(value)
            document.problems.append(
                Problem(pointer_to(here), "the field comes more than once", shown, "each field once")
            )
        found[key] = value
    return found


def _text_fault(text: str) -> str | None:
    if "\0" in text:
        return "a NUL character"
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "half of a surrogate pair"
    return None


def _text(raw: object) -> str:
    if not isinstance(raw, str | bytes | bytearray | memoryview):
        try:
            raw = json.dumps(raw, default=_mapping)
        except (TypeError, ValueError, RecursionError) as error:
            _refuse(f"not a JSON value: {error}", None, "a JSON object")
    size = len(raw) if not isinstance(raw, memoryview) else raw.nbytes
    if isinstance(raw, str) and size <= MAX_BYTES:
        size = len(raw.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        _refuse("the document is too large", f"{size:,} bytes", f"at most {MAX_BYTES:,} bytes")
    return raw.removeprefix("\ufeff") if isinstance(raw, str) else _decoded(bytes(raw))


def _mapping(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _decoded(raw: bytes) -> str:
    other = next((name for mark, name in _ENCODING_MARKS if raw.startswith(mark)), None)
    if other is None and b"\0" in raw[:4]:
        # JSON begins with an ASCII character: three NULs beside it make it UTF-32, one makes it UTF-16.
        other = "UTF-32" if raw[:4].count(0) == 3 else "UTF-16"
    if other:
        _refuse(f"the document looks like {other}", raw[:8].hex(" "), "UTF-8")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        _refuse(f"the document is not UTF-8 at byte {error.start}, line {line}", f"0x{raw[error.start]:02x}", "UTF-8")


def _check_depth(text: str) -> None:
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        if match[0] in "[{":
            depth += 1
        elif match[0] in "]}":
            depth -= 1
        if depth > MAX_DEPTH:
            line, column = text.count("\n", 0, match.start()) + 1, match.start() - text.rfind("\n", 0, match.start())
            _refuse(f"nested too deeply at line {line} column {column}", None, f"at most {MAX_DEPTH} levels")


def _syntax(error: json.JSONDecodeError) -> str:
    at = error.doc[error.pos :].lstrip()
    if error.msg == "Extra data" and not at.startswith(("//", "/*", "#")):
        return "text after the end of the document"
    if at.startswith(("//", "/*", "#")):
        return "JSON has no comments"
    if at.startswith("'"):
        return "text takes double quotes"
    if at.startswith(("}", "]")):
        return "a comma too many, or a value missing"
    return f"not JSON: {error.msg[0].lower()}{error.msg[1:].removesuffix(' at')}"


def _refuse(message: str, value: str | None, allowed: str) -> Never:
    raise SpecError([Problem("", message, value, allowed)])
