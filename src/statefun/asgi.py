"""The handler as an ASGI application, for any ASGI server."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, TypeAlias

from statefun.http_reply import HttpReply, failure, refusal, success

Scope: TypeAlias = MutableMapping[str, Any]
Event: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Event]]
Send: TypeAlias = Callable[[Event], Awaitable[None]]
Handle: TypeAlias = Callable[[bytes], Awaitable[bytes]]


async def serve(handle: Handle, limit: int, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one ASGI scope: an HTTP request of at most `limit` bytes, or the life of the server.

    Raises:
        ValueError: The scope is of another kind; there are no websockets here.
    """
    kind = scope["type"]
    if kind == "http":
        reply = await _answer(handle, limit, scope, receive)
        if reply is not None:
            await _send_reply(reply, send)
    elif kind == "lifespan":
        await _live(receive, send)
    else:
        raise ValueError(f"this application serves HTTP, not {kind}")


async def _answer(handle: Handle, limit: int, scope: Scope, receive: Receive) -> HttpReply | None:
    method, content_type = scope["method"], _header(scope["headers"], b"content-type")
    announced = _header(scope["headers"], b"content-length") or "1"
    refused = refusal(method, content_type, int(announced) if announced.isdecimal() else 1, limit)
    if refused is not None:
        return refused
    body = await _read_body(receive, limit)
    if body is None:
        return None
    refused = refusal(method, content_type, len(body), limit)
    if refused is not None:
        return refused
    try:
        return success(await handle(body))
    except Exception as error:  # noqa: BLE001  (this is the boundary: it becomes an answer and a log line)
        return failure(body, error)


async def _read_body(receive: Receive, limit: int) -> bytes | None:
    """The body, cut off once it is longer than `limit`; None if the client went away."""
    body = b""
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            return None
        chunk: bytes = event.get("body", b"")
        body = body + chunk if body else chunk
        if not event.get("more_body", False) or len(body) > limit:
            return body


async def _send_reply(reply: HttpReply, send: Send) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]
    headers.append((b"content-length", b"%d" % len(reply.body)))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


async def _live(receive: Receive, send: Send) -> None:
    """There is nothing to start or stop; say so."""
    while True:
        event = await receive()
        phase = event["type"]
        await send({"type": f"{phase}.complete"})
        if phase == "lifespan.shutdown":
            return


def _header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str | None:
    for key, value in headers:
        if key.lower() == name:
            return value.decode("latin-1")
    return None
