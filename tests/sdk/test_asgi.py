"""The handler as an ASGI application: status codes, limits, and what ASGI servers may do to it."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import pytest

from statefun import RequestReplyHandler, StringType
from statefun.protocol.request_reply_pb2 import FromFunction
from tests.sdk.application import functions, handler
from tests.sdk.calls import request_for, typed

OCTETS = b"application/octet-stream"
GREETS = request_for("example/greets", typed(StringType, "Zoë"))


class Answer(NamedTuple):
    status: int
    headers: dict[bytes, bytes]
    body: bytes


class Client:
    """What an ASGI server hands to the application, and what it gets back."""

    def __init__(self, events: Iterable[dict[str, Any]]) -> None:
        self._events = iter(events)
        self.received = 0
        self.sent: list[Any] = []

    async def receive(self) -> dict[str, Any]:
        self.received += 1
        return next(self._events)

    async def send(self, event: Any) -> None:
        self.sent.append(event)

    def answer(self) -> Answer:
        start, *bodies = self.sent
        assert start["type"] == "http.response.start"
        return Answer(start["status"], dict(start["headers"]), b"".join(event["body"] for event in bodies))


def chunks(*bodies: bytes) -> list[dict[str, Any]]:
    last = len(bodies) - 1
    return [{"type": "http.request", "body": body, "more_body": number < last} for number, body in enumerate(bodies)]


async def ask(
    body: bytes | list[dict[str, Any]],
    *,
    method: str = "POST",
    headers: Iterable[tuple[bytes, bytes]] = ((b"content-type", OCTETS),),
    to: RequestReplyHandler = handler,
) -> tuple[Answer, Client]:
    client = Client(chunks(body) if isinstance(body, bytes) else body)
    await to({"type": "http", "method": method, "headers": list(headers)}, client.receive, client.send)
    return client.answer(), client


@pytest.mark.parametrize(
    ("function", "status", "reason"),
    [
        ("greets", 200, b"hi Zo\xc3\xab"),
        ("nothing", 200, b""),
        ("fails", 500, b"example/fails, id 'me': LookupError: no such thing"),
        ("nobody", 500, b"there is no function example/nobody"),
        ("later", 503, b"the warehouse is closed"),
        ("rejects", 422, b"example/rejects, id 'me': Reject: poison"),
    ],
)
async def test_the_status_says_how_the_call_ended(function: str, status: int, reason: bytes) -> None:
    answer, _ = await ask(request_for(f"example/{function}", typed(StringType, "Zoë")))
    assert answer.status == status
    assert reason in answer.body
    assert answer.headers[b"content-length"] == b"%d" % len(answer.body)
    assert answer.headers[b"content-type"] == (OCTETS if status == 200 else b"text/plain; charset=utf-8")
    assert (b"retry-after" in answer.headers) == (status == 503)


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "DELETE", "OPTIONS"])
async def test_a_method_other_than_post_is_405(method: str) -> None:
    answer, client = await ask(GREETS, method=method)
    assert (answer.status, answer.headers[b"allow"], client.received) == (405, b"POST", 0)


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        (None, 200),
        (b"application/octet-stream", 200),
        (b"Application/Octet-Stream; charset=binary", 200),
        (b"application/json", 415),
        (b"text/plain", 415),
        (b"application/octet-streams", 415),
    ],
)
async def test_a_content_type_that_is_another_one_is_415(content_type: bytes | None, status: int) -> None:
    headers = [] if content_type is None else [(b"Content-Type", content_type)]
    answer, _ = await ask(GREETS, headers=headers)
    assert answer.status == status


async def test_an_empty_body_is_400_and_bytes_that_do_not_parse_are_500() -> None:
    assert (await ask(b""))[0].status == 400
    assert (await ask(chunks(b"", b"")))[0].status == 400
    assert (await ask(b"", headers=[(b"content-length", b"0")]))[0].status == 400
    answer, _ = await ask(b"\xff\xff")
    assert (answer.status, b"unreadable request" in answer.body) == (500, True)


async def test_a_body_in_chunks_is_one_request() -> None:
    parts = [GREETS[index : index + 7] for index in range(0, len(GREETS), 7)]
    answer, client = await ask(chunks(*parts))
    assert (answer.status, client.received) == (200, len(parts))
    sent = FromFunction.FromString(answer.body).invocation_result.outgoing_messages
    assert sent[0].argument == typed(StringType, "hi Zoë")


async def test_a_body_that_is_announced_as_too_long_is_413_before_it_is_read() -> None:
    small = RequestReplyHandler(functions, max_request_bytes=len(GREETS))
    headers = [(b"content-type", OCTETS), (b"content-length", b"%d" % (len(GREETS) + 1))]
    answer, client = await ask(GREETS + b"x", headers=headers, to=small)
    assert (answer.status, client.received) == (413, 0)
    assert b"longer than %d bytes" % len(GREETS) in answer.body


async def test_a_body_of_the_whole_limit_is_served() -> None:
    small = RequestReplyHandler(functions, max_request_bytes=len(GREETS))
    headers = [(b"content-type", OCTETS), (b"content-length", b"%d" % len(GREETS))]
    assert (await ask(GREETS, headers=headers, to=small))[0].status == 200
    assert (await ask(chunks(GREETS[:5], GREETS[5:]), to=small))[0].status == 200


async def test_a_body_in_chunks_that_grows_too_long_is_413_and_read_no_further() -> None:
    small = RequestReplyHandler(functions, max_request_bytes=100)
    answer, client = await ask(chunks(*[b"x" * 40] * 1000), to=small)
    assert (answer.status, client.received) == (413, 3)


@pytest.mark.parametrize("announced", [b"many", b"", b"-1", "²".encode("latin-1")])
async def test_a_length_that_is_no_number_does_not_matter(announced: bytes) -> None:
    small = RequestReplyHandler(functions, max_request_bytes=100)
    headers = [(b"content-length", announced)]
    assert (await ask(chunks(b"x" * 60, b"x" * 60), headers=headers, to=small))[0].status == 413
    assert (await ask(GREETS, headers=headers))[0].status == 200


async def test_a_client_that_goes_away_gets_no_answer_and_runs_nothing() -> None:
    client = Client([*chunks(GREETS[:5], b"")[:1], {"type": "http.disconnect"}])
    await handler({"type": "http", "method": "POST", "headers": []}, client.receive, client.send)
    assert client.sent == []


async def test_the_traceback_goes_to_the_log_and_never_over_the_wire(caplog: pytest.LogCaptureFixture) -> None:
    answer, _ = await ask(request_for("example/fails", typed(StringType, "x")))
    assert b"Traceback" not in answer.body
    assert b"application.py" not in answer.body
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("statefun", "ERROR")
    assert "Traceback" in caplog.text
    assert "application.py" in caplog.text


@pytest.mark.parametrize(("function", "level"), [("later", "INFO"), ("rejects", "WARNING")])
async def test_what_a_function_answers_on_purpose_is_logged_without_a_traceback(
    function: str, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="statefun")
    await ask(request_for(f"example/{function}", typed(StringType, "x")))
    assert [(record.levelname, record.exc_info) for record in caplog.records] == [(level, None)]


async def test_retry_after_is_in_whole_seconds_and_never_too_early() -> None:
    answer, _ = await ask(request_for("example/later", typed(StringType, "x")))
    assert answer.headers[b"retry-after"] == b"3"


async def test_the_life_of_the_server_is_acknowledged() -> None:
    client = Client([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    await handler({"type": "lifespan"}, client.receive, client.send)
    assert [event["type"] for event in client.sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_a_websocket_is_refused() -> None:
    client = Client([])
    with pytest.raises(ValueError, match="not websocket"):
        await handler({"type": "websocket"}, client.receive, client.send)
