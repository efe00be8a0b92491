"""Calls with a key over real processes, killed at each step on the way from the request to the response."""

import http.client
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.callers import Callers, ask
from tests.e2e.command import Runtime, get, statefun, wait_until
from tests.e2e.server import Server

pytestmark = pytest.mark.slow
APPLICATION = "tests.e2e.application:functions"
CALL = "/e2e/tally/a/call"
MODULE = """\
kind: io.statefun.playground.v1/ingress
spec: {{port: {ingress}}}
---
kind: io.statefun.endpoints.v2/http
spec:
  functions: e2e/*
  urlPathTemplate: {url}
"""


@pytest.fixture(params=["in process", "over HTTP"])
def runtime(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Runtime]:
    """A runtime, not yet started, whose functions are where the parameter says."""
    if request.param == "in process":
        runtime = Runtime(tmp_path, APPLICATION)
        yield runtime
        runtime.kill()
        return
    server, file = Server(tmp_path, APPLICATION), tmp_path / "module.yaml"
    runtime = Runtime(tmp_path, str(file))
    file.write_text(MODULE.format(ingress=runtime.ingress_port, url=f"http+unix://{server.socket}/statefun"))
    yield runtime
    runtime.kill()
    server.command.kill()


def states(runtime: Runtime, typename: str) -> dict[str, Any]:
    """The durable values of a function's only state, by id."""
    listed = statefun("state", "list", "--data", str(runtime.data), "--type", typename, "--json")
    assert listed.returncode == 0, listed.stderr
    return {row["id"]: row["value"] for row in map(json.loads, listed.stdout.splitlines())}


def records(runtime: Runtime) -> list[dict[str, Any]]:
    """What is durable of requests."""
    return list(states(runtime, "io.statefun.http/request").values())


def invocations(runtime: Runtime) -> int:
    functions = json.loads(get(runtime.admin_port, "/status")[1])["functions"]
    return int(functions.get("e2e/tally", {}).get("invocations", 0))


def leave(runtime: Runtime, body: str = "hi") -> http.client.HTTPConnection:
    """Make a call and do not wait for the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", runtime.ingress_port, timeout=30)
    connection.request("POST", CALL, body, {"Idempotency-Key": "k"})
    return connection


def broken(connection: http.client.HTTPConnection) -> bool:
    """Whether the call got no answer."""
    try:
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return True
    finally:
        connection.close()
    return False


def test_a_call_that_is_killed_before_it_is_durable_is_made_by_the_next_attempt(runtime: Runtime) -> None:
    runtime.start("--commit-interval", "1 h")
    # The epoch of the start, with what functions declare, is committed at once; what comes after it stays in memory.
    connection = leave(runtime)
    wait_until(lambda: invocations(runtime) == 1, "the call of the function")
    runtime.kill()
    assert broken(connection)
    assert records(runtime) == []
    runtime.start()
    assert ask(runtime.ingress_port, CALL, "hi", "k") == (200, b"1")
    assert ask(runtime.ingress_port, CALL, "hi", "k") == (200, b"1")
    assert states(runtime, "e2e/tally") == {"a": 1}


def test_a_call_that_is_killed_while_it_waits_for_the_reply_is_answered_by_the_next_attempt(
    runtime: Runtime, tmp_path: Path
) -> None:
    runtime.start()
    gate = tmp_path / "gate"
    connection = leave(runtime, str(gate))
    wait_until(lambda: bool(records(runtime)), "the record of the request")
    assert "reply" not in records(runtime)[0]
    runtime.kill()
    assert broken(connection)
    gate.touch()
    runtime.start()
    assert ask(runtime.ingress_port, CALL, str(gate), "k") == (200, b"1")
    assert states(runtime, "e2e/tally") == {"a": 1}


def test_a_reply_that_was_made_and_not_given_is_given_to_the_next_attempt(runtime: Runtime) -> None:
    runtime.start()
    connection = leave(runtime)
    connection.close()
    wait_until(lambda: any("reply" in record for record in records(runtime)), "the reply")
    runtime.kill()
    runtime.start()
    assert ask(runtime.ingress_port, CALL, "hi", "k") == (200, b"1")
    assert invocations(runtime) == 0
    assert ask(runtime.ingress_port, CALL, "hi", "another") == (200, b"2")


def test_a_call_is_applied_once_and_answered_the_same_whatever_is_killed(runtime: Runtime) -> None:
    choose = random.Random(22)
    runtime.start()
    with Callers(runtime, 6) as callers:
        for _ in range(8):
            callers.wait_for_replies()
            time.sleep(choose.uniform(0, 0.05))
            runtime.kill()
            runtime.start()
    made = {caller.name: len(caller.replies) for caller in callers.callers}
    for caller in callers.callers:
        assert caller.refused == []
        assert caller.replies == list(range(1, made[caller.name] + 1))
    assert states(runtime, "e2e/tally") == made
    assert sum(caller.attempts for caller in callers.callers) > sum(made.values()), "no kill has cut a call"
