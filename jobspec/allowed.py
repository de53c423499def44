"""What a JSON Schema allows at a place, said in words."""

import json
import re
from collections.abc import Iterator
from typing import Any

from jobspec.problem import Path

JsonSchema = dict[str, Any]


class Allowed:
    """A reader of one JSON Schema, as pydantic writes them; a path is the keys and indexes that lead to a place."""

    def __init__(self, schema: JsonSchema) -> None:
        self._schema = schema

    def at(self, path: Path) -> str:
        """Return what may stand at the path, such as `"auto" or an integer from 1 to 200`."""
        return self._any_of(self._places(path))

    def names_at(self, path: Path) -> str:
        """Return what a key of the object at the path may be."""
        patterns = [pattern for place in self._places(path) for pattern in place.get("patternProperties", ())]
        return " or ".join(f"a name matching {pattern}" for pattern in patterns) or "other names"

    def fields(self, path: Path) -> list[str]:
        """Return the names of the fields of the object at the path."""
        return [name for place in self._places(path) for name in place.get("properties", ())]

    def choices(self, path: Path) -> list[str]:
        """Return the texts among which the value at the path must be, if it is so."""
        return [choice for place in self._places(path) for choice in _choices(place) or () if isinstance(choice, str)]

    def _places(self, path: Path) -> list[JsonSchema]:
        places = list(self._branches(self._schema))
        for part in path:
            places = [
                branch for place in places for child in _children(place, part) for branch in self._branches(child)
            ]
        return places

    def _branches(self, schema: JsonSchema) -> Iterator[JsonSchema]:
        if "$ref" in schema:
            yield from self._branches(self._schema["$defs"][schema["$ref"].removeprefix("#/$defs/")])
        elif alternatives := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
            for alternative in alternatives:
                yield from self._branches(alternative)
        else:
            yield schema

    def _any_of(self, places: list[JsonSchema]) -> str:
        return " or ".join(dict.fromkeys(map(self._words, places))) or "another value"

    def _words(self, place: JsonSchema) -> str:
        choices = _choices(place)
        if choices is not None:
            return " or ".join(json.dumps(choice, ensure_ascii=False) for choice in choices)
        match place.get("type"):
            case "integer" | "number" as kind:
                return f"{'an integer' if kind == 'integer' else 'a number'}{_bounds(place)}"
            case "string":
                return _text(place)
            case "boolean":
                return "true or false"
            case "null":
                return "null"
            case "array":
                return self._list(place)
            case "object":
                return self._object(place)
        return "any value"

    def _list(self, place: JsonSchema) -> str:
        words = f"a list{_count(place, 'Items', 'items')}"
        items = place.get("items")
        return f"{words}, each {self._any_of(list(self._branches(items)))}" if isinstance(items, dict) else words

    def _object(self, place: JsonSchema) -> str:
        if "properties" in place:
            return f"an object with the fields {', '.join(place['properties'])}"
        words = f"an object{_count(place, 'Properties', 'fields')}"
        if patterns := list(place.get("patternProperties", {})):
            words += f", their names matching {' or '.join(patterns)}"
        if values := list(_children(place, "")) or list(place.get("patternProperties", {}).values()):
            words += f", each {self._any_of([branch for value in values for branch in self._branches(value)])}"
        return words


def _children(place: JsonSchema, part: str | int) -> Iterator[JsonSchema]:
    if isinstance(part, int):
        listed = place.get("prefixItems", [])
        child = listed[part] if part < len(listed) else place.get("items")
    else:
        matching = (sub for pattern, sub in place.get("patternProperties", {}).items() if re.search(pattern, part))
        child = place.get("properties", {}).get(part) or next(matching, None) or place.get("additionalProperties")
    if isinstance(child, dict):
        yield child


def _choices(place: JsonSchema) -> list[Any] | None:
    return [place["const"]] if "const" in place else place.get("enum")


def _bounds(place: JsonSchema) -> str:
    if "minimum" in place and "maximum" in place:
        return f" from {_number(place['minimum'])} to {_number(place['maximum'])}"
    words = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
    bounds = [f"{word} {_number(place[key])}" for key, word in words.items() if key in place]
    return f" {' and '.join(bounds)}" if bounds else ""


def _number(bound: float) -> str:
    return str(int(bound) if bound == int(bound) else bound)


def _text(place: JsonSchema) -> str:
    form = place.get("format", "").replace("-", " and ")
    words = f"text holding a {form}" if form else f"text{_count(place, 'Length', 'characters')}"
    return f"{words} matching {place['pattern']}" if "pattern" in place else words


def _count(place: JsonSchema, suffix: str, what: str) -> str:
    least, most = place.get(f"min{suffix}"), place.get(f"max{suffix}")
    if least is not None and most is not None:
        return f" of {least} to {most} {what}"
    if least is not None:
        return f" of at least {least} {what.removesuffix('s') if least == 1 else what}"
    return f" of at most {most} {what}" if most is not None else ""
