"""A function type gets another name, over every store."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from statefun_runtime.epoch import DelayedMessage, Epoch, Parked, Pending
from statefun_runtime.errors import StoreError
from statefun_runtime.interfaces import Address, Changes, Message, StateSpec, Store, Table
from statefun_runtime.store import keys, queries, renaming, rows
from statefun_runtime.store.changes import changes_of
from statefun_runtime.store.memory import MemoryStore
from statefun_runtime.store.recovery import recover
from statefun_runtime.store.renaming import rename_function
from statefun_runtime.store.rocksdb import RocksDBStore

STORES: dict[str, Callable[[Path], Store]] = {"memory": lambda _: MemoryStore(), "rocksdb": RocksDBStore}
OLD, NEW, OTHER = "shop/cart", "shop/basket", "shop/carton"
SEEN = StateSpec("seen", "test/text")


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = STORES[request.param](tmp_path / "data")
    yield opened
    opened.close()


def commit(store: Store, *typenames: str) -> None:
    """Give the addresses a and b of each type state, messages and a delayed message; b is parked."""
    epoch = Epoch(1)
    sequence = 0
    for typename in typenames:
        epoch.specs[typename] = {"seen": SEEN}
        for identifier in ("a", "b"):
            address = (typename, identifier)
            epoch.state[address] = {"seen": (7, identifier.encode())}
            for _ in range(3):
                sequence += 1
                epoch.born[sequence] = (sequence, address, None, b"four")
            sequence += 1
            delayed = DelayedMessage(1000, sequence, (OTHER, "x"), address, b"later", "token")
            epoch.delayed[delayed.key] = delayed
            epoch.tokens[address, "token"] = delayed.key
        epoch.parked[typename, "b"] = Parked(5, 1, "422")
        epoch.pending[typename] = Pending(6, 24)
    epoch.waiting = 2 * len(typenames)
    epoch.sequence = sequence
    store.commit(changes_of(epoch, "lineage"))


def waiting(store: Store, address: Address) -> list[Message]:
    return queries.read_messages(store, address, 0, 100)[0]


def content(store: Store) -> tuple[dict[Table, list[tuple[bytes, bytes]]], dict[str, Pending]]:
    """All rows, and the counts of what waits, whose order does not matter."""
    return {table: list(store.scan(table)) for table in Table if table is not Table.META}, dict(recover(store).pending)


def test_state_messages_parking_and_states_declared_go_to_the_new_name(store: Store) -> None:
    commit(store, OLD, OTHER)
    other = waiting(store, (OTHER, "a"))
    assert rename_function(store, OLD, NEW) == 2 + 1 + 6 + 2
    assert queries.read_values(store, [(NEW, "a"), (OLD, "a")]) == [{"seen": (7, b"a")}, {}]
    assert queries.read_parked(store, [(NEW, "b"), (OLD, "b")]) == [Parked(5, 1, "422"), None]
    assert [message[:2] for message in waiting(store, (NEW, "a"))] == [(n, (NEW, "a")) for n in (1, 2, 3)]
    assert waiting(store, (OLD, "a")) == []
    assert waiting(store, (OTHER, "a")) == other, "a name that only begins so is another one"
    recovery = recover(store)
    assert recovery.pending == {NEW: Pending(6, 24), OTHER: Pending(6, 24)}
    assert recovery.specs == {NEW: {"seen": SEEN}, OTHER: {"seen": SEEN}}
    assert recovery.parked == {NEW: 1, OTHER: 1}


def test_a_delayed_message_lets_go_of_its_token_under_the_new_name(store: Store) -> None:
    commit(store, OLD)
    rename_function(store, OLD, NEW)
    token = ((NEW, "a"), "token")
    key = queries.read_tokens(store, [token])[token]
    assert key is not None
    messages, _ = queries.read_delayed(store, (-1, 0), 10)
    assert [(message.key, message.caller) for message in messages] == [(key, (NEW, "a")), ((1000, 8), (NEW, "b"))]


def test_doing_it_again_does_nothing(store: Store) -> None:
    commit(store, OLD)
    rename_function(store, OLD, NEW)
    before = content(store)
    assert rename_function(store, OLD, NEW) == 0
    assert content(store) == before


def test_renaming_back_leaves_everything_as_it_was(store: Store) -> None:
    commit(store, OLD, OTHER)
    before = content(store)
    rename_function(store, OLD, NEW)
    rename_function(store, NEW, OLD)
    assert content(store) == before


def test_messages_that_wait_under_both_names_are_delivered_in_the_order_they_were_sent(store: Store) -> None:
    commit(store, OLD)
    rename_function(store, OLD, NEW)
    epoch = Epoch(2)
    for sequence, name in ((20, NEW), (21, OLD), (22, NEW)):
        epoch.born[sequence] = (sequence, (name, "c"), None, b"1")
    epoch.pending = {NEW: Pending(8, 26), OLD: Pending(1, 1)}
    store.commit(changes_of(epoch, "lineage"))
    rename_function(store, OLD, NEW)
    assert [message[0] for message in waiting(store, (NEW, "c"))] == [20, 21, 22]
    assert recover(store).pending == {NEW: Pending(9, 27)}


def test_an_address_with_state_under_both_names_is_refused_and_nothing_moves(store: Store) -> None:
    commit(store, OLD, NEW)
    before = content(store)
    with pytest.raises(StoreError, match=r"shop/cart/a and shop/basket/a both have state, .* take the alias out"):
        rename_function(store, OLD, NEW)
    assert content(store) == before


class Killed(Exception):  # noqa: N818  (not an error of ours)
    """The process ends before a commit."""


class MortalStore(MemoryStore):
    """A store whose process may end before a commit."""

    commits_left = 1_000_000

    def commit(self, changes: Changes) -> None:
        if not self.commits_left:
            raise Killed
        self.commits_left -= 1
        super().commit(changes)


@pytest.mark.parametrize("lived", range(12))
def test_after_a_crash_at_any_commit_the_next_start_finishes_and_counts_are_right_meanwhile(
    lived: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renaming, "_PART", 1)
    expected = MemoryStore()
    commit(expected, OLD, OTHER)
    rename_function(expected, OLD, NEW)
    store = MortalStore()
    commit(store, OLD, OTHER)
    store.commits_left = lived
    with pytest.raises(Killed):
        rename_function(store, OLD, NEW)
    counted = {typename: pending.messages for typename, pending in recover(store).pending.items()}
    found = [keys.read_text(key)[0] for key, _ in store.scan(Table.MAILBOX)]
    assert counted == {typename: found.count(typename) for typename in set(found)}
    store.commits_left = 1_000_000
    rename_function(store, OLD, NEW)
    assert content(store) == content(expected)


def test_a_row_of_a_renamed_message_reads_as_it_did(store: Store) -> None:
    commit(store, OLD)
    rename_function(store, OLD, NEW)
    [row] = store.get_many(Table.MAILBOX, [keys.sequence_key((NEW, "a"), 1)])
    assert row is not None
    assert rows.read_message(1, (NEW, "a"), row) == (1, (NEW, "a"), None, b"four")
