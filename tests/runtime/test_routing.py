from random import Random

import pytest

from statefun import Context, Message, StatefulFunctions
from statefun_runtime.endpoint.http import HttpEndpoint
from statefun_runtime.endpoint.inprocess import InProcessEndpoint
from statefun_runtime.engine.engine import Engine
from statefun_runtime.engine.limits import Limits
from statefun_runtime.interfaces import Batch, Failure, FailureKind, Reply
from statefun_runtime.module.endpoint_spec import EndpointSpec
from statefun_runtime.module.position import Position
from statefun_runtime.routing import UNLIMITED_BATCH, NoEndpoint, Routes
from statefun_runtime.store.memory import MemoryStore
from statefun_runtime.store.recovery import recover
from tests.runtime.endpoint.scripted_server import settings


def endpoint(functions: str, max_batch: int | None, pool_size: int) -> EndpointSpec:
    transport = settings(pool_size=pool_size)
    return EndpointSpec("kind", functions, "http://127.0.0.1:1/", max_batch, transport, Position("module.yaml"))


def _do_nothing(context: Context, message: Message) -> None:
    """Of no interest."""


class Routed:
    """Routes to a hosted function and to two endpoints."""

    def __init__(self) -> None:
        self.engine = Engine(recover(MemoryStore()), [], Limits(), Random(0))
        functions = StatefulFunctions()
        functions.bind("far/hosted")(_do_nothing)
        self.hosted = InProcessEndpoint(functions, 1)
        endpoints = (endpoint("far/*", None, 1024), endpoint("far/small", 7, 5))
        self.routes = Routes(self.engine, self.hosted, endpoints, 20)

    def asks(self) -> set[str]:
        return {name for name, function_type in self.engine.mailboxes.types.items() if function_type.asks}


@pytest.fixture
def routed() -> Routed:
    return Routed()


def test_a_hosted_function_wins_over_an_endpoint_and_a_name_over_a_namespace(routed: Routed) -> None:
    assert routed.routes.endpoint_of("far/hosted") is routed.hosted
    small, other = routed.routes.endpoint_of("far/small"), routed.routes.endpoint_of("far/other")
    assert isinstance(small, HttpEndpoint)
    assert isinstance(other, HttpEndpoint)
    assert small is not other
    assert routed.routes.endpoint_of("far/another") is other


@pytest.mark.parametrize(("name", "limits"), [("far/small", (5, 7)), ("far/other", (20, UNLIMITED_BATCH))])
def test_calls_at_once_are_limited_by_the_setting_and_by_the_pool(
    routed: Routed, name: str, limits: tuple[int, int]
) -> None:
    routed.routes.endpoint_of(name)
    function_type = routed.engine.mailboxes.types[name]
    assert (function_type.limit, function_type.max_batch) == limits


def test_only_functions_behind_endpoints_are_asked_for_their_states(routed: Routed) -> None:
    for name in ("far/hosted", "far/small", "near/nobody"):
        routed.routes.endpoint_of(name)
    routed.routes.ask_for_states()
    assert routed.asks() == {"far/small"}


def test_a_function_that_nobody_serves_fails_with_what_to_do(routed: Routed) -> None:
    nobody = routed.routes.endpoint_of("near/nobody")
    assert isinstance(nobody, NoEndpoint)
    replies: list[Reply] = []
    nobody.invoke(Batch(("near/nobody", "x"), {}, []), lambda _, reply: replies.append(reply))
    [failure] = replies
    assert isinstance(failure, Failure)
    assert failure.kind is not FailureKind.UNREACHABLE
    assert "no endpoint serves near/nobody; add one" in failure.reason
