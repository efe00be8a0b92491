"""Typenames, addresses and cancellation tokens."""

import pytest

from statefun import Address, CancellationToken, SdkAddress, StatefulFunctions, TypeName


def test_a_typename_splits_at_the_last_slash() -> None:
    parsed = TypeName.parse("example/of/greeter")
    assert (parsed.namespace, parsed.name, str(parsed)) == ("example/of", "greeter", "example/of/greeter")
    assert TypeName.from_parts("example/of", "greeter") == parsed


@pytest.mark.parametrize("text", ["", "greeter", "/greeter", "example/", "/"])
def test_a_text_that_is_no_typename_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        TypeName.parse(text)


def test_typenames_are_hashable_and_ordered() -> None:
    first, second = TypeName.parse("a/b"), TypeName.parse("a/c")
    assert sorted([second, first]) == [first, second]
    assert len({first, TypeName.parse("a/b")}) == 1


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


def test_a_cancellation_token_is_text_that_is_not_empty() -> None:
    token = CancellationToken("alert-1")
    assert (token.token, str(token)) == ("alert-1", "CancellationToken(alert-1)")
    with pytest.raises(ValueError, match=r"\S"):
        CancellationToken("")


def test_a_typename_is_accepted_wherever_its_text_is() -> None:
    functions = StatefulFunctions()
    functions.register(TypeName.parse("example/greeter"), lambda context, message: None)
    assert functions.for_typename("example/greeter") is functions.for_typename(TypeName.parse("example/greeter"))
