"""Messages: what they carry, and how they are made."""

from typing import Any

import pytest

from statefun import (
    Address,
    BoolType,
    Float64Type,
    Int32Type,
    Message,
    MessageBuilder,
    StringType,
    message_builder,
)
from statefun.protocol.request_reply_pb2 import TypedValue

TARGET = "example/greeter"


@pytest.mark.parametrize(
    ("kind", "value"),
    [("bool", True), ("int", 3), ("long", 2**40), ("float", 1.5), ("double", 0.1), ("string", "hi")],
)
def test_a_message_tells_and_reads_each_primitive(kind: str, value: Any) -> None:
    keyword = {"string": "str_value"}.get(kind, f"{kind}_value")
    message = message_builder(TARGET, "bob", **{keyword: value})
    kinds = ["bool", "int", "long", "float", "double", "string"]
    assert [name for name in kinds if getattr(message, f"is_{name}")()] == [kind]
    assert getattr(message, f"as_{kind}")() == value


def test_the_names_of_the_second_family_mean_the_same() -> None:
    message = message_builder(TARGET, "bob", int_value=3)
    assert (message.is_int32(), message.as_int32(), message.is_int64()) == (True, 3, False)
    assert message_builder(TARGET, "bob", double_value=0.5).as_float64() == 0.5


def test_a_message_shows_its_raw_value_and_type() -> None:
    message = message_builder(TARGET, "bob", value="hi", value_type=StringType)
    assert (message.value_typename(), message.raw_value()) == (StringType.typename, StringType.serialize("hi"))
    assert message.is_type(StringType)
    assert message.as_type(StringType) == "hi"
    assert message.typed_value == TypedValue(typename=StringType.typename, has_value=True, value=message.raw_value())
    assert Message(TARGET, "bob", TypedValue(typename="a/b")).as_type(StringType) is None


def test_a_message_without_target_is_refused() -> None:
    for target, identifier in (("", "bob"), (TARGET, "")):
        with pytest.raises(ValueError, match=r"\S"):
            message_builder(target, identifier, str_value="hi")


def test_types_are_inferred_but_for_integers() -> None:
    address = Address(TARGET, "bob")
    for value, tpe in ((True, BoolType), ("hi", StringType), (0.5, Float64Type)):
        assert MessageBuilder(address, value).to_message().is_type(tpe)
    with pytest.raises(ValueError, match=r"Int32.*Int64"):
        MessageBuilder(address, 3).to_message()
    assert MessageBuilder(address, 3, Int32Type).to_message().as_int() == 3


def test_headers_travel_with_a_message() -> None:
    message = message_builder(TARGET, "bob", str_value="hi", headers={"trace": "t-1"})
    assert [(header.key, header.value) for header in message.headers] == [("trace", b"t-1")]
