"""What was exported is imported bit for bit, and a wrong line is refused by its number."""

import io
import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statefun import BoolType, Float32Type, Float64Type, IntType, LongType, StringType
from statefun.protocol.request_reply_pb2 import TypedValue
from statefun.wire import encode_typed_value
from statefun_runtime.epoch import DeadLetter, DelayedMessage, Epoch, JournalEntry, LetterKind, Parked, Pending
from statefun_runtime.errors import FormatError, StoreError
from statefun_runtime.interfaces import Address, Changes, ExpireMode, FailureKind, StateSpec, Store, Table
from statefun_runtime.store import rows
from statefun_runtime.store.changes import PENDING, changes_of
from statefun_runtime.store.memory import MemoryStore
from statefun_runtime.store.portable import export_lines, fill, import_lines
from statefun_runtime.store.portable_lines import line_of
from statefun_runtime.store.recovery import read_head, recover
from statefun_runtime.store.restore import EgressFiles
from statefun_runtime.store.rocksdb import RocksDBStore

from .samples import EGRESS, LINEAGE, Rows, content, make_store, rows_of, sample_epoch

Object = dict[str, Any]


def exported(store: Store) -> bytes:
    return b"".join(export_lines(store))


def filled(text: bytes) -> MemoryStore:
    store = MemoryStore()
    fill(store, io.BytesIO(text), "shop.jsonl")
    return store


def store_of(epoch: Epoch) -> MemoryStore:
    store = MemoryStore()
    store.commit(changes_of(epoch, LINEAGE))
    return store


def comparable(found: Rows) -> Rows:
    """The rows of a store; how much waits is a JSON object, whose order means nothing."""
    counts = [(key, json.dumps(rows.read_pending(row), sort_keys=True).encode()) for key, row in found[Table.META]
              if key == PENDING]  # fmt: skip
    return {**found, Table.META: [*((k, row) for k, row in found[Table.META] if k != PENDING), *counts]}


# ----------------------------------------------------------------------------------------------------------- round trip

numbers = st.integers(0, 2**63 - 1)
texts = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\0\1\2/"), max_size=8)
addresses: st.SearchStrategy[Address] = st.tuples(texts.filter(bool), texts)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


def typed(typename: str, value: bytes) -> bytes:
    return encode_typed_value(typename, value)


payloads = st.one_of(
    st.binary(max_size=20),
    st.builds(typed, texts, st.binary(max_size=10)),
    st.builds(lambda name, value: typed(name, json.dumps(value).encode()), texts, json_values),
    st.builds(lambda name, value: typed(name, json.dumps(value, indent=1).encode()), texts, json_values),
    st.builds(lambda name: TypedValue(typename=name).SerializeToString(), texts),
    st.integers(-(2**31), 2**31 - 1).map(lambda n: typed(IntType.typename, IntType.serialize(n))),
    st.integers(-(2**63), 2**63 - 1).map(lambda n: typed(LongType.typename, LongType.serialize(n))),
    st.floats(width=32).map(lambda n: typed(Float32Type.typename, Float32Type.serialize(n))),
    st.floats().map(lambda n: typed(Float64Type.typename, Float64Type.serialize(n))),
    st.booleans().map(lambda b: typed(BoolType.typename, BoolType.serialize(b))),
    texts.map(lambda text: typed(StringType.typename, StringType.serialize(text))),
)
states = st.dictionaries(texts, st.tuples(numbers, payloads), min_size=1, max_size=3)
specs = st.builds(StateSpec, texts, texts, st.sampled_from(ExpireMode), numbers)


