"""What an HTTP response says about the batch it answers."""

import zlib
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from statefun_runtime.endpoint.codec import decode_reply
from statefun_runtime.endpoint.response import Response
from statefun_runtime.interfaces import Failure, FailureKind, Reply

MAX_RETRY_AFTER = 3_600_000
"""Milliseconds. A function that asks for more is asked again after this time."""

_TRANSIENT_STATUSES = frozenset({408, 409, 420, 429, 499})
_TEXT_LENGTH = 500
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
_RAW_DEFLATE = -zlib.MAX_WBITS


class ContentError(ValueError):
    """A body is not what its Content-Encoding says, or too large once decoded."""


def interpret(response: Response, max_bytes: int, now: int) -> Reply:
    """The reply in `response`. `max_bytes` bounds its decompressed body; `now` is the wall clock's time in ms."""
    status = _status(response)
    if 200 <= status < 300:
        try:
            return decode_reply(decode_content(response, max_bytes))
        except ContentError as error:
            return Failure(FailureKind.PERMANENT, f"answered {status}, but {error}")
    if status in _TRANSIENT_STATUSES or status >= 500:
        retry_after = parse_retry_after(response.headers.get(b"retry-after"), now)
        return Failure(FailureKind.TRANSIENT, f"answered {status}{_explanation(response)}", retry_after)
    if 300 <= status < 400:
        location = _printable(response.headers.get(b"location", b"nowhere"))
        return Failure(
            FailureKind.PERMANENT, f"answered {status}, a redirect to {location}, and redirects are not followed"
        )
    return Failure(FailureKind.PERMANENT, f"answered {status}{_explanation(response)}")


def decode_content(response: Response, max_bytes: int) -> bytes:
    """The body without its content encoding. Raises ContentError."""
    window = _window(response)
    return response.body if window is None else _inflate(response.body, window, max_bytes)


def _status(response: Response) -> int:
    """The status. Without a body it may be the error that only a header `Status` tells of.

    Apache's Java examples on Undertow answer 200 with `Status: 500` when a function failed.
    """
    if response.body or response.status >= 300:
        return response.status
    told = response.headers.get(b"status", b"")[:3]
    return int(told) if told.isdigit() and 400 <= int(told) < 600 else response.status


def _window(response: Response) -> int | None:
    """How zlib reads the body; `None` if it is not compressed."""
    encoding = response.headers.get(b"content-encoding", b"").strip().lower()
    body = response.body
    if encoding in {b"", b"identity"} or not body:
        return None
    if encoding in {b"gzip", b"x-gzip"}:
        return _GZIP_OR_ZLIB
    if encoding == b"deflate":
        # By its RFC "deflate" is in zlib's format; some servers send it bare.
        is_zlib = body[0] & 0x0F == 8 and int.from_bytes(body[:2]) % 31 == 0
        return _GZIP_OR_ZLIB if is_zlib else _RAW_DEFLATE
    raise ContentError(f"its content encoding {_printable(encoding)} was not asked for")


def _inflate(body: bytes, window: int, max_bytes: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    rest = body
    while rest:
        stream = zlib.decompressobj(window)
        try:
            part = stream.decompress(rest, max_bytes + 1 - size)
        except zlib.error as error:
            raise ContentError(f"its body cannot be decompressed ({error})") from None
        parts.append(part)
        size += len(part)
        if size > max_bytes:
            raise ContentError(f"the decompressed reply is larger than {max_bytes} bytes")
        if not stream.eof:
            raise ContentError("its compressed body ends too early")
        rest = stream.unused_data
    return b"".join(parts)


def parse_retry_after(value: bytes | None, now: int) -> int | None:
    """Milliseconds to wait, from a Retry-After header in seconds or as a date; `None` if there is no sound one."""
    if value is None:
        return None
    text = value.decode("latin-1").strip()
    if text.isascii() and text.isdigit():
        # More digits than any sane number of seconds are not worth converting.
        return MAX_RETRY_AFTER if len(text) > 9 else min(int(text) * 1000, MAX_RETRY_AFTER)
    try:
        date = parsedate_to_datetime(text)
        moment = date if date.tzinfo else date.replace(tzinfo=UTC)
        wait = moment - datetime.fromtimestamp(now / 1000, UTC)
    except (ValueError, OverflowError):
        return None
    return min(max(int(wait.total_seconds() * 1000), 0), MAX_RETRY_AFTER)


def _explanation(response: Response) -> str:
    """The beginning of the body as text, for a person to read."""
    body, length = response.body, 4 * _TEXT_LENGTH
    try:
        window = _window(response)
        start = body[:length] if window is None else zlib.decompressobj(window).decompress(body, length)
    except (ContentError, zlib.error) as error:
        return f" (its text cannot be read: {error})"
    text = _printable(start)[:_TEXT_LENGTH].strip()
    return f": {text}" if text else ""


def _printable(data: bytes) -> str:
    text = data.decode("utf-8", errors="replace")
    return "".join(character if character.isprintable() else " " for character in text)
