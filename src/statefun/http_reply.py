"""What a request to a function means in HTTP: the status codes of the reference SDK's handler, and three more.

Any server around the handler asks `refusal` first, then runs the handler, then answers by `success` or `failure`.
"""

import logging
import math
from typing import Final, NamedTuple

from google.protobuf.message import DecodeError

from statefun.errors import Reject, RetryLater
from statefun.protocol.request_reply_pb2 import ToFunction

OCTET_STREAM: Final = "application/octet-stream"

_LOG: Final = logging.getLogger("statefun")


class HttpReply(NamedTuple):
    """A response: header names are lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def refusal(method: str, content_type: str | None, length: int, limit: int) -> HttpReply | None:
    """The answer to a request that never reaches the handler, or None if it may.

    405 for another method than POST, 415 for a content type that is given and is another one, 413 for a body of more
    than `limit` bytes, 400 for an empty one.
    """
    if method != "POST":
        return _text(405, f"the method is {method}, it must be POST", ("allow", "POST"))
    if content_type and content_type.partition(";")[0].strip().lower() != OCTET_STREAM:
        return _text(415, f"the content type is {content_type}, it must be {OCTET_STREAM}")
    if length > limit:
        return _text(413, f"the body is longer than {limit} bytes")
    if not length:
        return _text(400, "the body is empty")
    return None


def success(reply: bytes) -> HttpReply:
    """The answer with the reply of the handler."""
    return HttpReply(200, (("content-type", OCTET_STREAM),), reply)


def failure(request: bytes, error: Exception) -> HttpReply:
    """The answer when the handler raised; the traceback goes to the log `statefun`, never over the wire.

    503 with Retry-After for `RetryLater`, 422 for `Reject`, 500 for all else. The body names the address.
    """
    reason = f"{_target(request)}: {type(error).__name__}: {error}"
    if isinstance(error, RetryLater):
        _LOG.info("a function asks to be called later: %s", reason)
        return _text(503, reason, ("retry-after", str(math.ceil(error.after.total_seconds()))))
    if isinstance(error, Reject):
        _LOG.warning("a function rejected its messages: %s", reason)
        return _text(422, reason)
    _LOG.error("a call failed: %s", reason, exc_info=error)
    return _text(500, reason)


def _target(request: bytes) -> str:
    try:
        target = ToFunction.FromString(request).invocation.target
    except DecodeError:
        return "unreadable request"
    return f"{target.namespace}/{target.type}, id {target.id!r}"


def _text(status: int, text: str, *headers: tuple[str, str]) -> HttpReply:
    return HttpReply(status, (("content-type", "text/plain; charset=utf-8"), *headers), text.encode(errors="replace"))