@st.composite
def epochs(draw: st.DrawFn) -> Epoch:
    """An epoch with anything in it that an engine could have put there."""
    epoch = Epoch(draw(numbers.filter(bool)))
    epoch.time, sequences = draw(numbers), iter(draw(st.lists(numbers, min_size=12, max_size=12, unique=True)))
    epoch.state = draw(st.dictionaries(addresses, states, max_size=3))
    for target, caller, payload in draw(st.lists(st.tuples(addresses, st.none() | addresses, payloads), max_size=3)):
        sequence = next(sequences)
        epoch.born[sequence] = (sequence, target, caller, payload)
    for due, target, owner, payload, token in draw(
        st.lists(
            st.tuples(numbers, addresses, addresses, payloads, texts), max_size=3, unique_by=lambda d: (d[2], d[4])
        )
    ):
        message = DelayedMessage(due, next(sequences), target, owner, payload, token)
        epoch.delayed[message.key] = message
        if token:
            epoch.tokens[owner, token] = message.key
    _draw_operations(draw, epoch, [next(sequences) for _ in range(6)])
    epoch.sequence = max([0, *epoch.born, *(key[1] for key in epoch.delayed), *map(_number, epoch.dead_letters)])
    epoch.sequence = max([epoch.sequence, *(entry.number for entry in epoch.journal)])
    epoch.waiting = len(epoch.delayed)
    epoch.letter_bytes = sum(letter.size for letter in epoch.dead_letters)
    for _, (typename, _), _, payload in epoch.born.values():
        count, size = epoch.pending.get(typename, Pending(0, 0))
        epoch.pending[typename] = Pending(count + 1, size + len(payload))
    return epoch


def _number(letter: DeadLetter) -> int:
    return letter.number


def _draw_operations(draw: st.DrawFn, epoch: Epoch, sequences: list[int]) -> None:
    epoch.positions = draw(st.dictionaries(st.tuples(texts, texts), st.binary(max_size=10), max_size=2))
    epoch.outbox = draw(st.dictionaries(texts, st.lists(payloads, min_size=1, max_size=3), max_size=2))
    epoch.sinks = draw(st.dictionaries(texts, st.binary(max_size=10), max_size=2))
    for typename, declared in draw(st.dictionaries(texts, st.lists(specs, max_size=2), max_size=2)).items():
        epoch.specs[typename] = {spec.name: spec for spec in declared}
    parked = st.builds(Parked, numbers, st.integers(0, 100), texts, st.sampled_from(FailureKind), st.integers(0, 100))
    epoch.parked = dict(draw(st.dictionaries(addresses, parked, max_size=2)))
    for sequence in sequences[: draw(st.integers(0, 3))]:
        message = (sequence, draw(addresses), draw(st.none() | addresses), draw(payloads))
        kind, state = draw(st.sampled_from(LetterKind)), draw(states)
        epoch.dead_letters.append(DeadLetter(draw(numbers), kind, draw(texts), message, draw(texts), 1, state))
    for sequence in sequences[3 : 3 + draw(st.integers(0, 3))]:
        epoch.journal.append(JournalEntry(sequence, draw(numbers), *(draw(texts) for _ in range(4))))


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(epochs())
def test_whatever_is_in_a_store_comes_back_bit_for_bit(epoch: Epoch) -> None:
    store = store_of(epoch)
    text = exported(store)
    assert comparable(rows_of(filled(text))) == comparable(rows_of(store))
    assert exported(filled(text)) == text
    assert not [line for line in map(json.loads, text.splitlines()) if line["kind"] == "row"]


def test_it_is_the_same_between_data_directories(tmp_path: Path) -> None:
    data = make_store(tmp_path / "data")
    with closing(RocksDBStore(data, read_only=True)) as store:
        text = exported(store)
    import_lines(io.BytesIO(text), "shop.jsonl", tmp_path / "imported", EgressFiles.CHECK)
    before, after = content(data), content(tmp_path / "imported")
    changed = [(row, new) for row, new in zip(before[Table.META], after[Table.META], strict=True) if row != new]
    assert [key for ((key, _), _) in changed] == [b"lineage"]
    assert {**before, Table.META: []} == {**after, Table.META: []}


@pytest.mark.parametrize("table", [table for table in Table if table is not Table.META])
def test_every_table_is_exported_readably_or_made_again(table: Table) -> None:
    epoch = sample_epoch()
    for key, row in rows_of(store_of(epoch))[table]:
        assert (line_of(table, key, row, {}).kind == "row") == (table is Table.TOKENS)
    assert rows_of(store_of(epoch))[table], "the sample has no such row"


