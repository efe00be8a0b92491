"""A start with aliases in its config file."""

import asyncio
from contextlib import closing
from pathlib import Path

import pytest

from statefun import Context, Message, StatefulFunctions
from statefun_runtime.config import FunctionSettings, RuntimeConfig
from statefun_runtime.endpoint.inprocess import InProcessEndpoint
from statefun_runtime.epoch import Epoch
from statefun_runtime.errors import ConfigError
from statefun_runtime.inspection import read_states
from statefun_runtime.module.module import Module
from statefun_runtime.runtime import Runtime
from statefun_runtime.store.changes import changes_of
from statefun_runtime.store.rocksdb import RocksDBStore


def basket(context: Context, message: Message) -> None:
    """Do nothing."""


async def start_and_stop(data: Path, *served: str) -> None:
    functions = StatefulFunctions()
    for typename in served:
        functions.register(typename, basket)
    settings = {"shop/basket": FunctionSettings(aliases=("shop/cart",))}
    stop = asyncio.Event()
    stop.set()
    await Runtime(
        Module(), InProcessEndpoint(functions, 1), RuntimeConfig(data_dir=data, admin_port=0, functions=settings)
    ).run(stop)


def addresses(data: Path) -> list[tuple[str, str]]:
    return [(record.typename, record.id) for record in read_states(data)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    epoch = Epoch(1)
    epoch.state["shop/cart", "ada"] = {"seen": (0, b"")}
    with closing(RocksDBStore(tmp_path / "data")) as store:
        store.commit(changes_of(epoch, "lineage"))
    return tmp_path / "data"


async def test_what_belongs_to_an_alias_belongs_to_the_function_after_the_start(data: Path) -> None:
    await start_and_stop(data, "shop/basket")
    assert addresses(data) == [("shop/basket", "ada")]


async def test_an_alias_that_is_served_itself_is_refused(data: Path) -> None:
    with pytest.raises(ConfigError, match="shop/cart is an alias of shop/basket and a function of its own"):
        await start_and_stop(data, "shop/basket", "shop/cart")
    assert addresses(data) == [("shop/cart", "ada")]
