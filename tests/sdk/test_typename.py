"""Typenames."""

import pickle
from copy import deepcopy
from dataclasses import FrozenInstanceError

import pytest

from statefun import (
    Address,
    Message,
    MessageBuilder,
    StatefulFunctions,
    StatefulFunctionSpec,
    StringType,
    TypeName,
    egress_message_builder,
    kafka_egress_message,
    kinesis_egress_message,
    message_builder,
)
from tests.sdk.calls import nothing, typed


def test_a_typename_splits_at_the_last_slash() -> None:
    parsed = TypeName.parse("example/of/greeter")
    assert (parsed.namespace, parsed.name, str(parsed)) == ("example/of", "greeter", "example/of/greeter")
    assert TypeName.from_parts("example/of", "greeter") == parsed


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it has no '/'"),
        ("greeter", "'greeter' is not a typename: it has no '/', the form is namespace/name"),
        ("/greeter", "the namespace before the '/' is empty"),
        ("example/", "the name after the '/' is empty"),
        ("/", "is empty"),
    ],
)
def test_a_text_that_is_no_typename_is_refused_and_told_why(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        TypeName.parse(text)


@pytest.mark.parametrize(("namespace", "name"), [("", "greeter"), ("example", ""), ("example", "of/greeter")])
def test_parts_that_make_no_typename_are_refused(namespace: str, name: str) -> None:
    for make in (TypeName, TypeName.from_parts):
        with pytest.raises(ValueError, match=r"empty|contains a '/'"):
            make(namespace, name)


def test_what_is_no_text_is_no_typename() -> None:
    with pytest.raises(TypeError, match="not 3"):
        TypeName.parse(3)  # type: ignore[arg-type]


def test_typenames_are_hashable_and_ordered_by_namespace_and_then_name() -> None:
    texts = ["a/b", "a/c", "a/b/a", "b/a"]
    names = [TypeName.parse(text) for text in texts]
    assert sorted([names[2], names[3], names[1], names[0]]) == names
    assert len({*names, *map(TypeName.parse, texts)}) == len(texts)


def test_a_typename_cannot_be_changed() -> None:
    typename = TypeName.parse("example/greeter")
    with pytest.raises(FrozenInstanceError):
        typename.name = "other"  # type: ignore[misc]
    assert str(typename) == "example/greeter"


def test_a_copy_of_a_typename_is_equal_to_it() -> None:
    typename = TypeName.parse("example/greeter")
    for copy in (deepcopy(typename), pickle.loads(pickle.dumps(typename))):
        assert (copy, str(copy), hash(copy)) == (typename, "example/greeter", hash(typename))


def test_a_typename_is_accepted_wherever_its_text_is() -> None:
    typename = TypeName.parse("example/greeter")
    functions = StatefulFunctions()
    functions.register(typename, nothing)
    assert functions.for_typename("example/greeter") is functions.for_typename(typename)
    assert StatefulFunctionSpec(typename, nothing).typename == "example/greeter"
    assert Address(typename, "a") == Address("example/greeter", "a")
    assert Message(typename, "a", typed(StringType, "x")).target_typename == "example/greeter"
    assert message_builder(typename, "a", str_value="x").target_typename == "example/greeter"
    assert MessageBuilder(Address(typename, "a"), "x").to_message().target_typename == "example/greeter"
    for egress in (
        kafka_egress_message(typename, "topic", "x"),
        kinesis_egress_message(typename, "stream", "x", "key"),
        egress_message_builder(typename, "x", StringType),
    ):
        assert egress.typename == "example/greeter"
