"""Addresses: those that functions make, and those that a request brings."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statefun import Address, Context, Message, MessageBuilder, SdkAddress, StatefulFunctions, StringType, TypeName
from statefun.address import read_caller
from statefun.protocol.request_reply_pb2 import Address as WireAddress
from statefun.protocol.request_reply_pb2 import FromFunction, ToFunction
from tests.sdk.calls import handler, request, typed


def test_an_address_knows_its_parts_in_both_vocabularies() -> None:
    address = Address("example/greeter", "bob")
    assert address.function_type == TypeName.parse("example/greeter")
    assert (address.typename, address.namespace, address.name, address.type, address.id) == (
        "example/greeter",
        "example",
        "greeter",
        "greeter",
        "bob",
    )
    assert str(address) == "Address(example, greeter, bob)"
    assert {address: 1}[Address(TypeName.parse("example/greeter"), "bob")] == 1


def test_the_address_of_the_first_sdk_keeps_its_constructor() -> None:
    address = SdkAddress("example", "greeter", "bob", "example/greeter")
    assert (address.namespace, address.name, address.id, address.typename) == (
        "example",
        "greeter",
        "bob",
        "example/greeter",
    )


@pytest.mark.parametrize("name", ["function_type", "id", "namespace", "typename"])
def test_an_address_cannot_be_changed(name: str) -> None:
    with pytest.raises(AttributeError):
        setattr(Address("example/greeter", "bob"), name, "other")


def test_addresses_are_equal_by_typename_and_id_whatever_made_them() -> None:
    made = [Address("a/b", "1"), Address(TypeName("a", "b"), "1"), SdkAddress("a", "b", "1", "a/b")]
    assert len(set(made)) == 1
    assert Address("a/b", "1") != Address("a/b", "2")
    assert Address("a/b", "1") != Address("a/c", "1")
    assert Address("a/b", "1") != ("a/b", "1")


def test_an_address_shows_how_it_is_made() -> None:
    address = Address("example/greeter", "bob")
    assert repr(address) == "Address('example/greeter', 'bob')"
    assert eval(repr(address), {"Address": Address}) == address


@pytest.mark.parametrize(
    ("function_type", "identifier", "reason"),
    [("example/greeter", "", "id"), ("greeter", "bob", "no '/'"), ("/greeter", "bob", "namespace")],
)
def test_an_address_without_all_its_parts_is_refused(function_type: str, identifier: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Address(function_type, identifier)


def test_the_typename_of_the_first_sdks_address_must_be_that_of_its_parts() -> None:
    with pytest.raises(ValueError, match="example/other"):
        SdkAddress("example", "greeter", "bob", "example/other")


def called_by(caller: WireAddress) -> Address | None:
    """What a function reads as its caller when the request says so."""
    seen: list[Address | None] = []

    def function(context: Context, message: Message) -> None:
        seen.append(context.caller)

    to_function = ToFunction.FromString(request(typed(StringType, "hello")))
    to_function.invocation.invocations[0].caller.CopyFrom(caller)
    handler(function).handle_sync(to_function.SerializeToString())
    return seen[0]


@pytest.mark.parametrize(
    ("namespace", "name", "identifier"),
    [
        ("example", "of/greeter", "bob"),
        ("example", "/", "bob"),
        ("", "greeter", "bob"),
        ("example", "", "bob"),
        ("example", "greeter", ""),
        ("example/of", "greeter", "bob"),
    ],
)
def test_a_caller_of_any_name_can_be_read(namespace: str, name: str, identifier: str) -> None:
    caller = called_by(WireAddress(namespace=namespace, type=name, id=identifier))
    assert caller is not None
    assert (caller.namespace, caller.type, caller.id) == (namespace, name, identifier)
    assert caller.typename == f"{namespace}/{name}"
    assert str(caller) == f"Address({namespace}, {name}, {identifier})"
    assert hash(caller) == hash(called_by(WireAddress(namespace=namespace, type=name, id=identifier)))


@given(namespace=st.text(max_size=5), name=st.text(max_size=5), identifier=st.text(max_size=5))
def test_reading_a_caller_never_raises(namespace: str, name: str, identifier: str) -> None:
    invocation = ToFunction.Invocation(caller=WireAddress(namespace=namespace, type=name, id=identifier))
    caller = read_caller(invocation)
    assert (caller is None) == (not namespace and not name and not identifier)
    hosted = read_caller((f"{namespace}/{name}", identifier))
    assert hosted is not None
    assert hosted.typename == f"{namespace}/{name}"


def test_a_reply_to_a_caller_with_a_slash_in_its_name_goes_to_where_its_text_is_split() -> None:
    def replies(context: Context, message: Message) -> None:
        assert context.caller is not None
        context.send(MessageBuilder(context.caller, "reply"))

    to_function = ToFunction.FromString(request(typed(StringType, "hello")))
    to_function.invocation.invocations[0].caller.CopyFrom(WireAddress(namespace="a", type="b/c", id="id"))
    reply = FromFunction.FromString(handler(replies).handle_sync(to_function.SerializeToString()))
    assert reply.invocation_result.outgoing_messages[0].target == WireAddress(namespace="a/b", type="c", id="id")


def test_a_target_is_found_by_its_text_also_when_the_slash_is_on_the_other_side() -> None:
    seen: list[Any] = []
    functions = StatefulFunctions()
    functions.register("a/b/c", lambda context, message: seen.append(context.address.typename))
    to_function = ToFunction.FromString(request(typed(StringType, "hello")))
    to_function.invocation.target.CopyFrom(WireAddress(namespace="a", type="b/c", id="id"))
    functions.as_handler().handle_sync(to_function.SerializeToString())
    assert seen == ["a/b/c"]
