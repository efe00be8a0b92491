"""The code of the tutorial runs, and does what its pages say."""

import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.cli.application import read_modules, unserved_targets
from statefun_runtime.endpoint.inprocess import InProcessEndpoint
from statefun_runtime.interfaces import Batch, Reply
from tests.repo.sources import ROOT
from tests.simulation.world import World

TUTORIAL = ROOT / "docs" / "tutorial"
HALF_AN_HOUR = 30 * 60 * 1000


def blocks(page: str, language: str) -> list[str]:
    text = (TUTORIAL / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


class Application:
    """The functions of a page on the real engine, with time moved by hand."""

    def __init__(self, page: str) -> None:
        module = ModuleType(page)
        # Dataclasses look up their module's names while the code runs.
        exec(compile("\n".join(blocks(page, "python")), page, "exec"), module.__dict__)
        self.functions = module.functions
        self._endpoint = InProcessEndpoint(self.functions, call_timeout=1)
        self.world = World(self._call, egress="io.statefun.playground/egress")
        self.declare()

    def declare(self) -> None:
        for typename, specs in self._endpoint.declared():
            self.world.engine.declare(typename, specs)

    def _call(self, batch: Batch) -> Reply:
        replies: list[Reply] = []
        self._endpoint.invoke(batch, lambda _, reply: replies.append(reply))
        [reply] = replies
        return reply

    def send(self, address: str, typename: str, value: object) -> None:
        """What `statefun send` does, and all that follows from it at once."""
        function, _, identifier = address.rpartition("/")
        payload = TypedValue(typename=typename, has_value=True, value=json.dumps(value).encode())
        self.world.accept((function, identifier), payload.SerializeToString())
        self.work()

    def work(self) -> None:
        self.world.dispatch()
        while self.world.in_flight:
            self.world.reply(self.world.in_flight[0])
            self.world.dispatch()
        self.world.cut()
        self.world.commit()

    def advance(self, milliseconds: int) -> None:
        self.world.advance(milliseconds)
        self.work()

    def restart(self) -> None:
        self.world.crash()
        self.declare()

    def records(self) -> list[str]:
        """The payloads of all records so far."""
        records = [record for number in sorted(self.world.written) for record in self.world.written[number]]
        return [json.loads(TypedValue.FromString(record).value)["payload"] for record in records]

    def parked(self) -> bool:
        return any(mailbox.stuck for mailbox in self.world.engine.mailboxes.in_memory())


@pytest.fixture
def shop() -> Application:
    shop = Application("shopping-cart.md")
    shop.send("shop/stock/socks", "shop/Restock", {"quantity": 10})
    return shop


def add(shop: Application, quantity: int) -> None:
    shop.send("shop/cart/ada", "shop/AddToCart", {"item": "socks", "quantity": quantity})


def check_out(shop: Application) -> None:
    shop.send("shop/cart/ada", "shop/Checkout", {})


def test_the_greeter_counts_for_each_person_also_after_a_crash() -> None:
    app = Application("quickstart.md")
    app.send("shop/greeter/ada", "shop/Greet", {"greeting": "Hello"})
    app.send("shop/greeter/grace", "shop/Greet", {"greeting": "Hi"})
    app.restart()
    app.send("shop/greeter/ada", "shop/Greet", {"greeting": "Hello"})
    assert app.records() == [
        "Hello, ada! This is visit number 1.",
        "Hi, grace! This is visit number 1.",
        "Hello, ada! This is visit number 2.",
    ]


def test_the_cart_sells_what_the_stock_has_as_the_page_shows(shop: Application) -> None:
    add(shop, 2)
    add(shop, 20)
    check_out(shop)
    assert shop.records() == ["ada: not enough socks", "ada: paid for 2 socks"]
    add(shop, 8)
    add(shop, 1)
    check_out(shop)
    assert shop.records()[2:] == ["ada: not enough socks", "ada: paid for 8 socks"]


def test_a_reservation_that_nobody_pays_for_is_given_back_also_after_a_stop(shop: Application) -> None:
    add(shop, 10)
    shop.world.now += HALF_AN_HOUR
    shop.restart()
    shop.work()
    assert shop.records() == ["ada: your reservation has ended"]
    add(shop, 10)
    check_out(shop)
    assert shop.records()[1:] == ["ada: paid for 10 socks"]


def test_the_time_of_a_reservation_begins_anew_with_each_item(shop: Application) -> None:
    add(shop, 1)
    shop.advance(HALF_AN_HOUR - 1)
    add(shop, 1)
    shop.advance(HALF_AN_HOUR - 1)
    assert shop.records() == []
    shop.advance(1)
    assert shop.records() == ["ada: your reservation has ended"]


def test_a_paid_cart_does_not_end_later(shop: Application) -> None:
    add(shop, 1)
    check_out(shop)
    shop.advance(2 * HALF_AN_HOUR)
    assert shop.records() == ["ada: paid for 1 socks"]
    check_out(shop)
    assert shop.records()[1:] == ["ada: your cart is empty"]


def test_a_message_that_the_stock_does_not_understand_holds_up_that_item_alone(shop: Application) -> None:
    shop.send("shop/stock/socks", "shop/Restock", {"quantity": "many"})
    assert shop.parked()
    shop.send("shop/stock/hats", "shop/Restock", {"quantity": 1})
    shop.send("shop/cart/ada", "shop/AddToCart", {"item": "hats", "quantity": 1})
    check_out(shop)
    assert shop.records() == ["ada: paid for 1 hats"]


@pytest.mark.parametrize("page", ["quickstart.md", "shopping-cart.md"])
def test_the_module_file_of_a_page_has_no_problems(page: str, tmp_path: Path) -> None:
    [text] = blocks(page, "yaml")
    (tmp_path / "module.yaml").write_text(text)
    result = read_modules([tmp_path / "module.yaml"])
    assert result.problems == ()
    assert list(unserved_targets(result.module, {spec.typename for spec in Application(page).functions})) == []


@pytest.mark.parametrize("page", ["quickstart.md", "shopping-cart.md"])
def test_every_message_that_a_page_sends_is_json_of_a_type_that_the_functions_know(page: str) -> None:
    text = (TUTORIAL / page).read_text(encoding="utf-8")
    code = "\n".join(blocks(page, "python"))
    sends = re.findall(r"\$ statefun send (\S+)/\S+ '(.*?)' --type (\S+)", text)
    assert sends
    for function, value, typename in sends:
        json.loads(value)
        assert f'"{function}"' in code
        assert f'"{typename}"' in code