def test_rows_that_nobody_knows_how_to_show_are_exported_as_they_are() -> None:
    store = store_of(sample_epoch())
    unknown = [(Table.META, b"future", b"\xff"), (Table.DEAD_LETTERS, *_oddly_written(store))]
    store.commit(Changes(puts=unknown))
    text = exported(store)
    assert sum(json.loads(line)["kind"] == "row" for line in text.splitlines()) == 2
    assert rows_of(filled(text)) == rows_of(store)


def _oddly_written(store: Store) -> tuple[bytes, bytes]:
    """The row of a dead letter as another version might write it: with other blanks in its JSON."""
    key, row = next(iter(store.scan(Table.DEAD_LETTERS)))
    size = int.from_bytes(row[1:5], "big")
    head = row[5 : 5 + size].replace(b", ", b" , ")
    return key, row[:1] + len(head).to_bytes(4, "big") + head + row[5 + size :]


def test_values_are_decoded_and_expirations_told() -> None:
    lines = [json.loads(line) for line in exported(store_of(sample_epoch())).splitlines()]
    [cart] = [line for line in lines if line["kind"] == "state" and line["id"] == "ada"]
    assert cart["values"] == {
        "items": {
            "typename": "shop/Items",
            "value": ["socks", "hat"],
            "touched": 1_600_000_000_000,
            "expires_at": 1_600_086_400_000,
        },
        "seen": {"typename": "io.statefun.types/int", "value": 3, "touched": 0},
    }
    assert [line["kind"] for line in lines[:2]] == ["export", "function"]
    assert lines[-1] == {"kind": "end", "lines": len(lines) - 2}


def test_json_that_would_be_written_otherwise_is_shown_and_kept_exactly() -> None:
    epoch = Epoch(1)
    epoch.state["shop/cart", "a"] = {"x": (0, typed("shop/X", b'{"a":1.0e2 }'))}
    [line] = [json.loads(line) for line in exported(store_of(epoch)).splitlines() if b'"state"' in line]
    assert line["values"]["x"] == {
        "typename": "shop/X", "value": {"a": 100.0}, "base64": "eyJhIjoxLjBlMiB9", "touched": 0
    }  # fmt: skip


def test_a_reason_with_half_of_a_surrogate_pair_is_exported_too() -> None:
    epoch = Epoch(1)
    epoch.parked["shop/cart", "a"] = Parked(1, 1, "no file \udcff", FailureKind.PERMANENT, 1)
    store = store_of(epoch)
    assert rows_of(filled(exported(store))) == rows_of(store)


def test_deep_json_is_exported_too() -> None:
    epoch = Epoch(1)
    for depth in (99, 200, 900, 985, 5000):
        epoch.state["shop/cart", str(depth)] = {"x": (0, typed("shop/X", b"[" * depth + b"]" * depth))}
    store = store_of(epoch)
    assert rows_of(filled(exported(store))) == rows_of(store)


# ------------------------------------------------------------------------------------------------------------- by hand


def edited(edit: Callable[[list[Object]], object]) -> bytes:
    lines = [json.loads(line) for line in exported(store_of(sample_epoch())).splitlines()]
    edit(lines)
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def first(lines: list[Object], kind: str) -> Object:
    return next(line for line in lines if line["kind"] == kind)


def test_a_value_may_be_changed_by_hand() -> None:
    def edit(lines: list[Object]) -> None:
        first(lines, "state")["values"]["seen"]["value"] = 42

    [row] = filled(edited(edit)).get_many(Table.STATE, [b"shop/cart\0ada\0"])
    assert row is not None
    assert rows.read_state(row)["seen"] == (0, typed(IntType.typename, IntType.serialize(42)))


def test_what_follows_from_a_line_that_was_taken_out_goes_with_it() -> None:
    def edit(lines: list[Object]) -> None:
        lines.remove(first(lines, "delayed"))
        lines.remove(first(lines, "message"))
        lines[-1]["lines"] -= 2

    store = filled(edited(edit))
    recovery = recover(store)
    assert (recovery.delayed, recovery.pending["shop/cart"].messages) == (0, 2)
    assert list(store.scan(Table.TOKENS)) == []


