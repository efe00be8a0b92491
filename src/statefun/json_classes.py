"""Dataclasses and pydantic models as JSON."""

import json
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from enum import Enum
from functools import cache
from types import MappingProxyType
from typing import Any, Final, TypeAlias, cast

Codec: TypeAlias = tuple[Callable[[Any], bytes], Callable[[bytes], Any]]
_Decode: TypeAlias = Callable[[Any], Any]

_KEYS: Final[Mapping[object, Callable[[str], Any]]] = MappingProxyType({str: str, int: int, float: float, Any: str})
"""How the keys of a JSON object, which are text, become keys of a dict."""

_SCALARS: Final = frozenset({str, int, float, bool, types.NoneType})
_read_text: Final = json.JSONDecoder().decode


def class_codec(cls: type[Any]) -> Codec:
    """How instances of `cls` become JSON and back. Raises TypeError if it is no dataclass and no pydantic model."""
    if not _is_class(cls):
        raise TypeError(f"{cls!r} is no class, so neither a dataclass nor a pydantic model")
    if hasattr(cls, "model_validate_json") and hasattr(cls, "model_dump_json"):
        # Known by its methods, so that pydantic need not be installed.
        return (
            _instance_check(cls, lambda value: value.model_dump_json().encode()),
            cls.model_validate_json,
        )
    if is_dataclass(cls):
        # The decoder is made at the first read: annotations may name classes that are defined later.
        return _instance_check(cls, _dataclass_dump(cls)), lambda data: _decoder(cls)(read_json(data))
    raise TypeError(f"{cls!r} is neither a dataclass nor a pydantic model")


def _is_class(cls: object) -> bool:
    return isinstance(cls, type)


def _instance_check(cls: type[Any], dump: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    def checked(value: Any) -> bytes:
        if not isinstance(value, cls):
            raise TypeError(f"expected a {cls.__name__}, not a {type(value).__name__}")
        return dump(value)

    return checked


def read_json(data: bytes) -> Any:
    """What `json.loads` gives, without its search for the encoding as long as it is UTF-8.

    Raises:
        ValueError: The bytes are no JSON.
    """
    try:
        return _read_text(data.decode())
    except (AttributeError, ValueError):
        pass  # It finds other encodings, and says what is wrong.
    return json.loads(data)


def _dataclass_dump(cls: type[Any]) -> Callable[[Any], bytes]:
    # Made once: `json.dumps` makes an encoder for each call.
    write = json.JSONEncoder(ensure_ascii=False, default=_in_json).encode
    names = tuple(each.name for each in fields(cls))

    def dump(value: Any) -> bytes:
        members = {name: getattr(value, name) for name in names}
        # A subclass may have more fields.
        plain = value.__class__ is cls and all(map(_is_plain, members.values()))
        # What `asdict` copies takes longer to copy than to write.
        return write(members if plain else asdict(value)).encode()

    return dump


def _is_plain(value: object) -> bool:
    """Whether JSON writes `value` as it would write the copy that `asdict` makes."""
    if value.__class__ in _SCALARS:
        return True
    if value.__class__ in (list, tuple):
        return all(map(_is_plain, cast("Iterable[object]", value)))
    if value.__class__ is dict:
        pairs = cast("dict[object, object]", value)
        return all(key.__class__ is str for key in pairs) and all(map(_is_plain, pairs.values()))
    return False


def _in_json(value: object) -> object:
    """What JSON has for the values that it does not know."""
    if isinstance(value, (set, frozenset)):
        return list(cast("Iterable[object]", value))
    if isinstance(value, Enum):
        return value.value
    raise TypeError(f"a {type(value).__name__} cannot be JSON: {value!r}")


@cache
def _decoder(hint: Any) -> _Decode:
    """What turns JSON into a value of `hint`; a hint that says nothing about JSON takes any value as it is."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if not arguments and isinstance(origin or hint, type):
        return _class_decoder(origin or hint)
    if origin in (list, set, frozenset) or (origin is tuple and arguments[1:] == (Ellipsis,)):
        return _collection_decoder(origin, arguments[0])
    if origin is tuple:
        return _tuple_decoder(arguments)
    if origin is dict:
        return _mapping_decoder(*arguments)
    if origin in (typing.Union, types.UnionType):
        return _union_decoder(arguments)
    return _as_it_is


def _class_decoder(cls: type[Any]) -> _Decode:
    if is_dataclass(cls):
        return _dataclass_decoder(cls)
    if issubclass(cls, Enum):
        return cls
    if cls is float:
        # Other languages write 1.0 as 1.
        return lambda value: value if value.__class__ is float else float(_checked(value, int, float))
    if cls in (str, int, bool, dict, types.NoneType):
        return _exact_decoder(cls)
    if cls in (list, tuple, set, frozenset):
        return _collection_decoder(cls, Any)
    return _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


def _exact_decoder(cls: type[Any]) -> _Decode:
    return lambda value: value if value.__class__ is cls else _checked(value, cls)


def _checked(value: Any, *classes: type[Any]) -> Any:
    """The value, if its class is exactly one of these: a bool is no int.

    Raises:
        ValueError: It is not.
    """
    if type(value) not in classes:
        names = " or ".join(each.__name__ for each in classes)
        raise ValueError(f"expected JSON for a {names}, not {value!r}")
    return value


def _dataclass_decoder(cls: type[Any]) -> _Decode:
    hints = typing.get_type_hints(cls)
    init = [each for each in fields(cls) if each.init]
    required = {each.name for each in init if each.default is MISSING and each.default_factory is MISSING}
    names = [each.name for each in init]
    decoders: dict[str, _Decode] = {}

    def find(name: str) -> _Decode:
        # At the first use: a class may contain itself.
        decoders[name] = decoder = _decoder(hints[name])
        return decoder

    def decode(value: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError(f"expected a JSON object for a {cls.__name__}, not {value!r}")  # noqa: TRY004
        members = cast("dict[str, Any]", value)
        if not required.issubset(members):
            missing = sorted(required.difference(members))
            raise ValueError(f"the JSON of a {cls.__name__} lacks {', '.join(missing)}")
        return cls(**{name: (decoders.get(name) or find(name))(members[name]) for name in names if name in members})

    return decode


def _collection_decoder(collection: Callable[[Any], Any], hint: Any) -> _Decode:
    def decode(value: Any) -> Any:
        item = _decoder(hint)
        return collection(item(each) for each in _checked(value, list))

    return decode


def _tuple_decoder(hints: tuple[Any, ...]) -> _Decode:
    def decode(value: Any) -> Any:
        return tuple(_decoder(hint)(each) for hint, each in zip(hints, _checked(value, list), strict=True))

    return decode


def _mapping_decoder(key_hint: Any, hint: Any) -> _Decode:
    key_of = _KEYS.get(key_hint)
    if key_of is None:
        raise TypeError(f"the keys of a JSON object are text: a dict of {key_hint!r} cannot be read back")

    def decode(value: Any) -> Any:
        item = _decoder(hint)
        return {key_of(key): item(each) for key, each in _checked(value, dict).items()}

    return decode


def _union_decoder(hints: tuple[Any, ...]) -> _Decode:
    candidates = [hint for hint in hints if hint is not types.NoneType]

    def decode(value: Any) -> Any:
        if len(candidates) != 1 or (value is None and len(hints) > 1):
            # Which of several classes an object is cannot be told from JSON.
            return value
        return _decoder(candidates[0])(value)

    return decode
