"""An HTTP response taken in piece by piece, without a socket.

Only a response that ends by its own framing, Content-Length or the final chunk, is ever complete: an end of the
connection says nothing about whether the server meant to say more.
"""

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from statefun_runtime.endpoint.repeated_head import RepeatedHead
from statefun_runtime.interfaces import FailureKind

MAX_HEAD_BYTES = 64 * 1024
"""For the head of a response, interim responses included."""

_CHUNK_OVERHEAD = 8
"""Bytes of framing that a byte of body may cost: one in a chunk of its own costs five."""

_KEPT = frozenset(
    {b"content-encoding", b"content-length", b"location", b"retry-after", b"status", b"transfer-encoding"}
)
_BODILESS = frozenset({204, 304})


class ResponseError(Exception):
    """There will be no response. `kind` says whether asking again can help."""

    def __init__(self, reason: str, kind: FailureKind = FailureKind.TRANSIENT) -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind


class Response:
    """A complete response. `headers` holds those that matter here, in lower case. `body` is as it came."""

    __slots__ = ("body", "headers", "keep_alive", "status")

    def __init__(self, status: int, headers: dict[bytes, bytes], body: bytes, *, keep_alive: bool) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.keep_alive = keep_alive


class ResponseParser:
    """The responses of one connection, one after the other."""

    def __init__(self, max_body: int) -> None:
        self._max_body = max_body
        self._parser: HttpResponseParser | None = HttpResponseParser(self)
        self._repeated = RepeatedHead()
        self._repeated_headers: dict[bytes, bytes] = {}
        self._received = 0
        self._begin()

    def expect(self) -> None:
        """A request was sent: the next bytes are its response."""
        self._received = 0

    def close(self) -> None:
        """Let go of the parser, which holds its callbacks and so would wait for the garbage collector."""
        self._parser = None

    @property
    def started(self) -> bool:
        """Whether a byte of the response has come."""
        return self._received > 0

    def feed(self, data: bytes) -> Response | None:
        """Take bytes in; return the response once it is complete. Raises ResponseError; nothing may follow that."""
        parser = self._parser
        if parser is None:
            raise ResponseError("the connection is closed")
        if self._received:
            return self._parse(parser, data)
        body = self._repeated.body_of(data)
        if body is not None and len(body) <= self._max_body:
            self._received = len(data)
            return Response(200, self._repeated_headers, body, keep_alive=True)
        self._begin()
        response = self._parse(parser, data)
        if response is not None and response.status == 200 and response.keep_alive:
            self._repeated.learn(data, response.body)
            self._repeated_headers = response.headers
        return response

    def _parse(self, parser: HttpResponseParser, data: bytes) -> Response | None:
        self._received += len(data)
        try:
            parser.feed_data(data)
        except HttpParserUpgrade:
            raise ResponseError("the server switched to another protocol") from None
        except HttpParserError as error:
            if self._response is None and self._error is None:
                raise ResponseError(f"the response is not HTTP: {error}") from None
            self._surplus = True
        if self._error is not None:
            raise self._error
        response = self._response
        if response is None:
            self._check_overhead()
        elif self._surplus:
            response.keep_alive = False
        return response

    def _check_overhead(self) -> None:
        allowed = MAX_HEAD_BYTES + (_CHUNK_OVERHEAD * self._size if self._head_complete else 0)
        if self._received - self._size > allowed:
            raise ResponseError(f"the response has more than {MAX_HEAD_BYTES} bytes of headers")

    def _begin(self) -> None:
        self._error: ResponseError | None = None
        self._response: Response | None = None
        self._head_complete = False
        self._surplus = False
        self._reset()

    def _reset(self) -> None:
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._size = 0
        self._status = 0

    # ------------------------------------------------------------------------------------------- callbacks of httptools

    def on_message_begin(self) -> None:
        if self._response is not None:
            self._surplus = True
        else:
            self._reset()

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name in _KEPT and not self._head_complete:
            known = self._headers.get(name)
            self._headers[name] = value if known is None else known + b", " + value

    def on_headers_complete(self) -> None:
        if self._parser is None or self._response is not None:
            return
        self._status = status = self._parser.get_status_code()
        if status < 200:
            return
        self._head_complete = True
        headers = self._headers
        length = headers.get(b"content-length")
        if length is None:
            coding = headers.get(b"transfer-encoding", b"").lower()
            if coding != b"chunked" and status not in _BODILESS:
                self._error = ResponseError("the response has no length, so its end cannot be told from a failure")
        elif int(length) > self._max_body:
            self._refuse_size()

    def on_body(self, data: bytes) -> None:
        if self._error is not None or self._response is not None:
            return
        self._size += len(data)
        self._body.append(data)
        if self._size > self._max_body:
            self._refuse_size()

    def on_message_complete(self) -> None:
        if self._parser is None or self._status < 200 or self._error is not None or self._response is not None:
            return
        self._finish(keep_alive=self._parser.should_keep_alive())

    def _finish(self, *, keep_alive: bool) -> None:
        body = self._body
        whole = body[0] if len(body) == 1 else b"".join(body)
        self._response = Response(self._status, self._headers, whole, keep_alive=keep_alive)

    def _refuse_size(self) -> None:
        if 200 <= self._status < 300:
            self._error = ResponseError(f"the reply is larger than {self._max_body} bytes", FailureKind.PERMANENT)
        else:
            # The status says all that counts; the text that explains it is cut.
            self._finish(keep_alive=False)