def drop_last(lines: list[Object]) -> None:
    lines.pop()


def twice(kind: str) -> Callable[[list[Object]], None]:
    def edit(lines: list[Object]) -> None:
        lines.insert(5, first(lines, kind))
        lines[-1]["lines"] += 1

    return edit


def change(of: str, /, **changes: object) -> Callable[[list[Object]], None]:
    return lambda lines: first(lines, of).update(changes)


WRONG: dict[str, tuple[Callable[[list[Object]], object], str]] = {
    "no end": (drop_last, r"shop.jsonl:17: the export ends before its last line"),
    "a line is missing": (lambda lines: lines.pop(3), r"shop.jsonl:16: counts 15 lines, but there are 14"),
    "a line after the end": (lambda lines: lines.append({}), r"shop.jsonl:17: is the last one, but others follow"),
    "no header": (lambda lines: lines.pop(0), r"shop.jsonl:1: is not the first line of an export"),
    "a line twice": (twice("message"), r"1 lines say again what another line says \(mailbox\)"),
    "unknown kind": (change("state", kind="stat"), r"shop.jsonl:3: Input tag 'stat'"),
    "unknown property": (change("message", extra=1), r"shop.jsonl:5: message.extra: Extra inputs are not permitted"),
    "wrong type": (
        change("message", sequence="90"),
        r"shop.jsonl:5: message.sequence: Input should be a valid integer",
    ),
    "too large": (change("delayed", due=1 << 63), r"delayed.due: Input should be less than"),
    "a sequence to come": (
        change("message", sequence=101),
        r"shop.jsonl:5: has the sequence 101, but the last one was",
    ),
    "an epoch to come": (change("outbox", epoch=8), "is of epoch 8, but the last one was 7"),
    "no base64": (change("position", position={"base64": "?"}), "'\\?' is not base64"),
    "no value of its type": (
        change("message", message={"typename": IntType.typename, "value": "one"}),
        r"shop.jsonl:5: .*integer",
    ),
    "unknown failure": (change("parked", failure="worse"), "'worse' is not a valid FailureKind"),
    "unknown table": (change("journal", kind="row"), "row.table: Field required"),
    "a lone surrogate": (change("parked", id="\ud800"), r"shop.jsonl:13: .*surrogates not allowed"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_line_is_named(wrong: str) -> None:
    edit, message = WRONG[wrong]
    with pytest.raises(StoreError, match=message):
        filled(edited(edit))


@pytest.mark.parametrize("text", [b"", b"{", b"[]\n", b"1\n", b"[" * 100_000, b"\xff\n"])
def test_what_is_no_export_is_refused(text: bytes) -> None:
    with pytest.raises(StoreError, match=r"shop.jsonl:1: "):
        filled(text)


def test_an_export_of_another_version_is_refused() -> None:
    with pytest.raises(FormatError, match="has format 2, this version reads 1; take the version that exported it"):
        filled(edited(change("export", format=2)))


def test_a_wrong_export_leaves_no_directory(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        import_lines(io.BytesIO(edited(drop_last)), "shop.jsonl", tmp_path / "imported", EgressFiles.CHECK)
    assert not (tmp_path / "imported").exists()


def test_an_import_begins_a_lineage_of_its_own(tmp_path: Path) -> None:
    text = exported(store_of(sample_epoch()))
    import_lines(io.BytesIO(text), "shop.jsonl", tmp_path / "imported", EgressFiles.CHECK)
    with closing(RocksDBStore(tmp_path / "imported", read_only=True)) as store:
        head = read_head(store)
        assert recover(store).restored_sinks == {EGRESS}
    assert head is not None
    assert head.lineage != LINEAGE


def test_of_an_empty_store_there_is_no_export() -> None:
    with pytest.raises(StoreError, match="nothing is durable yet"):
        exported(MemoryStore())
