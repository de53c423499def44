"""The fields of a model in words: for the catalogue page, and for whoever asks on the command line."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from jobspec.allowed import Allowed
from jobspec.spec import Params


@dataclass(frozen=True)
class DescribedField:
    """A field: its name (dotted where it is a field of a field), what is allowed, its default and what it means."""

    name: str
    allowed: str
    default: str
    meaning: str


def described_fields(model: type[BaseModel], parent: str = "") -> Iterator[DescribedField]:
    """Every field of the model; those of models inside come in their place, but for a spec's params."""
    allowed = Allowed(model.model_json_schema())
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Params):
            continue  # each job has its own
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from described_fields(inner, f"{parent}{name}.")
        else:
            yield DescribedField(f"{parent}{name}", allowed.at((name,)), _default(field), field.description or "")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default_factory_takes_validated_data:
        return "depends on other fields"
    return json.dumps(field.get_default(call_default_factory=True), ensure_ascii=False)
