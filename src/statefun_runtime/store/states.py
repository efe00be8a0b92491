"""The states of addresses, as the engine takes them."""

from collections.abc import Sequence

from statefun_runtime.epoch import StateValues
from statefun_runtime.interfaces import Address, Store, Table
from statefun_runtime.store import keys, rows


def read_values(store: Store, addresses: Sequence[Address]) -> list[StateValues]:
    """The durable values of each address, in order; none for one that has no row. Expired values are among them."""
    found = store.get_many(Table.STATE, [keys.address_key(address) for address in addresses])
    return [rows.read_state(row) if row is not None else {} for row in found]
