"""Secrets in module files: `${env:NAME}` and `${file:PATH}` in the texts of a spec.

They are read once all files are laid over each other, so that what an overlay replaces need not be there.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from statefun_runtime.kafka import jaas
from statefun_runtime.module.declaration import Declaration
from statefun_runtime.module.node import Entry, MappingNode, Node, ScalarNode, SequenceNode
from statefun_runtime.module.problem import Problem, error

MAX_BYTES = 1 << 20
"""The largest file of a placeholder; a bundle of certificates has a fifth of it."""

_PLACEHOLDER = re.compile(r"(?P<escape>\$?)\$\{(?P<source>env|file):(?P<name>[^}]*)(?P<end>\}?)")
_LAST_BREAK = re.compile(r"\r?\n\Z")
_NAMES = frozenset(
    {"functions", "id", "path", "stream", "targets", "topic", "topics", "type", "urlPathTemplate", "valueType"}
)
"""Properties whose values are shown and stored wherever they matter, so that none of them can be a secret."""


class PlaceholderError(ValueError):
    """A placeholder has no value; the text says why and what to do."""


class Placeholders:
    """Puts values in the place of placeholders.

    Args:
        environment: The variables that placeholders may name.
        problems: Where placeholders without a value are told.
    """

    def __init__(self, environment: Mapping[str, str], problems: list[Problem]) -> None:
        self.secrets: set[str] = set()
        """The values that were found."""
        self._environment = environment
        self._problems = problems

    def resolve(self, declaration: Declaration) -> Declaration:
        """The declaration with values in its spec; texts that hold one are marked as secret."""
        entries = self._entries(declaration.spec, declaration.path)
        return declaration.with_spec(MappingNode(entries, declaration.spec.position))

    def _entries(self, mapping: MappingNode, path: str) -> dict[str, Entry]:
        return {
            name: Entry(entry.key, self._node(entry.value, name, f"{path}.{name}"))
            for name, entry in mapping.entries.items()
        }

    def _node(self, node: Node, name: str, path: str) -> Node:
        """The node, which is the value of the property `name` or an item of its list."""
        match node:
            case ScalarNode():
                return self._scalar(node, name, path)
            case SequenceNode():
                items = (self._node(item, name, f"{path}[{at}]") for at, item in enumerate(node.items))
                return SequenceNode(tuple(items), node.position)
            case MappingNode():
                return MappingNode(self._entries(node, path), node.position)

    def _scalar(self, node: ScalarNode, name: str, path: str) -> ScalarNode:
        parts: list[str] = []
        end = 0
        try:
            for match in _PLACEHOLDER.finditer(node.text):
                parts += [node.text[end : match.start()], self._replacement(match, node, name)]
                end = match.end()
        except PlaceholderError as wrong:
            self._problems.append(error(node.position, path, str(wrong)))
            return ScalarNode(node.text, plain=False, position=node.position, secret=True)
        if not parts:
            return node
        return ScalarNode("".join([*parts, node.text[end:]]), plain=False, position=node.position, secret=True)

    def _replacement(self, match: re.Match[str], node: ScalarNode, name: str) -> str:
        if match["escape"]:
            return match[0][1:]
        if name in _NAMES:
            raise PlaceholderError("cannot hold a placeholder, since messages show it; give it in a later module file")
        if not match["name"] or not match["end"]:
            raise PlaceholderError(
                "a placeholder reads ${env:NAME} or ${file:PATH}; for the text itself write a second $ before it"
            )
        is_inside_jaas = name == jaas.PROPERTY and match[0] != node.text
        if is_inside_jaas and not jaas.is_quoted(node.text, match.start()):
            raise PlaceholderError(
                'a placeholder must be the whole line here, or stand between quotes as in password="${env:NAME}"'
            )
        value = self._variable(match["name"]) if match["source"] == "env" else _content(match["name"], node)
        if "\0" in value:
            raise PlaceholderError(f"the value of {match[0]} contains a null character")
        self.secrets.add(value)
        return jaas.escape(value) if is_inside_jaas else value

    def _variable(self, name: str) -> str:
        value = self._environment.get(name)
        if value is None:
            raise PlaceholderError(
                f"needs the environment variable {name}, which is not set; set it for this command, or give the "
                "property in a later module file"
            )
        return value


def _content(name: str, node: ScalarNode) -> str:
    """The text of a file, without one line break at its end; a relative path belongs to the module file."""
    path = Path(node.position.file).parent / name
    try:
        with path.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except (OSError, ValueError) as wrong:
        reason = wrong.strerror if isinstance(wrong, OSError) else str(wrong)
        raise PlaceholderError(
            f"needs the file {path}, which cannot be read: {reason}; put the secret there, or give the property in a "
            "later module file"
        ) from wrong
    if len(content) > MAX_BYTES:
        raise PlaceholderError(f"needs the file {path}, which is larger than {MAX_BYTES} bytes")
    try:
        text = content.decode()
    except UnicodeDecodeError as wrong:
        raise PlaceholderError(f"needs the file {path}, which is not UTF-8 text") from wrong
    return _LAST_BREAK.sub("", text)
