"""Taking the fixed parts out of a document, each with a problem if it is not what it must be."""

from collections.abc import Collection

from statefun_runtime.module.node import MappingNode, Node, ScalarNode, SequenceNode, child
from statefun_runtime.module.problem import Problem, error, warning
from statefun_runtime.suggestion import nearest_name


class Fields:
    """A mapping of a document whose keys are known. What is missing or wrong is added to `problems`.

    `path` leads from the document's root to the mapping.
    """

    def __init__(self, node: MappingNode, path: str, known: Collection[str], problems: list[Problem]) -> None:
        self.node = node
        self.path = path
        self._problems = problems
        for key, entry in node.entries.items():
            if key not in known:
                hint = nearest_name(key, known)
                problems.append(warning(entry.key, self.path_of(key), "is not a known property", hint))

    def path_of(self, key: str) -> str:
        """The path to the value under `key`."""
        return f"{self.path}.{key}" if self.path else key

    def scalar(self, key: str) -> ScalarNode | None:
        """The text under `key`; required."""
        node = self._required(key)
        if node is None or isinstance(node, ScalarNode):
            return node
        self._problems.append(error(node.position, self.path_of(key), "must be a text"))
        return None

    def mapping(self, key: str) -> MappingNode | None:
        """The mapping under `key`; required."""
        node = self._required(key)
        if node is None or isinstance(node, MappingNode):
            return node
        self._problems.append(error(node.position, self.path_of(key), "must be a mapping"))
        return None

    def items(self, key: str) -> tuple[Node, ...]:
        """The list under `key`; empty if there is none."""
        node = child(self.node, key)
        if node is None:
            return ()
        if isinstance(node, SequenceNode):
            return node.items
        self._problems.append(error(node.position, self.path_of(key), "must be a list"))
        return ()

    def _required(self, key: str) -> Node | None:
        node = child(self.node, key)
        if node is None:
            self._problems.append(error(self.node.position, self.path_of(key), "is required"))
        return node
