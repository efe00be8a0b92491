"""Finds values that expired and that nobody asks for, a few addresses at a time, so that they do not stay for ever."""

from itertools import islice

from statefun_runtime.engine.engine import Engine
from statefun_runtime.interfaces import Store, Table
from statefun_runtime.store import keys, rows


class ExpirySweep:
    """Goes through the states in the store, round after round.

    It only proposes: the engine deletes what really has expired, and whose address is not in memory. There the next
    call finds it.
    """

    def __init__(self, engine: Engine, store: Store) -> None:
        self._engine = engine
        self._store = store
        self._next = b""

    def step(self, addresses: int) -> int:
        """Look at the next `addresses`, and return how many had values that go with the open epoch."""
        if not self._engine.mailboxes.has_expiry:
            return 0
        found = list(islice(self._store.scan(Table.STATE, self._next), addresses))
        self._next = found[-1][0] + b"\0" if len(found) == addresses else b""
        return sum(self._engine.expire(keys.read_address(key)[0], rows.read_state(row)) for key, row in found)
