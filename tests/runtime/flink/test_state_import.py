"""The rows of an export become the lines of a savepoint, and those an export again."""

import io
import json
from collections.abc import Iterable
from typing import Any

import pytest

from statefun import IntType, StringType
from statefun.wire import encode_typed_value
from statefun_runtime.epoch import DelayedMessage
from statefun_runtime.errors import FlinkError
from statefun_runtime.flink.state_export import StateExport
from statefun_runtime.flink.state_import import StateImport
from statefun_runtime.interfaces import ExpireMode, StateSpec, Table
from statefun_runtime.store import keys, rows
from statefun_runtime.store.memory import MemoryStore
from statefun_runtime.store.portable import fill
from statefun_runtime.store.portable_lines import Row

INT, STRING = IntType.typename, StringType.typename
SPECS = [StateSpec("count", INT), StateSpec("seen", STRING, ExpireMode.AFTER_CALL, 1000)]
FUNCTION: Row = (Table.SPECS, keys.text_key("shop/cart"), rows.specs_row(SPECS))
VALUES = {
    "count": (50, encode_typed_value(INT, IntType.serialize(7))),
    "seen": (77, encode_typed_value(STRING, StringType.serialize("đà"))),
}
ADDRESS = ("shop/cart", "ada 🎉")
STATE: Row = (Table.STATE, keys.address_key(ADDRESS), rows.state_row(VALUES))
MESSAGE = (4, ADDRESS, None, b"")
DELAYED = DelayedMessage(90_000, 4, ADDRESS, ADDRESS, encode_typed_value(INT, b""), "token")


def imported(export: Iterable[Row]) -> list[dict[str, Any]]:
    return list(StateImport({}, leave_delayed=False).lines(export))


def test_values_go_under_flinks_names_and_those_that_expire_with_their_time() -> None:
    states = [line for line in imported([FUNCTION, STATE]) if line["kind"] == "state"]
    assert states == [
        {"kind": "state", "state": "shop.cart.count", "typename": INT, "expires": False},
        {"kind": "state", "state": "shop.cart.seen", "typename": STRING, "expires": True},
    ]
    values = [line for line in imported([FUNCTION, STATE]) if line["kind"] == "value"]
    assert [(line["state"], line["id"], line.get("touched")) for line in values] == [
        ("shop.cart.count", "ada 🎉", None),
        ("shop.cart.seen", "ada 🎉", 77),
    ]


def test_what_went_to_flink_and_back_is_the_same() -> None:
    there = imported([FUNCTION, STATE])
    back = StateExport({"shop/cart": SPECS}, 50, leave_delayed=False)
    lines = sorted(there, key=lambda line: str(line["kind"]))
    store = MemoryStore()
    export = b"".join(back.lines([*lines, {"kind": "group"}, {"kind": "end"}]))
    fill(store, io.BytesIO(export), "shop.jsonl")
    assert dict(store.scan(Table.STATE)) == {STATE[1]: STATE[2]}
    assert dict(store.scan(Table.SPECS)) == {FUNCTION[1]: FUNCTION[2]}
    assert json.loads(export.splitlines()[-1]) == {"kind": "end", "lines": 2}


def test_messages_that_wait_are_refused() -> None:
    message: Row = (Table.MAILBOX, keys.message_key(MESSAGE), rows.message_row(MESSAGE))
    with pytest.raises(FlinkError, match=r"1 messages wait in the export; let them be handled"):
        imported([FUNCTION, STATE, message])


def test_records_that_no_egress_wrote_are_refused() -> None:
    outbox: Row = (Table.OUTBOX, keys.numbered_key("an/egress", 3), rows.outbox_row("lineage", []))
    with pytest.raises(FlinkError, match="1 epochs of the outbox wait"):
        imported([outbox])


def test_delayed_messages_are_refused_unless_they_may_be_left_out() -> None:
    delayed: Row = (Table.DELAYED, keys.delayed_key(DELAYED.key), rows.delayed_row(DELAYED))
    with pytest.raises(FlinkError, match="1 delayed messages are not due yet"):
        imported([delayed])
    leaving = StateImport({}, leave_delayed=True)
    assert list(leaving.lines([delayed])) == []
    assert [message.target.address for message in leaving.delayed] == [ADDRESS]


def test_without_what_a_function_declares_its_values_are_refused() -> None:
    with pytest.raises(FlinkError, match="does not say what shop/cart declares"):
        imported([STATE])
    assert len(list(StateImport({"shop/cart": SPECS}, leave_delayed=False).lines([STATE]))) == 4


def test_two_types_in_one_state_are_refused() -> None:
    wrong: Row = (Table.STATE, STATE[1], rows.state_row({"count": (0, encode_typed_value(STRING, b""))}))
    with pytest.raises(
        FlinkError, match=r"count of shop/cart/ada 🎉 is of type io.statefun.types/string, but declared"
    ):
        imported([FUNCTION, wrong])


def test_positions_are_told_since_they_are_not_in_the_savepoint() -> None:
    position: Row = (Table.POSITIONS, keys.pair_key("shop/orders", "orders/0"), rows.bytes_row(b"4711"))
    import_ = StateImport({}, leave_delayed=False)
    assert list(import_.lines([position])) == []
    assert import_.positions == ["shop/orders orders/0: 4711"]
    assert import_.left == "1 ingress positions"
