"""What Flink calls a state of a function: `<namespace>.<type>.<state>`."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from statefun.typename import split_typename
from statefun_runtime.interfaces import StateSpec


class StateName(NamedTuple):
    """A state of a function type."""

    typename: str
    state: str

    def __str__(self) -> str:
        namespace, name = split_typename(self.typename)
        return f"{namespace}.{name}.{self.state}"


class StateNames:
    """Finds out which state a name of Flink's stands for.

    A name alone does not say where the namespace ends. Without the application's functions the last two dots are taken
    for the borders, which is right unless there is a dot in the part of a typename after its slash.
    """

    def __init__(self, declared: Mapping[str, Iterable[StateSpec]]) -> None:
        """Args: `declared` are the states of the application's functions, by typename, as far as they are known."""
        self._prefixes = {str(StateName(typename, "")): typename for typename in declared}
        self._exact = {
            str(name): name
            for typename, specs in declared.items()
            for name in (StateName(typename, s.name) for s in specs)
        }

    def find(self, flink_name: str) -> StateName:
        """The state that `flink_name` stands for. Raises ValueError if it has not three parts."""
        if flink_name in self._exact:
            return self._exact[flink_name]
        prefix, dot, state = flink_name.rpartition(".")
        if prefix + dot in self._prefixes:
            return StateName(self._prefixes[prefix + dot], state)
        namespace, _, name = prefix.rpartition(".")
        if not (namespace and name and state):
            raise ValueError(f"{flink_name} is not the name of a function's state")
        return StateName(f"{namespace}/{name}", state)
