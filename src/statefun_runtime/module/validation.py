"""Checking a spec against its model; every finding becomes a problem with its place and a sentence."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from statefun_runtime.module.declaration import Declaration
from statefun_runtime.module.node import Place, ScalarNode, child, follow, locate, text_values, without
from statefun_runtime.module.problem import Problem, error, warning
from statefun_runtime.module.schema import known_properties
from statefun_runtime.module.spec import DIRECTORY
from statefun_runtime.suggestion import nearest_name

ModelT = TypeVar("ModelT", bound=BaseModel)

_UNKNOWN = "extra_forbidden"
_QUOTED = re.compile(r"'([^']*)'")
_SHOWN = 60
"""Characters of a wrong value that a message repeats."""
_SECRET = re.compile(r"secret|password|credential|accesskey|token|jaas", re.IGNORECASE)

_SENTENCES = {
    "missing": "is required",
    "union_tag_not_found": "is required",
    "string_type": "must be a text",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "path_type": "must be a text",
    "string_too_short": "must not be empty",
}


def check_spec(model: type[ModelT], declaration: Declaration, problems: list[Problem]) -> ModelT | None:
    """The spec as `model`, or `None` if it has errors. Unknown properties are warnings and left out."""
    checked, found = _validate(model, declaration)
    unknown = [details["loc"] for details in found if details["type"] == _UNKNOWN]
    if unknown:
        problems += [_unknown_property(loc, model, declaration) for loc in unknown]
        # What depends on several properties is checked only when each of them is right.
        checked, found = _validate(model, _without_properties(declaration, unknown))
    problems += [_wrong_value(details, declaration) for details in found]
    return checked


def _validate(model: type[ModelT], declaration: Declaration) -> tuple[ModelT | None, Sequence[ErrorDetails]]:
    # A relative path belongs to the file that gives it, which need not be the one that declares the kind.
    path = child(declaration.spec, "path")
    directory = Path((path or declaration.spec).position.file).parent
    values = text_values(declaration.spec)
    try:
        return model.model_validate(values, by_alias=True, by_name=False, context={DIRECTORY: directory}), ()
    except ValidationError as wrong:
        return None, wrong.errors(include_url=False)


def _without_properties(declaration: Declaration, unknown: Sequence[Sequence[str | int]]) -> Declaration:
    spec = declaration.spec
    for loc in unknown:
        spec = without(spec, follow(spec, loc))
    return declaration.with_spec(spec)


def _unknown_property(loc: Sequence[str | int], model: type[BaseModel], declaration: Declaration) -> Problem:
    place = _place(declaration, loc)
    known = known_properties(model, loc[:-1])
    return warning(place.key, place.path, "is not a known property", nearest_name(str(loc[-1]), known))


def _wrong_value(details: ErrorDetails, declaration: Declaration) -> Problem:
    kind, loc = details["type"], details["loc"]
    if kind == "missing":
        parent = _place(declaration, loc[:-1])
        return error(parent.node.position, f"{parent.path}.{loc[-1]}", _SENTENCES[kind])
    place = _place(declaration, loc)
    if kind.startswith("union_tag"):
        tag = child(place.node, "type") or place.node
        place = Place(f"{place.path}.type", tag, tag.position)
    expected = _expected(details)
    name = place.node.text if isinstance(place.node, ScalarNode) and not place.node.secret else ""
    return error(place.node.position, place.path, _sentence(details, place, expected), nearest_name(name, expected))


def _place(declaration: Declaration, loc: Sequence[str | int]) -> Place:
    return locate(declaration.spec, follow(declaration.spec, loc), declaration.path)


def _expected(details: ErrorDetails) -> list[str]:
    context = details.get("ctx", {})
    return _QUOTED.findall(str(context.get("expected", context.get("expected_tags", ""))))


def _sentence(details: ErrorDetails, place: Place, expected: Sequence[str]) -> str:
    context = details.get("ctx", {})
    if expected:
        sentence = f"must be {' or '.join(expected)}"
    elif details["type"] == "value_error":
        sentence = str(context["error"])
    else:
        sentence = _SENTENCES.get(details["type"], details["msg"].replace("Input should", "must"))
    return sentence + _shown(place, sentence)


def _shown(place: Place, sentence: str) -> str:
    if not isinstance(place.node, ScalarNode) or place.node.secret or _SECRET.search(place.path):
        return ""
    text = place.node.text
    if not text or repr(text) in sentence:
        return ""
    return f", not {text!r}" if len(text) <= _SHOWN else f", not {text[:_SHOWN]!r}…"
