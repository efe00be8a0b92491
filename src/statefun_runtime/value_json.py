"""Values and JSON: what is strict JSON, and the text of a value whose type is known or whose bytes are JSON."""

import json
from typing import NoReturn

from statefun.primitive_types import PRIMITIVE_TYPES

_NESTED = 100
_MARGIN = 100
"""How much deeper than here whoever reads a text may be nested."""


def parse_strict(text: str | bytes) -> object:
    """What a JSON text says. Raises ValueError, also for NaN and infinities, which are no JSON, and RecursionError."""
    return json.loads(text, parse_constant=_refuse_constant)


def json_text(typename: str, value: bytes) -> str:
    """A value in JSON: that of a primitive type as JSON writes it, any other as it is.

    Raises:
        ValueError: JSON cannot write it, or it is no JSON.
        RecursionError: It is nested too deep.
    """
    primitive = PRIMITIVE_TYPES.get(typename)
    if primitive is not None:
        return json.dumps(primitive.deserialize(value), ensure_ascii=False, allow_nan=False)
    text = value.decode()
    parse_strict(text)
    return text


def check_depth(text: str) -> None:
    """Raise RecursionError if a JSON text is nested so deep that others might not read it within a text of theirs."""
    if text.count("[") + text.count("{") > _NESTED:
        json.loads("[" * _MARGIN + text + "]" * _MARGIN)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
