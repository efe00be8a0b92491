"""The handler under real ASGI servers, each in a process of its own, asked over real sockets."""

import http.client
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.ports import free_port
from statefun import StringType
from statefun.protocol.request_reply_pb2 import FromFunction
from tests.sdk.application import MAX_REQUEST_BYTES
from tests.sdk.calls import request_for, typed

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
APPLICATION = "tests.sdk.application:handler"
# The commands are those that the documentation tells, on another port and for another application.
PAGE = (ROOT / "docs" / "howto" / "serve.md").read_text(encoding="utf-8")
SERVERS = {command.split()[0]: command for command in re.findall(r"^\$ (\w+ app:handler .*)$", PAGE, re.MULTILINE)}
SECONDS = 30.0
OCTETS = {"Content-Type": "application/octet-stream"}
GREETS = request_for("example/greets", typed(StringType, "Zoë"))


@pytest.fixture(scope="module", params=SERVERS)
def port(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The loopback port where one of the servers serves the application."""
    port = free_port()
    command = SERVERS[request.param].replace("app:handler", APPLICATION).replace("8000", str(port))
    log = tmp_path_factory.mktemp(request.param) / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", *command.split()],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        wait_until_it_accepts(port, server, log)
        yield port
    finally:
        server.terminate()
        server.wait(SECONDS)


def wait_until_it_accepts(port: int, server: "subprocess.Popen[bytes]", log: Path) -> None:
    give_up = time.monotonic() + SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert server.poll() is None, f"the server ended by itself: {log.read_text()}"
            assert time.monotonic() < give_up, f"the server accepts nothing after {SECONDS} s: {log.read_text()}"
            time.sleep(0.02)
        else:
            return


@pytest.fixture
def connection(port: int) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    yield connection
    connection.close()


def test_three_servers_are_asked() -> None:
    assert list(SERVERS) == ["uvicorn", "hypercorn", "granian"]


def greeting(body: bytes) -> str | None:
    (sent,) = FromFunction.FromString(body).invocation_result.outgoing_messages
    return StringType.deserialize(sent.argument.value)


def test_a_request_is_answered_and_the_connection_serves_the_next_one(connection: http.client.HTTPConnection) -> None:
    for _ in range(3):
        connection.request("POST", "/", GREETS, OCTETS)
        response = connection.getresponse()
        assert (response.status, response.getheader("content-type")) == (200, "application/octet-stream")
        assert greeting(response.read()) == "hi Zoë"


def test_a_body_in_chunks_is_one_request(connection: http.client.HTTPConnection) -> None:
    connection.request("POST", "/statefun", iter([GREETS[:5], GREETS[5:9], GREETS[9:]]), OCTETS)
    assert greeting(connection.getresponse().read()) == "hi Zoë"


@pytest.mark.parametrize(
    ("method", "body", "content_type", "status"),
    [
        ("GET", None, None, 405),
        ("PUT", GREETS, "application/octet-stream", 405),
        ("POST", GREETS, "application/json", 415),
        ("POST", b"", "application/octet-stream", 400),
        ("POST", b"\xff\xff", "application/octet-stream", 500),
        ("POST", request_for("example/nobody", typed(StringType, "x")), "application/octet-stream", 500),
        ("POST", request_for("example/fails", typed(StringType, "x")), "application/octet-stream", 500),
        ("POST", request_for("example/rejects", typed(StringType, "x")), "application/octet-stream", 422),
        ("POST", request_for("example/later", typed(StringType, "x")), "application/octet-stream", 503),
        ("POST", request_for("example/nothing", typed(StringType, "x")), None, 200),
    ],
)
def test_the_status_is_that_of_the_reference(
    connection: http.client.HTTPConnection, method: str, body: bytes | None, content_type: str | None, status: int
) -> None:
    connection.request(method, "/", body, {"Content-Type": content_type} if content_type else {})
    response = connection.getresponse()
    assert response.status == status
    assert b"Traceback" not in response.read()
    assert response.getheader("retry-after") == ("3" if status == 503 else None)


def test_a_body_that_is_announced_as_too_long_is_413_before_it_is_sent(
    connection: http.client.HTTPConnection,
) -> None:
    connection.putrequest("POST", "/")
    connection.putheader("Content-Type", "application/octet-stream")
    connection.putheader("Content-Length", str(MAX_REQUEST_BYTES + 1))
    connection.endheaders()
    assert connection.getresponse().status == 413


def test_a_body_in_chunks_is_413_as_soon_as_it_is_too_long(connection: http.client.HTTPConnection) -> None:
    connection.putrequest("POST", "/")
    connection.putheader("Content-Type", "application/octet-stream")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    # The chunk announces more than is sent, so the answer cannot have waited for the end of the body.
    connection.send(b"%x\r\n" % (2 * MAX_REQUEST_BYTES) + bytes(MAX_REQUEST_BYTES + 1))
    assert connection.getresponse().status == 413
