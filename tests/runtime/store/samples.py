"""A store that holds something of every kind."""

from contextlib import closing
from pathlib import Path

from statefun import IntType, make_json_type
from statefun.wire import encode_typed_value
from statefun_runtime.epoch import DeadLetter, DelayedMessage, Epoch, JournalEntry, LetterKind, Parked, Pending
from statefun_runtime.interfaces import Address, ExpireMode, FailureKind, StateSpec, Store, Table
from statefun_runtime.store.changes import changes_of
from statefun_runtime.store.rocksdb import RocksDBStore

ITEMS = make_json_type("shop/Items")
CART: Address = ("shop/cart", "ada")
STOCK: Address = ("shop/stock", "socks")
LINEAGE = "0123456789abcdef0123456789abcdef"
EGRESS = "shop/receipts"

Rows = dict[Table, list[tuple[bytes, bytes]]]


def number(content: int) -> bytes:
    return encode_typed_value(IntType.typename, IntType.serialize(content))


def items(*content: str) -> bytes:
    return encode_typed_value(ITEMS.typename, ITEMS.serialize(list(content)))


def sample_epoch(epoch_number: int = 7) -> Epoch:
    """An epoch with a change of every kind."""
    epoch = Epoch(epoch_number)
    epoch.sequence, epoch.time = 100, 1_700_000_000_000
    epoch.state[CART] = {"items": (1_600_000_000_000, items("socks", "hat")), "seen": (0, number(3))}
    epoch.state[STOCK] = {"left": (0, number(-1))}
    for sequence in (90, 91, 99):
        epoch.born[sequence] = (sequence, CART, STOCK if sequence == 91 else None, number(sequence))
    delayed = DelayedMessage(1_700_000_060_000, 95, CART, STOCK, items("late"), "reminder")
    epoch.delayed[delayed.key] = delayed
    epoch.tokens[STOCK, "reminder"] = delayed.key
    epoch.waiting = 1
    epoch.pending = {"shop/cart": Pending(3, sum(len(message[3]) for message in epoch.born.values()))}
    epoch.positions["shop/orders", ""] = b'{"offset": 12}'
    epoch.positions["shop/topic", "orders/3"] = b"\xff\x00"
    epoch.outbox[EGRESS] = [items("receipt"), number(1)]
    epoch.sinks[EGRESS] = b'{"length": 44}'
    epoch.specs["shop/cart"] = {
        "items": StateSpec("items", ITEMS.typename, ExpireMode.AFTER_WRITE, 86_400_000),
        "seen": StateSpec("seen", IntType.typename),
    }
    epoch.parked[STOCK] = Parked(1_699_999_999_999, 10, "the function fails: boom", FailureKind.TRANSIENT, 2)
    epoch.dead_letters += [
        DeadLetter(
            1_699_999_999_000, LetterKind.EGRESS_RECORD, "shop/gone", (80, CART, CART, items("x")), "no egress", 0, {}
        ),
        DeadLetter(
            1_699_999_999_500,
            LetterKind.MESSAGE,
            "shop/stock",
            (81, STOCK, None, number(5)),
            "the function fails: boom",
            10,
            {"left": (0, number(2))},
        ),
    ]
    epoch.letter_bytes = sum(letter.size for letter in epoch.dead_letters)
    epoch.journal.append(JournalEntry(82, 1_699_999_999_600, "resume", "shop/stock/hat", "ada", "2 messages wait"))
    return epoch


def make_store(data_dir: Path, epoch: Epoch | None = None) -> Path:
    """Make a data directory that holds an epoch."""
    with closing(RocksDBStore(data_dir)) as store:
        store.commit(changes_of(epoch or sample_epoch(), LINEAGE))
    return data_dir


def rows_of(store: Store) -> Rows:
    """Everything in a store."""
    return {table: list(store.scan(table)) for table in Table}


def content(data_dir: Path) -> Rows:
    """Everything in a data directory."""
    with closing(RocksDBStore(data_dir, read_only=True)) as store:
        return rows_of(store)
