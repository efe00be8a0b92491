"""HTTP requests taken in piece by piece, without a socket: the server's side."""

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from statefun.http_reply import HttpReply, refusal
from statefun_runtime.endpoint.repeated_head import RepeatedHead

HEALTH_PATH = b"/healthz"

_TEXT = ("content-type", "text/plain; charset=utf-8")
_HEALTHY = HttpReply(200, (_TEXT,), b"ok\n")


def plain(status: int, text: str) -> HttpReply:
    """An answer of one line of text."""
    return HttpReply(status, (_TEXT,), text.encode())


class Request:
    """A request that can be answered: with `reply` if there is one already, else by the handler."""

    __slots__ = ("body", "keep_alive", "method", "reply")

    def __init__(self, method: str, body: bytes, reply: HttpReply | None, *, keep_alive: bool) -> None:
        self.method = method
        self.body = body
        self.reply = reply
        self.keep_alive = keep_alive


class RequestParser:
    """The requests of one connection, in order.

    What cannot be read becomes a request with its refusal, after which `ended` is true and nothing more is read.
    """

    def __init__(self, max_head: int, max_body: int) -> None:
        self._max_head = max_head
        self._max_body = max_body
        self._parser: HttpRequestParser | None = HttpRequestParser(self)
        self._repeated = RepeatedHead()
        self._requests: list[Request] = []
        self.ended = False
        self.receiving = False
        """Whether a request has begun and is not complete."""
        self.awaits_continue = False
        """Whether the client waits to be told that it may send the body. Set to false once it was told."""
        self._begun = 0
        self._reset()

    def close(self) -> None:
        """Let go of the parser, which holds its callbacks and so would wait for the garbage collector."""
        self.ended = True
        self._parser = None

    def feed(self, data: bytes) -> list[Request]:
        """Take bytes in; return the requests that are complete now."""
        if self.ended or self._parser is None:
            return []
        if self.receiving:
            return self._parse(self._parser, data)
        body = self._repeated.body_of(data)
        if body is not None and len(body) <= self._max_body:
            return [Request("POST", body, None, keep_alive=True)]
        requests = self._parse(self._parser, data)
        if len(requests) == 1 and not self.receiving and requests[0].keep_alive and requests[0].reply is None:
            self._repeated.learn(data, requests[0].body)
        return requests

    def _parse(self, parser: HttpRequestParser, data: bytes) -> list[Request]:
        requests_before = self._begun if self.receiving and not self._head_complete else -1
        try:
            parser.feed_data(data)
        except HttpParserUpgrade:
            self.ended = True
        except HttpParserError as error:
            self.refuse(plain(400, f"this is not HTTP/1.1: {error}"))
        if requests_before == self._begun and not self._head_complete:
            # A header shows only when it is complete, so a long one is told by its bytes.
            self._unfinished_bytes += len(data)
            self._check_head()
        requests, self._requests = self._requests, []
        return requests

    def refuse(self, reply: HttpReply) -> None:
        """Answer what is being received with `reply`, and read nothing more."""
        if not self.ended:
            self.ended = True
            self._emit(reply, keep_alive=False)

    def time_out(self) -> list[Request]:
        """The request that is being received takes too long."""
        self.refuse(plain(408, "the request did not arrive in time"))
        requests, self._requests = self._requests, []
        return requests

    def _reset(self) -> None:
        self._method = ""
        self._url = b""
        self._content_type: str | None = None
        self._length: int | None = None
        self._expects = False
        self._refusal: HttpReply | None = None
        self._head_complete = False
        self._head_bytes = 0
        self._unfinished_bytes = 0
        self._body: list[bytes] = []
        self._size = 0

    def _check_head(self) -> None:
        if max(self._head_bytes, self._unfinished_bytes) > self._max_head:
            self.refuse(plain(431, f"the head of the request is longer than {self._max_head} bytes"))

    def _emit(self, reply: HttpReply | None, *, keep_alive: bool) -> None:
        body = self._body
        whole = body[0] if len(body) == 1 else b"".join(body)
        self._requests.append(Request(self._method, whole, reply, keep_alive=keep_alive))
        self.receiving = False
        self.awaits_continue = False
        self._body = []

    # ------------------------------------------------------------------------------------------- callbacks of httptools

    def on_message_begin(self) -> None:
        if not self.ended:
            self._reset()
            self._begun += 1
            self.receiving = True

    def on_url(self, url: bytes) -> None:
        if not self.ended:
            self._url += url
            self._head_bytes += len(url)
            self._check_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._head_complete or self.ended:
            return  # a trailer is no header
        self._head_bytes += len(name) + len(value)
        self._check_head()
        name = name.lower()
        if name == b"content-type":
            self._content_type = value.decode("latin-1")
        elif name == b"content-length":
            self._length = int(value)
        elif name == b"expect":
            self._expects = value.lower() == b"100-continue"

    def on_headers_complete(self) -> None:
        if self.ended or self._parser is None:
            return
        self._head_complete = True
        self._method = self._parser.get_method().decode("latin-1")
        # Without a length there may be a body; whether there is none shows at the end.
        length = 1 if self._length is None else self._length
        self._refusal = refusal(self._method, self._content_type, length, self._max_body)
        if self._refusal is not None and (self._expects or length > self._max_body):
            self.refuse(self._refusal)
        else:
            self.awaits_continue = self._expects and self._parser.get_http_version() == "1.1"

    def on_body(self, data: bytes) -> None:
        if self.ended:
            return
        self.awaits_continue = False
        self._size += len(data)
        if self._size > self._max_body:
            self._body = []
            self.refuse(refusal("POST", None, self._size, self._max_body) or plain(413, "the body is too long"))
        elif self._refusal is None:
            self._body.append(data)

    def on_message_complete(self) -> None:
        parser = self._parser
        if self.ended or parser is None:
            return
        keep_alive = parser.should_keep_alive() and parser.get_http_version() == "1.1" and not parser.should_upgrade()
        self._emit(self._answer(), keep_alive=keep_alive)

    def _answer(self) -> HttpReply | None:
        if self._method == "GET" and self._url.partition(b"?")[0] == HEALTH_PATH:
            return _HEALTHY
        if self._refusal is None and not self._size:
            return refusal(self._method, self._content_type, 0, self._max_body)
        return self._refusal
