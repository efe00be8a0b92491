"""The examples of docs/reference/protocol.md: messages in protobuf's text format and as bytes.

`python -m tests.docs.protocol_examples` writes them into the page, below the marks `<!-- example: NAME -->`.
"""

import re

from google.protobuf import text_format
from google.protobuf.message import Message

from statefun.protocol.egress_pb2 import KafkaProducerRecord
from statefun.protocol.request_reply_pb2 import Address, FromFunction, ToFunction, TypedValue
from statefun.protocol.types_pb2 import (
    BooleanWrapper,
    DoubleWrapper,
    FloatWrapper,
    IntWrapper,
    LongWrapper,
    StringWrapper,
)
from tests.repo.sources import ROOT

PAGE = ROOT / "docs" / "reference" / "protocol.md"
BLOCK = re.compile(r"(<!-- example: (.+?) -->\n```text\n).*?(```\n)", re.DOTALL)
WIDTH = 32
"""Bytes in a line."""
CART = Address(namespace="shop", type="cart", id="ada")
WRAPPERS: dict[str, Message] = {
    "bool": BooleanWrapper(value=True),
    "int": IntWrapper(value=-2),
    "long": LongWrapper(value=2**40),
    "float": FloatWrapper(value=1.5),
    "double": DoubleWrapper(value=0.1),
    "string": StringWrapper(value="tea"),
}


def value(kind: str, wrapper: Message) -> TypedValue:
    return TypedValue(typename=f"io.statefun.types/{kind}", has_value=True, value=wrapper.SerializeToString())


def number(wrapped: int) -> TypedValue:
    return value("int", IntWrapper(value=wrapped))


def text(wrapped: str) -> TypedValue:
    return value("string", StringWrapper(value=wrapped))


def request(*, states: bool) -> ToFunction:
    """A message from an ingress and one from another function; with `states`, those that the cart declared."""
    made = ToFunction()
    batch = made.invocation
    batch.target.CopyFrom(CART)
    if states:
        batch.state.add(state_name="items", state_value=number(2))
        batch.state.add(state_name="note")
    batch.invocations.add(argument=text("tea"))
    batch.invocations.add(argument=text("done"), caller=Address(namespace="shop", type="till", id="1"))
    return made


def missing() -> FromFunction:
    made = FromFunction()
    values = made.incomplete_invocation_context.missing_values
    items = values.add(state_name="items", type_typename="io.statefun.types/int")
    items.expiration_spec.mode = FromFunction.ExpirationSpec.AFTER_INVOKE
    items.expiration_spec.expire_after_millis = 3_600_000
    note = values.add(state_name="note", type_typename="io.statefun.types/string")
    note.expiration_spec.SetInParent()
    return made


def result() -> FromFunction:
    made = FromFunction()
    effects = made.invocation_result
    modify = effects.state_mutations.add(state_name="items", state_value=number(3))
    modify.mutation_type = FromFunction.PersistedValueMutation.MODIFY
    effects.state_mutations.add(state_name="note")
    till = Address(namespace="shop", type="till", id="1")
    effects.outgoing_messages.add(target=till, argument=number(3))
    effects.delayed_invocations.add(delay_in_ms=1500, target=CART, argument=text("remind"), cancellation_token="ada-1")
    effects.delayed_invocations.add(is_cancellation_request=True, cancellation_token="ada-0")
    record = KafkaProducerRecord(key="ada", value_bytes=b"3", topic="carts")
    argument = TypedValue(
        typename="type.googleapis.com/io.statefun.sdk.egress.KafkaProducerRecord",
        has_value=True,
        value=record.SerializeToString(),
    )
    effects.outgoing_egresses.add(egress_namespace="shop", egress_type="carts", argument=argument)
    return made


def empty_result() -> FromFunction:
    made = FromFunction()
    made.invocation_result.SetInParent()
    return made


def examples() -> dict[str, Message]:
    """The messages by the names of their marks."""
    return {
        "a first request": request(states=False),
        "missing states": missing(),
        "the request again": request(states=True),
        "effects of every kind": result(),
        "an empty result": empty_result(),
        **{f"a value of type {kind}": value(kind, wrapper) for kind, wrapper in WRAPPERS.items()},
    }


def rendered(message: Message) -> str:
    """The message in text, and its bytes in hexadecimal."""
    data = message.SerializeToString()
    lines = [data[start : start + WIDTH].hex(" ") for start in range(0, len(data), WIDTH)]
    return f"{text_format.MessageToString(message)}\n{len(data)} bytes:\n" + "".join(f"{line}\n" for line in lines)


def schema(file: str) -> str:
    """A schema of the project, without its comments and its first line."""
    lines = (ROOT / "src" / "statefun" / "protocol" / file).read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.lstrip().startswith(("//", "syntax"))]
    return "\n".join(kept).strip() + "\n"


def main() -> None:
    """Write the examples into the page."""
    messages = examples()
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(BLOCK.sub(lambda found: f"{found[1]}{rendered(messages[found[2]])}{found[3]}", page), "utf-8")


if __name__ == "__main__":
    main()
