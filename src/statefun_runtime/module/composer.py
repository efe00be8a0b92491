"""YAML text to node trees.

PyYAML's parser delivers events; the trees are built here, because its own composer recurses as deep as a file likes and
drops the places of keys. Files come from outside, so depth and what aliases unfold to are limited.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import yaml
from yaml import events
from yaml.error import MarkedYAMLError
from yaml.reader import ReaderError

from statefun_runtime.module.node import Entry, MappingNode, Node, ScalarNode, SequenceNode
from statefun_runtime.module.position import Position
from statefun_runtime.module.problem import Problem, error

MAX_DEPTH = 50
"""Kinds known here need 6 levels."""
MAX_NODES = 50_000
"""Of a document with all aliases unfolded."""

_TAGS = frozenset(
    {"!", *(f"tag:yaml.org,2002:{name}" for name in ["str", "int", "float", "bool", "null", "seq", "map"])}
)
_MERGE_KEY = "<<"


class _Refused(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, position: Position, message: str) -> None:
        super().__init__(message)
        self.position = position


class _Measured(NamedTuple):
    node: Node
    nodes: int
    depth: int


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet."""

    position: Position
    anchor: str | None
    is_mapping: bool
    children: list[_Measured] = field(default_factory=list[_Measured])
    nodes: int = 1
    depth: int = 0


def compose(text: str, file: str) -> tuple[list[Node], list[Problem]]:
    """The documents of a text, without null ones, and what is wrong with it.

    A text that is no YAML is read up to the place where it stops being so.
    """
    composer = _Composer(file)
    documents: list[Node] = []
    try:
        for event in _events(text, file):
            document = composer.take(event)
            if document is not None and not (isinstance(document, ScalarNode) and document.is_null):
                documents.append(document)
    except _Refused as refused:
        composer.problems.append(error(refused.position, "", str(refused)))
    return documents, composer.problems


class _Composer:
    def __init__(self, file: str) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._open: list[_Open] = []
        self._anchors: dict[str, _Measured] = {}

    def take(self, event: events.Event) -> Node | None:
        """Take the next event; return the document that it completes."""
        match event:
            case events.DocumentStartEvent():
                self._anchors = {}
            case events.ScalarEvent():
                return self._add(_Measured(self._scalar(event), 1, 1), event.anchor)
            case events.AliasEvent():
                return self._add(self._alias(event), None)
            case events.SequenceStartEvent() | events.MappingStartEvent():
                self._start(event)
            case events.SequenceEndEvent() | events.MappingEndEvent():
                opened = self._open.pop()
                node = self._mapping(opened) if opened.is_mapping else _sequence(opened)
                return self._add(_Measured(node, opened.nodes, opened.depth + 1), opened.anchor)
            case _:
                pass
        return None

    def _start(self, event: events.SequenceStartEvent | events.MappingStartEvent) -> None:
        position = _position(event, self._file)
        if len(self._open) >= MAX_DEPTH:
            raise _Refused(position, f"is nested deeper than {MAX_DEPTH} levels")
        self._check_tag(event.tag, position)
        self._open.append(_Open(position, event.anchor, isinstance(event, events.MappingStartEvent)))

    def _add(self, added: _Measured, anchor: str | None) -> Node | None:
        if anchor is not None:
            self._anchors[anchor] = added
        if not self._open:
            return added.node
        parent = self._open[-1]
        parent.children.append(added)
        parent.nodes += added.nodes
        parent.depth = max(parent.depth, added.depth)
        if parent.nodes > MAX_NODES:
            raise _Refused(added.node.position, f"unfolds to more than {MAX_NODES} nodes")
        if len(self._open) + added.depth > MAX_DEPTH:
            raise _Refused(added.node.position, f"is nested deeper than {MAX_DEPTH} levels")
        return None

    def _scalar(self, event: events.ScalarEvent) -> ScalarNode:
        position = _position(event, self._file)
        self._check_tag(event.tag, position)
        value = str(event.value)
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise _Refused(position, "contains half of a surrogate pair, which is no character")
        return ScalarNode(value, plain=bool(event.implicit[0]), position=position)

    def _alias(self, event: events.AliasEvent) -> _Measured:
        known = self._anchors.get(event.anchor or "")
        if known is None:
            raise _Refused(_position(event, self._file), f"found undefined alias *{event.anchor}")
        return known

    def _check_tag(self, tag: str | None, position: Position) -> None:
        if tag is not None and tag not in _TAGS:
            self.problems.append(error(position, "", f"tags such as {tag} are not supported"))

    def _mapping(self, opened: _Open) -> MappingNode:
        entries: dict[str, Entry] = {}
        inherited: dict[str, Entry] = {}
        for key, value in zip(opened.children[::2], opened.children[1::2], strict=True):
            if not isinstance(key.node, ScalarNode):
                self.problems.append(error(key.node.position, "", "a key must be a text"))
            elif key.node.plain and key.node.text == _MERGE_KEY:
                inherited = {**self._merged(value.node), **inherited}
            elif key.node.text in entries:
                first = entries[key.node.text].key
                self.problems.append(
                    error(key.node.position, "", f'the key "{key.node.text}" occurs twice; first in line {first.line}')
                )
            else:
                entries[key.node.text] = Entry(key.node.position, value.node)
        return MappingNode({**inherited, **entries}, opened.position)

    def _merged(self, node: Node) -> dict[str, Entry]:
        """What `<<: *anchor` or `<<: [*first, *second]` brings in; of a list the first one wins."""
        found: dict[str, Entry] = {}
        for source in reversed(node.items if isinstance(node, SequenceNode) else (node,)):
            if isinstance(source, MappingNode):
                found.update(source.entries)
            else:
                self.problems.append(error(source.position, "", "only mappings can be merged with <<"))
        return found


def _sequence(opened: _Open) -> SequenceNode:
    return SequenceNode(tuple(child.node for child in opened.children), opened.position)


def _events(text: str, file: str) -> Iterator[events.Event]:
    """The parser's events; whatever it raises comes out as `_Refused` with a place."""
    line = 0
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            line = _position(event, file).line
            yield event
    except MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        position = Position(file) if mark is None else Position(file, mark.line + 1, mark.column + 1)
        raise _Refused(position, _sentence(wrong)) from wrong
    except ReaderError as wrong:
        before = text[: wrong.position]
        position = Position(file, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
        raise _Refused(position, f"{wrong.reason}: {wrong.character!r}") from wrong
    except (ValueError, OverflowError) as wrong:
        # PyYAML lets through what int() and chr() raise on version numbers and escapes that are too large.
        raise _Refused(Position(file, line, 1), f"a number in an escape or directive is too large: {wrong}") from wrong


def _sentence(wrong: MarkedYAMLError) -> str:
    parts = (wrong.context, wrong.problem)
    return "is no YAML: " + (", ".join(part for part in parts if part) or "unexpected content")


def _position(event: events.Event, file: str) -> Position:
    mark = event.start_mark
    return Position(file) if mark is None else Position(file, mark.line + 1, mark.column + 1)
