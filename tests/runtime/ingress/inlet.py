"""An inlet that ends an ingress between two of its steps."""

from collections.abc import Collection

from statefun_runtime.testing import MemoryInlet


class KilledError(Exception):
    """Raised by `StoppingInlet` in place of a kill."""


class StoppingInlet(MemoryInlet):
    """Ends the ingress, as a kill would, when it asks for room the `turns`-th time."""

    def __init__(self, turns: int, earlier: MemoryInlet | None = None) -> None:
        super().__init__(earlier=earlier)
        self._turns = turns

    async def room(self, typenames: Collection[str] = ()) -> None:
        self._turns -= 1
        if self._turns <= 0:
            raise KilledError
