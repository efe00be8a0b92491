"""Which properties a spec knows at a place: read from the JSON schema of its model."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TypeAlias, cast

from pydantic import BaseModel

Schema: TypeAlias = Mapping[str, object]


def known_properties(model: type[BaseModel], path: Sequence[str | int]) -> Collection[str]:
    """The property names that may stand at `path`, which is written as pydantic's errors write it.

    Besides keys and indexes such a path holds the tags of the variants that were chosen on the way.
    """
    schema = cast("Schema", model.model_json_schema())
    place: Schema = schema
    for part in path:
        place = _step(_resolved(place, schema), part, schema)
    return _mapping(_resolved(place, schema), "properties").keys()


def _step(place: Schema, part: str | int, schema: Schema) -> Schema:
    if isinstance(part, int):
        return _mapping(place, "items")
    properties = _mapping(place, "properties")
    if part in properties:
        return _mapping(properties, part)
    for variant in _variants(place, schema):
        if _mapping(_mapping(variant, "properties"), "type").get("const") == part:
            return variant
    return {}


def _variants(place: Schema, schema: Schema) -> Iterator[Schema]:
    for variant in cast("Sequence[Schema]", place.get("oneOf", ())):
        yield _resolved(variant, schema)


def _resolved(place: Schema, schema: Schema) -> Schema:
    reference = place.get("$ref")
    if not isinstance(reference, str):
        return place
    return _mapping(_mapping(schema, "$defs"), reference.rpartition("/")[2])


def _mapping(place: Schema, key: str) -> Schema:
    found = place.get(key)
    return cast("Schema", found) if isinstance(found, dict) else {}
