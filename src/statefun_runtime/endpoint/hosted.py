"""Functions that belong to the runtime, in its own process or in others."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from statefun_runtime.interfaces import Endpoint, StateSpec


class Hosted(Endpoint, Protocol):
    """The endpoint of these functions. What they are is known once it has started."""

    @property
    def functions(self) -> Mapping[str, str]:
        """By typename, the file and line where the function is written."""
        ...

    @property
    def place(self) -> str:
        """Where they run, for people."""
        ...

    def declared(self) -> Iterator[tuple[str, list[StateSpec]]]:
        """The states of the function types whose declaration is at hand; others are asked when they are called."""
        ...
