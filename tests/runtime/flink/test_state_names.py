"""What a name of Flink's stands for."""

import pytest

from statefun_runtime.flink.state_names import StateName, StateNames
from statefun_runtime.interfaces import StateSpec


def test_the_last_two_dots_are_the_borders_when_nothing_is_known() -> None:
    assert StateNames({}).find("com.example.shop.cart.items") == StateName("com.example.shop/cart", "items")


def test_a_type_with_a_dot_is_found_by_what_functions_declare() -> None:
    names = StateNames({"com.example/cart.v2": [StateSpec("items", "io.statefun.types/int")]})
    assert names.find("com.example.cart.v2.items") == StateName("com.example/cart.v2", "items")


def test_a_state_that_its_function_declares_no_more_is_found_by_the_function() -> None:
    names = StateNames({"com.example/cart.v2": []})
    assert names.find("com.example.cart.v2.items") == StateName("com.example/cart.v2", "items")


@pytest.mark.parametrize("name", ["items", "cart.items", ".cart.items", "shop..items", "shop.cart."])
def test_a_name_without_three_parts_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match="is not the name of a function's state"):
        StateNames({}).find(name)


def test_the_name_of_a_state_is_found_again() -> None:
    name = StateName("com.example.shop/cart", "items")
    assert StateNames({}).find(str(name)) == name
