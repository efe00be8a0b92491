from datetime import timedelta
from pathlib import Path

import pytest

from statefun import IntType, StatefulFunctions, ValueSpec
from statefun_runtime.errors import ModuleError
from statefun_runtime.flink.difference import Effect
from statefun_runtime.flink.function_differences import code_differences, function_differences
from statefun_runtime.module.loader import load_modules
from statefun_runtime.module.module import Module

ENDPOINT = "kind: io.statefun.endpoints.v2/http\nspec:\n  functions: shop/*\n  urlPathTemplate: http://functions/\n"


def functions(*specs: ValueSpec[int]) -> StatefulFunctions:
    registry = StatefulFunctions()
    registry.register("shop/cart", lambda context, message: None, specs)
    return registry


def module(directory: Path) -> Module:
    file = directory / "module.yaml"
    file.write_text(ENDPOINT)
    return load_modules([file]).require()


def code(directory: Path, text: str, *, awaits_replies: bool = False) -> list[tuple[int, int, str]]:
    file = directory / "app.py"
    file.write_text(text)
    found = code_differences([file], awaits_replies=awaits_replies)
    return [(difference.position.line, difference.position.column, difference.path) for difference in found]


def test_a_function_without_an_endpoint_is_refused_at_the_place_of_its_code() -> None:
    (difference,) = function_differences(functions(), Module())
    assert (difference.effect, difference.path) == (Effect.REFUSED, "shop/cart")
    assert difference.position.file == __file__
    assert difference.position.line > 0


def test_a_function_with_an_endpoint_and_lasting_states_has_no_difference(tmp_path: Path) -> None:
    assert list(function_differences(functions(ValueSpec("seen", IntType)), module(tmp_path))) == []


def test_a_state_that_expires_is_told(tmp_path: Path) -> None:
    spec = ValueSpec("seen", IntType, expire_after_write=timedelta(hours=1))
    (difference,) = function_differences(functions(spec), module(tmp_path))
    assert (difference.effect, difference.path) == (Effect.DIFFERENT, "shop/cart: seen")


def test_instructions_to_this_runtime_are_told_where_they_are_raised(tmp_path: Path) -> None:
    text = """\
import statefun
from statefun import RetryLater, Reject
def f(context, message):
    if message:
        raise RetryLater(later)
    raise statefun.Reject("no")
"""
    assert code(tmp_path, text) == [(5, 15, "RetryLater"), (6, 11, "Reject")]


def test_a_delayed_message_is_told_only_if_it_has_a_token(tmp_path: Path) -> None:
    text = """\
context.send_after(delay, message)
context.send_after(delay, message, "token")
context.send_after(delay, message, cancellation_token=token)
"""
    assert code(tmp_path, text) == [(2, 1, "cancellation_token"), (3, 1, "cancellation_token")]


def test_the_caller_matters_only_where_requests_await_replies(tmp_path: Path) -> None:
    text = "context.send(message_builder(context.caller))\n"
    assert code(tmp_path, text) == []
    assert code(tmp_path, text, awaits_replies=True) == [(1, 30, "caller")]


def test_a_call_of_what_a_call_returns_is_no_difference(tmp_path: Path) -> None:
    assert code(tmp_path, "factory()(1)\n") == []


def test_code_that_is_no_python_is_an_error_with_its_file(tmp_path: Path) -> None:
    with pytest.raises(ModuleError, match=r"app\.py cannot be read as Python"):
        code(tmp_path, "def\n")
