"""What commands can say of an application before it runs."""

import pytest

from statefun import Context, Message, StatefulFunctions
from statefun_runtime.cli.application import idle_policies
from statefun_runtime.config import FunctionSettings, RuntimeConfig
from statefun_runtime.module.endpoint_spec import EndpointSpec
from statefun_runtime.module.module import Module
from statefun_runtime.module.position import Position
from statefun_runtime.module.transport_spec import TransportSpec

FUNCTIONS = StatefulFunctions()


@FUNCTIONS.bind("shop/cart")
def cart(context: Context, message: Message) -> None:
    """Do nothing."""


def told(pattern: str, *endpoints: str) -> list[str]:
    specs = tuple(EndpointSpec("", f, "http://h/", None, TransportSpec(1, 1), Position("")) for f in endpoints)
    config = RuntimeConfig(functions={pattern: FunctionSettings()})
    return list(idle_policies(config, Module(endpoints=specs), [spec.typename for spec in FUNCTIONS]))


@pytest.mark.parametrize("pattern", ["shop/cart", "shop/*", "remote/f", "remote/g", "remote/*", "single/f", "single/*"])
def test_a_policy_for_what_is_served_is_fine(pattern: str) -> None:
    assert told(pattern, "remote/*", "single/f") == []


@pytest.mark.parametrize("pattern", ["shop/other", "single/g", "remotes/*", "shop/deep/cart"])
def test_a_policy_for_what_nobody_serves_is_told(pattern: str) -> None:
    [text] = told(pattern, "remote/*", "single/f")
    assert text.startswith(f'[functions."{pattern}"] of the config file: no hosted function and no endpoint serves it')


def test_the_nearest_name_is_told() -> None:
    assert told("shop/crat")[0].endswith('(did you mean "shop/cart"?)')
