"""The tree of a YAML document, every node with its place in its file.

Plain scalars keep their text: YAML 1.1 would read a topic called `no` as false and an id `0123` as 83. Which type a
value has is known where it is used.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, cast

from statefun_runtime.module.position import Position

_NULL = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A text; `plain` if it was written without quotes and so may mean null, a number or a truth value.

    No message shows the text of a `secret` one.
    """

    text: str
    plain: bool
    position: Position
    secret: bool = False

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


def follow(root: Node, path: Sequence[str | int]) -> tuple[str | int, ...]:
    """The keys and indexes of `path` that lead on from `root`.

    `path` is written as pydantic's errors write it: the tag of the variant that a mapping's `type` chose stands before
    the keys, and may be the name of a key as well.
    """
    node, found, tagged = root, list[str | int](), False
    for at, part in enumerate(path):
        more = at + 1 < len(path)
        if not tagged and more and isinstance(node, MappingNode) and part == text(child(node, "type")):
            tagged = True
        elif (next_node := _step(node, part)) is not None:
            node, tagged = next_node, False
            found.append(part)
    return tuple(found)


class Place(NamedTuple):
    """Where a path leads to in a tree: the path as written, the node, and the place of its key."""

    path: str
    node: Node
    key: Position


def locate(root: Node, path: Sequence[str | int], prefix: str) -> Place:
    """The place that the keys and indexes of `path`, all of which exist, lead to from `root`, which is at `prefix`."""
    node, key, written = root, root.position, prefix
    for part in path:
        if isinstance(node, MappingNode) and isinstance(part, str):
            key, node = node.entries[part]
            written = f"{written}.{part}"
        elif isinstance(node, SequenceNode) and isinstance(part, int):
            node = node.items[part]
            key = node.position
            written = f"{written}[{part}]"
    return Place(written, node, key)


def without(root: MappingNode, path: Sequence[str | int]) -> MappingNode:
    """`root` without the entry that the keys and indexes of `path`, all of which exist, lead to."""
    *parents, name = path
    parent = locate(root, parents, "").node
    changed: Node = parent
    if isinstance(parent, MappingNode):
        changed = MappingNode({key: entry for key, entry in parent.entries.items() if key != name}, parent.position)
    for at in reversed(range(len(parents))):
        changed = _with_child(locate(root, parents[:at], "").node, parents[at], changed)
    return cast("MappingNode", changed)


def _with_child(node: Node, part: str | int, value: Node) -> Node:
    if isinstance(node, MappingNode) and isinstance(part, str):
        entries = {**node.entries, part: Entry(node.entries[part].key, value)}
        return MappingNode(entries, node.position)
    if isinstance(node, SequenceNode) and isinstance(part, int):
        return SequenceNode((*node.items[:part], value, *node.items[part + 1 :]), node.position)
    return node


def _step(node: Node, part: str | int) -> Node | None:
    if isinstance(node, MappingNode) and isinstance(part, str):
        entry = node.entries.get(part)
        return None if entry is None else entry.value
    if isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.items):
        return node.items[part]
    return None


def _changes_type(base: MappingNode, over: MappingNode) -> bool:
    return text(child(over, "type")) not in {None, text(child(base, "type"))}
