"""docs/reference/protocol.md: its examples are what the SDK and the runtime read and write."""

import re
from datetime import timedelta
from typing import Any

from statefun import (
    CancellationToken,
    Context,
    IntType,
    Message,
    RequestReplyHandler,
    StatefulFunctions,
    StringType,
    ValueSpec,
    kafka_egress_message,
    message_builder,
)
from statefun_runtime.endpoint.codec import decode_reply, encode_batch
from statefun_runtime.interfaces import Batch, Cancellation, DelayedSend, Effects, ExpireMode, MissingStates, StateSpec
from tests.docs.protocol_examples import BLOCK, PAGE, examples, number, rendered, schema, text

EXAMPLES = examples()
functions = StatefulFunctions()


@functions.bind(
    "shop/cart", [ValueSpec("items", IntType, expire_after_call=timedelta(hours=1)), ValueSpec("note", StringType)]
)
def cart(context: Context, message: Message) -> None:
    """The function of the examples."""
    storage: Any = context.storage
    if message.as_string() == "tea":
        storage.items += 1
        del storage.note
        return
    assert context.caller is not None
    context.send(message_builder(context.caller.typename, context.caller.id, int_value=storage.items))
    remind = message_builder("shop/cart", "ada", str_value="remind")
    context.send_after(timedelta(milliseconds=1500), remind, CancellationToken("ada-1"))
    context.cancel_delayed_message(CancellationToken("ada-0"))
    context.send_egress(kafka_egress_message("shop/carts", "carts", "3", key="ada"))


def data(name: str) -> bytes:
    return EXAMPLES[name].SerializeToString()


def batch(state: dict[str, bytes | None]) -> Batch:
    till = ("shop/till", "1")
    messages = [
        (0, ("shop/cart", "ada"), None, text("tea").SerializeToString()),
        (1, ("shop/cart", "ada"), till, text("done").SerializeToString()),
    ]
    return Batch(("shop/cart", "ada"), state, messages)


def test_the_page_holds_every_example_as_it_is() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [found[2] for found in BLOCK.finditer(page)] == list(EXAMPLES)
    for found in BLOCK.finditer(page):
        assert found[0] == f"{found[1]}{rendered(EXAMPLES[found[2]])}{found[3]}"


def test_the_sdk_answers_the_requests_of_the_page_with_its_replies() -> None:
    handler = RequestReplyHandler(functions)
    assert handler.handle_sync(data("a first request")) == data("missing states")
    assert handler.handle_sync(data("the request again")) == data("effects of every kind")


def test_the_runtime_writes_the_requests_of_the_page() -> None:
    assert encode_batch(batch({})) == data("a first request")
    assert encode_batch(batch({"items": number(2).SerializeToString(), "note": None})) == data("the request again")


def test_the_runtime_reads_the_replies_of_the_page() -> None:
    items = StateSpec("items", "io.statefun.types/int", ExpireMode.AFTER_CALL, 3_600_000)
    note = StateSpec("note", "io.statefun.types/string")
    assert decode_reply(data("missing states")) == MissingStates((items, note))
    effects = decode_reply(data("effects of every kind"))
    assert isinstance(effects, Effects)
    assert effects.mutations == {"items": number(3).SerializeToString(), "note": None}
    assert [sent.target for sent in effects.sends] == [("shop/till", "1")]
    remind = DelayedSend(1500, ("shop/cart", "ada"), text("remind").SerializeToString(), "ada-1")
    assert effects.delayed == [remind, Cancellation("ada-0")]
    assert [record.egress for record in effects.egresses] == ["shop/carts"]
    for nothing in (data("an empty result"), b""):
        none = decode_reply(nothing)
        assert isinstance(none, Effects)
        assert (none.mutations, none.sends, none.delayed, none.egresses) == ({}, [], [], [])


def test_the_schemas_of_the_page_are_those_of_the_project() -> None:
    shown = re.findall(r"```protobuf\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert shown == [schema(name) for name in ("request_reply.proto", "types.proto", "egress.proto")]
