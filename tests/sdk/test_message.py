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


@pytest.mark.parametrize(
    ("keyword", "name", "value"),
    [
        ("int_value", "int32", 3),
        ("long_value", "int64", 2**40),
        ("float_value", "float32", 0.5),
        ("double_value", "float64", 0.1),
    ],
)
def test_the_names_of_the_second_family_mean_the_same(keyword: str, name: str, value: Any) -> None:
    message = message_builder(TARGET, "bob", **{keyword: value})
    names = ["bool", "int32", "int64", "float32", "float64", "string"]
    assert [each for each in names if getattr(message, f"is_{each}")()] == [name]
    assert getattr(message, f"as_{name}")() == value


@pytest.mark.parametrize(
    "name", ["bool", "int", "long", "float", "double", "string", "int32", "int64", "float32", "float64"]
)
def test_a_message_without_value_reads_none_as_anything(name: str) -> None:
    message = Message(TARGET, "bob", TypedValue(typename="example/nothing"))
    assert getattr(message, f"as_{name}")() is None
    assert not getattr(message, f"is_{name}")()
    assert message.raw_value() is None


def test_a_message_shows_its_raw_value_and_type() -> None:
    message = message_builder(TARGET, "bob", value="hi", value_type=StringType)
    assert (message.value_typename(), message.raw_value()) == (StringType.typename, StringType.serialize("hi"))
    assert message.is_type(StringType)
    assert message.as_type(StringType) == "hi"
    assert message.typed_value == TypedValue(typename=StringType.typename, has_value=True, value=message.raw_value())
    assert Message(TARGET, "bob", TypedValue(typename="a/b")).as_type(StringType) is None


def test_a_message_without_target_is_refused() -> None:
    missing: Any = None
    for target, identifier in (("", "bob"), (TARGET, ""), ("greeter", "bob")):
        with pytest.raises(ValueError, match=r"is not a typename|needs a target, an id and a value"):
            message_builder(target, identifier, str_value="hi")
    with pytest.raises(ValueError, match="target"):
        MessageBuilder(missing, "hi").to_message()
    for parts in (("", "bob", TypedValue()), (TARGET, "", TypedValue()), (TARGET, "bob", None)):
        with pytest.raises(ValueError, match="needs a target, an id and a value"):
            Message(*parts)


def test_types_are_inferred_but_for_integers() -> None:
    address = Address(TARGET, "bob")
    for value, tpe in ((True, BoolType), ("hi", StringType), (0.5, Float64Type)):
        assert MessageBuilder(address, value).to_message().is_type(tpe)
        assert message_builder(TARGET, "bob", value=value).is_type(tpe)
    for number in (3, 0, -1, 2**40):
        with pytest.raises(ValueError, match=f"{number} is an Int32Type or an Int64Type"):
            MessageBuilder(address, number).to_message()
        with pytest.raises(ValueError, match=f"{number} is an Int32Type or an Int64Type"):
            message_builder(TARGET, "bob", value=number)
    assert MessageBuilder(address, 3, Int32Type).to_message().as_int() == 3


@pytest.mark.parametrize("value", [b"bytes", [1], {"a": 1}, object()])
def test_a_type_that_cannot_be_inferred_is_asked_for(value: Any) -> None:
    with pytest.raises(ValueError, match="give value_type"):
        MessageBuilder(Address(TARGET, "bob"), value).to_message()
    with pytest.raises(ValueError, match="give value_type"):
        message_builder(TARGET, "bob", value=value)


@pytest.mark.parametrize(
    ("keywords", "error", "reason"),
    [
        ({}, TypeError, "given are: none"),
        ({"int_value": 1, "str_value": "a"}, TypeError, "given are: int_value, str_value"),
        ({"int_value": 1, "value": 1}, TypeError, "exactly one value"),
        ({"value_type": StringType}, TypeError, "exactly one value"),
        ({"number_value": 1}, ValueError, "number_value= says no type"),
        ({"int_value": 1, "value_type": Int32Type}, ValueError, "int_value= says no type"),
        ({"int_value": None}, ValueError, "must not be None"),
        ({"value": None}, ValueError, "missing"),
        ({"value": None, "value_type": StringType}, ValueError, "must not be None"),
        ({"int_value": 2**31}, ValueError, "out of range"),
        ({"long_value": 2**63}, ValueError, "out of range"),
        ({"int_value": True}, TypeError, "is a bool"),
        ({"str_value": 3}, TypeError, r"argument|expected|type"),
    ],
)
def test_keywords_that_say_no_value_are_refused(keywords: Any, error: type[Exception], reason: str) -> None:
    with pytest.raises(error, match=reason):
        message_builder(TARGET, "bob", **keywords)


def test_all_arguments_of_a_message_may_be_keywords() -> None:
    message = message_builder(
        target_typename=TARGET, target_id="bob", value="hi", value_type=StringType, headers={"a": "b"}
    )
    assert (message.target_typename, message.target_id, message.as_string()) == (TARGET, "bob", "hi")
    assert message.headers[0].value == b"b"


def test_headers_travel_with_a_message() -> None:
    message = message_builder(TARGET, "bob", str_value="hi", headers={"trace": "t-1"})
    assert [(header.key, header.value) for header in message.headers] == [("trace", b"t-1")]
