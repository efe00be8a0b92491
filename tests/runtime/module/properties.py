"""The property names of a spec, as its JSON schema tells them."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel


def property_names(model: type[BaseModel]) -> set[str]:
    """The names of all properties of a spec, at any depth."""
    schema = model.model_json_schema()
    return {name for part in (schema, *schema.get("$defs", {}).values()) for name in _names(part)}


def _names(part: dict[str, Any]) -> Iterator[str]:
    yield from part.get("properties", {})
