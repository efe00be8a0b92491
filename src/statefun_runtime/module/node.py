"""The tree of a YAML document, every node with its place in its file.

Plain scalars keep their text: YAML 1.1 would read a topic called `no` as false and an id `0123` as 83. Which type a
value has is known where it is used.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, cast

from statefun_runtime.module.position import Position

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A text; `plain` if it was written without quotes and so may mean null, a number or a truth value."""

    text: str
    plain: bool
    position: Position

    @property
    def is_null(self) -> bool:
        return self.plain and self.text in _NULL


@dataclass(frozen=True, slots=True)
class SequenceNode:
    """A list."""

    items: "tuple[Node, ...]"
    position: Position


class Entry(NamedTuple):
    """A value of a mapping and the place of its key."""

    key: Position
    value: "Node"


@dataclass(frozen=True, slots=True)
class MappingNode:
    """A mapping with texts as keys."""

    entries: Mapping[str, Entry]
    position: Position


Node: TypeAlias = ScalarNode | SequenceNode | MappingNode


def text_values(node: Node) -> object:
    """The tree as dicts, lists and texts.

    Null is `None` in a list and missing in a dict: a property that is null has its default.
    """
    match node:
        case ScalarNode():
            return None if node.is_null else node.text
        case SequenceNode():
            return [text_values(item) for item in node.items]
        case MappingNode():
            return {key: text_values(entry.value) for key, entry in node.entries.items() if not is_null(entry.value)}


def typed_values(node: Node) -> object:
    """The tree as plain Python values, plain scalars read by the core schema of YAML 1.2."""
    match node:
        case ScalarNode():
            return _typed_scalar(node)
        case SequenceNode():
            return [typed_values(item) for item in node.items]
        case MappingNode():
            return {key: typed_values(entry.value) for key, entry in node.entries.items()}


def is_null(node: Node) -> bool:
    """Whether the node is a plain null."""
    return isinstance(node, ScalarNode) and node.is_null


def overlay(base: MappingNode, over: MappingNode) -> MappingNode:
    """`base` with what `over` says: mappings are merged entry by entry, anything else is replaced as a whole.

    A mapping whose `type` changes is replaced too, since its other entries belong to the old type.
    """
    merged = dict(base.entries)
    for key, entry in over.entries.items():
        known, value = child(base, key), entry.value
        if isinstance(known, MappingNode) and isinstance(value, MappingNode) and not _changes_type(known, value):
            value = overlay(known, value)
        merged[key] = Entry(entry.key, value)
    return MappingNode(merged, base.position)


def child(node: Node | None, key: str) -> Node | None:
    """The value under `key` if `node` is a mapping that has it and it is not null."""
    entry = node.entries.get(key) if isinstance(node, MappingNode) else None
    return None if entry is None or is_null(entry.value) else entry.value


def text(node: Node | None) -> str | None:
    """The text of a scalar that is not null."""
    return node.text if isinstance(node, ScalarNode) and not node.is_null else None


def without(root: MappingNode, path: Sequence[str | int]) -> MappingNode:
    """`root` without the entry that `path` leads to; parts that lead nowhere are passed over, as in `locate`."""
    return cast("MappingNode", _without(root, tuple(path)))


def _without(node: Node, path: tuple[str | int, ...]) -> Node:
    if not path:
        return node
    part, rest = path[0], path[1:]
    if isinstance(node, MappingNode) and isinstance(part, str) and part in node.entries:
        entries = dict(node.entries)
        entry = entries.pop(part)
        if rest:
            entries[part] = Entry(entry.key, _without(entry.value, rest))
        return MappingNode(entries, node.position)
    if isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.items):
        items = list(node.items)
        items[part] = _without(items[part], rest)
        return SequenceNode(tuple(items), node.position)
    return _without(node, rest)


class Place(NamedTuple):
    """Where a path leads to in a tree: the path as written, and the nearest node that is there."""

    path: str
    position: Position
    key: Position
    node: Node


def locate(root: Node, path: Sequence[str | int], prefix: str) -> Place:
    """Follow `path` from `root`; parts that are no keys or indexes there (a checker's own marks) are passed over."""
    node, position, key, written = root, root.position, root.position, prefix
    for part in path:
        if isinstance(node, MappingNode) and isinstance(part, str) and part in node.entries:
            key, node = node.entries[part]
            written = f"{written}.{part}" if written else part
        elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
            key = node.position
            written = f"{written}[{part}]"
        position = node.position
    return Place(written, position, key, node)


def _changes_type(base: MappingNode, over: MappingNode) -> bool:
    return text(child(over, "type")) not in {None, text(child(base, "type"))}


def _typed_scalar(node: ScalarNode) -> object:
    if not node.plain:
        return node.text
    if node.is_null:
        return None
    if node.text in _BOOLEANS:
        return _BOOLEANS[node.text]
    if _INTEGER.fullmatch(node.text):
        return int(node.text)
    if _FLOAT.fullmatch(node.text) and math.isfinite(number := float(node.text)):
        return number
    return node.text
