"""The lines of a savepoint become those of an export."""

import base64
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from statefun import IntType
from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.errors import FlinkError
from statefun_runtime.flink.state_bridge import Line
from statefun_runtime.flink.state_export import StateExport
from statefun_runtime.interfaces import ExpireMode, StateSpec
from statefun_runtime.store.memory import MemoryStore
from statefun_runtime.store.portable import fill

INT = "io.statefun.types/int"
COUNT: Line = {"kind": "state", "state": "shop.cart.count", "typename": INT, "expires": False}
SEEN: Line = {"kind": "state", "state": "shop.cart.seen", "typename": INT, "expires": True}
TIMERS: Line = {"kind": "state", "state": "_timer_state", "typename": None, "expires": False}
GROUP: Line = {"kind": "group"}
END: Line = {"kind": "end"}
DELAYED: Line = {
    "kind": "delayed",
    "due": 90_000,
    "target": {"type": "shop/cart", "id": "ada"},
    "sender": {"type": "shop/order", "id": "7"},
    "token": "späť",
    "base64": base64.b64encode(TypedValue(typename="a/b", has_value=True, value=b"\xff").SerializeToString()).decode(),
}


def value(state: str, identifier: str, number: int, **more: Any) -> Line:
    encoded = base64.b64encode(IntType.serialize(number)).decode()
    return {"kind": "value", "state": f"shop.cart.{state}", "id": identifier, "base64": encoded, **more}


def exported(*savepoint: Line, declared: Mapping[str, Sequence[StateSpec]] | None = None) -> list[dict[str, Any]]:
    lines = list(StateExport(declared or {}, 5000, leave_delayed=False).lines([*savepoint, END]))
    fill(MemoryStore(), io.BytesIO(b"".join(lines)), "shop.jsonl")
    return [json.loads(line) for line in lines[1:-1]]


def test_the_values_of_an_address_are_one_line_and_keep_when_they_were_written() -> None:
    first = [value("count", "ada", 1), value("count", "bob", 2), value("seen", "ada", 3, touched=77), GROUP]
    lines = exported(TIMERS, COUNT, SEEN, *first, value("count", "Çelik", 4), GROUP)
    assert {line["id"]: line["values"] for line in lines} == {
        "ada": {
            "count": {"typename": INT, "value": 1, "touched": 5000},
            "seen": {"typename": INT, "value": 3, "touched": 77},
        },
        "bob": {"count": {"typename": INT, "value": 2, "touched": 5000}},
        "Çelik": {"count": {"typename": INT, "value": 4, "touched": 5000}},
    }


def test_what_a_function_declares_is_exported_if_nothing_of_it_expires() -> None:
    (function,) = exported(COUNT)
    declared = {"name": "count", "typename": INT, "expires": "never", "expire_after": 0}
    assert function == {"kind": "function", "type": "shop/cart", "states": [declared]}
    assert exported(COUNT, SEEN) == []


def test_the_functions_of_the_application_say_how_long_values_live() -> None:
    specs = [StateSpec("seen", INT, ExpireMode.AFTER_WRITE, 1000)]
    (function,) = exported(COUNT, SEEN, declared={"shop/cart": specs})
    declared = {"name": "seen", "typename": INT, "expires": "after_write", "expire_after": 1000}
    assert function["states"] == [declared]


@pytest.mark.parametrize(
    "line",
    [
        {"kind": "feedback", "messages": 3},
        {"kind": "other", "state": "asyncOperations", "id": "ada"},
        {"kind": "other", "state": "shop.cart.request-state", "id": "ada"},
        {"kind": "other", "state": "shop.cart.batch", "id": "ada"},
    ],
)
def test_messages_on_their_way_are_refused(line: Line) -> None:
    with pytest.raises(FlinkError, match="messages were on their way when the savepoint was taken"):
        exported(COUNT, line)


def test_a_savepoint_whose_logs_of_messages_are_empty_is_taken() -> None:
    exported(COUNT, {"kind": "feedback", "messages": 0})


def test_state_of_an_embedded_function_is_refused_by_its_name() -> None:
    with pytest.raises(FlinkError, match=r"not of remote functions and cannot be exported: shop\.java\.list: 1"):
        exported({"kind": "other", "state": "shop.java.list", "id": "ada"})


def test_delayed_messages_are_refused_with_the_first_of_them() -> None:
    with pytest.raises(
        FlinkError, match=r"6 delayed messages are not due(.|\n)*at 90000 ms  to shop/cart/ada"
    ) as error:
        exported(*[DELAYED] * 6)
    assert str(error.value).count("shop/cart/ada") == 5


def test_delayed_messages_may_be_left_out_and_are_kept_for_a_file() -> None:
    export = StateExport({}, 5000, leave_delayed=True)
    assert len(list(export.lines([DELAYED, END]))) == 2
    (message,) = export.delayed
    assert message.token == "späť"
    assert message.sender.address == ("shop/order", "7")
    assert TypedValue.FromString(message.message.encoded()).value == b"\xff"
