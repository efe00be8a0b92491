"""Dataclasses and pydantic models as JSON."""

import json
import types
import typing
from collections.abc import Callable
from dataclasses import MISSING, asdict, fields, is_dataclass
from functools import cache
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")

Codec: TypeAlias = tuple[Callable[[Any], bytes], Callable[[bytes], Any]]
_Decode: TypeAlias = Callable[[Any], Any]


def class_codec(cls: type[Any]) -> Codec:
    """How instances of `cls` become JSON and back. Raises TypeError if it is no dataclass and no pydantic model."""
    if hasattr(cls, "model_validate_json") and hasattr(cls, "model_dump_json"):
        # Known by its methods, so that pydantic need not be installed.
        return (
            _instance_check(cls, lambda value: value.model_dump_json().encode()),
            cls.model_validate_json,
        )
    if is_dataclass(cls):
        # The decoder is made at the first read: annotations may name classes that are defined later.
        return (
            _instance_check(cls, lambda value: json.dumps(asdict(value), ensure_ascii=False).encode()),
            lambda data: _decoder(cls)(json.loads(data)),
        )
    raise TypeError(f"{cls!r} is neither a dataclass nor a pydantic model")


def _instance_check(cls: type[Any], dump: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    def checked(value: Any) -> bytes:
        if not isinstance(value, cls):
            raise TypeError(f"expected a {cls.__name__}, not a {type(value).__name__}")
        return dump(value)

    return checked


@cache
def _decoder(hint: Any) -> _Decode:
    """What turns JSON into a value of `hint`: dataclasses, lists, tuples, sets, dicts and optionals of them."""
    if is_dataclass(hint) and isinstance(hint, type):
        return _dataclass_decoder(hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (list, set, frozenset) or (origin is tuple and arguments[1:] == (Ellipsis,)):
        return _collection_decoder(origin, arguments[0])
    if origin is tuple:
        return _tuple_decoder(arguments)
    if origin is dict:
        return _mapping_decoder(arguments[1])
    if origin in (typing.Union, types.UnionType):
        return _union_decoder(arguments)
    return _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


def _dataclass_decoder(cls: type[Any]) -> _Decode:
    hints = typing.get_type_hints(cls)
    init = [each for each in fields(cls) if each.init]
    required = {each.name for each in init if each.default is MISSING and each.default_factory is MISSING}

    def decode(value: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError(f"expected a JSON object for a {cls.__name__}, not {value!r}")  # noqa: TRY004
        missing = required - value.keys()
        if missing:
            raise ValueError(f"the JSON of a {cls.__name__} lacks {', '.join(sorted(missing))}")
        # Decoders are looked up at each use: a class may contain itself.
        return cls(**{each.name: _decoder(hints[each.name])(value[each.name]) for each in init if each.name in value})

    return decode


def _collection_decoder(collection: Callable[[Any], Any], hint: Any) -> _Decode:
    def decode(value: Any) -> Any:
        item = _decoder(hint)
        return collection(item(each) for each in value)

    return decode


def _tuple_decoder(hints: tuple[Any, ...]) -> _Decode:
    def decode(value: Any) -> Any:
        return tuple(_decoder(hint)(each) for hint, each in zip(hints, value, strict=True))

    return decode


def _mapping_decoder(hint: Any) -> _Decode:
    def decode(value: Any) -> Any:
        item = _decoder(hint)
        return {key: item(each) for key, each in value.items()}

    return decode


def _union_decoder(hints: tuple[Any, ...]) -> _Decode:
    candidates = [hint for hint in hints if hint is not types.NoneType]

    def decode(value: Any) -> Any:
        if value is None or len(candidates) != 1:
            # Which of several classes an object is cannot be told from JSON.
            return value
        return _decoder(candidates[0])(value)

    return decode
