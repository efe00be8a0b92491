"""What the specs of all kinds have in common: the base class and the types of properties."""

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo
from pydantic.alias_generators import to_camel

from statefun.typename import split_typename
from statefun_runtime.answer import OWN_NAMESPACE
from statefun_runtime.units import parse_duration, parse_size

_DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [+-]\d{4}", re.ASCII)

ItemT = TypeVar("ItemT")

_TOPIC = re.compile(r"[a-zA-Z0-9._-]{1,249}", re.ASCII)

DIRECTORY = "directory"
"""The key of the validation context under which the directory for relative paths is handed in."""


class StrictModel(BaseModel):
    """A part of a spec whose properties are written as its fields are named. Unknown properties are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True)


class CamelModel(StrictModel):
    """A part of a spec whose properties are written in camel case: field `value_type`, property `valueType`."""

    model_config = ConfigDict(alias_generator=to_camel)


class Spec(CamelModel):
    """The checked `spec` of one document of a module file."""


def check_typename(text: str) -> str:
    """Return `text` if it reads `<namespace>/<name>`, split at the last slash; a ValueError otherwise."""
    split_typename(text)
    if any(character.isspace() or not character.isprintable() for character in text):
        raise ValueError("must not contain spaces or control characters")
    return text


def _check_target(text: str) -> str:
    check_typename(text)
    if "*" in text:
        raise ValueError("must name one function type: a target cannot be a pattern")
    if text.startswith(f"{OWN_NAMESPACE}/"):
        raise ValueError(f"must not be of {OWN_NAMESPACE}: those addresses are the runtime's own")
    return text


def _duration(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


def _size(value: object) -> object:
    return parse_size(value) if isinstance(value, str) else value


def _positive_duration(value: int) -> int:
    if value <= 0:
        raise ValueError("must be longer than 0")
    return value


def _date(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not _DATE.fullmatch(value):
        raise ValueError('must read "yyyy-MM-dd HH:mm:ss.SSS Z", for example "2024-02-01 04:15:00.000 +0000"')
    return datetime.strptime(value, "%Y-%m-%d %H:%M:%S.%f %z")


def _file_path(value: Path, info: ValidationInfo) -> Path:
    _check_path(value)
    directory = info.context[DIRECTORY] if info.context else None
    return Path(directory, value) if directory is not None else value


def refuse_empty(items: tuple[ItemT, ...]) -> tuple[ItemT, ...]:
    """Return `items`; a ValueError if there are none."""
    if not items:
        raise ValueError("must not be empty")
    return items


def check_one_entry(entry: dict[str, ItemT]) -> dict[str, ItemT]:
    """Return `entry`; a ValueError if it is not one name with one value."""
    if len(entry) != 1:
        raise ValueError("must be one name with one value")
    return entry


def _check_path(value: Path) -> Path:
    if not value.name or not str(value).isprintable():
        raise ValueError("must name a file")
    return value


def _check_topic(text: str) -> str:
    if not _TOPIC.fullmatch(text) or text in {".", ".."}:
        raise ValueError("must be 1 to 249 of the characters a-z A-Z 0-9 . _ -")
    return text


Text: TypeAlias = Annotated[str, Field(min_length=1)]
TypeNameText: TypeAlias = Annotated[str, AfterValidator(check_typename)]
"""`<namespace>/<name>`."""
Targets: TypeAlias = Annotated[tuple[Annotated[str, AfterValidator(_check_target)], ...], AfterValidator(refuse_empty)]
"""Function types that each get a message of their own, in this order."""
Port: TypeAlias = Annotated[int, Field(ge=0, le=65535)]
"""0 lets the operating system choose a free one."""
Duration: TypeAlias = Annotated[int, BeforeValidator(_duration), AfterValidator(_positive_duration)]
"""Milliseconds, more than 0; written as `parse_duration` reads them."""
Size: TypeAlias = Annotated[int, BeforeValidator(_size), Field(gt=0)]
"""Bytes, more than 0; written as `parse_size` reads them."""
Date: TypeAlias = Annotated[datetime, BeforeValidator(_date)]
"""A moment with its offset to UTC, written as `yyyy-MM-dd HH:mm:ss.SSS Z`."""
FilePath: TypeAlias = Annotated[Path, AfterValidator(_file_path)]
"""A file; a relative path is taken from the directory of the module file that names it."""
LocalPath: TypeAlias = Annotated[Path, AfterValidator(_check_path)]
"""A file; a relative path is taken from the working directory, as Flink does."""
KafkaTopicName: TypeAlias = Annotated[str, AfterValidator(_check_topic)]
Properties: TypeAlias = tuple[Annotated[dict[str, str], AfterValidator(check_one_entry)], ...]
"""Settings for a client library: a list of maps with one entry each."""


class AdapterSpec(Spec):
    """The base of the specs of users' own kinds: what all of them have is the `id` of the ingress or egress."""

    id: TypeNameText


def merge_properties(properties: Properties) -> Mapping[str, str]:
    """The settings as one map; of a name that is given twice the last one counts, as in Flink."""
    return {name: value for entry in properties for name, value in entry.items()}


class InvalidRecordHandling(CamelModel):
    """What happens to a record that cannot become a message: `skip` drops it, `fail` stops the ingress."""

    type: Literal["skip", "fail"]
