"""The property names of a spec, as its JSON schema tells them."""

from collections.abc import Iterator

from pydantic import BaseModel


def property_names(model: type[BaseModel]) -> set[str]:
    """The names of all properties of a spec, at any depth."""
    return set(_names(model.model_json_schema()))


def _names(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        properties = part.get("properties")
        if isinstance(properties, dict):
            yield from properties
        for inner in part.values():
            yield from _names(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _names(inner)
