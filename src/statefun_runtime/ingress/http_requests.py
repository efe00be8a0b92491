"""Requests over HTTP that the runtime answers by what becomes of their message: with a key, and calls."""

import hashlib
import math
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from aiohttp import web

from statefun_runtime.answer import Answer, AnswerKind
from statefun_runtime.http_server import HttpError
from statefun_runtime.ingress.reply_body import reply_body
from statefun_runtime.interfaces import AdapterContext, Arrival, Request

KEY_HEADER: Final = "Idempotency-Key"
TYPE_HEADER: Final = "Statefun-Type"
"""The header of a response with the typename of the reply."""
CALL_SUFFIX: Final = "/call"
BATCH_PATH: Final = "/batch"
_CALL_METHODS: Final = ("POST", "PUT")
_MAX_KEY: Final = 255
TRY_LATER: Final = {"Retry-After": "1"}


def called_path(request: web.Request) -> str | None:
    """The path of the target if the request is a call, `/<namespace>/<type>/<id>/call`; else None."""
    path = request.rel_url.raw_path
    return path[: -len(CALL_SUFFIX)] if path.endswith(CALL_SUFFIX) and path.count("/") == 4 else None


def request_of(request: web.Request, body: bytes, arrivals: Sequence[Arrival], *, awaits_reply: bool) -> Request:
    """What is asked of the runtime. Raises HttpError if the key is none."""
    key = request.headers.get(KEY_HEADER)
    if key is None:
        return Request(arrivals, awaits_reply, None)
    if not (0 < len(key) <= _MAX_KEY and key.isprintable()):
        raise HttpError(400, f"{KEY_HEADER} must have 1 to {_MAX_KEY} printable characters")
    kind = "call" if awaits_reply else "send"
    content_type = request.headers.get("Content-Type", "").encode()
    fingerprint = hashlib.sha256(b"%d %b%b" % (len(content_type), content_type, body)).hexdigest()
    typename, identifier = arrivals[0].target
    what = "batch" if request.rel_url.path == BATCH_PATH else f"{typename} {identifier}"
    return Request(arrivals, awaits_reply, key, f"{kind} {what}", fingerprint)


class HttpRequests:
    """Asks the runtime, and puts its answer into HTTP."""

    def __init__(self, context: AdapterContext) -> None:
        self._requests = context.requests
        self._timeout = context.reply_timeout
        self._max_timeout = context.max_reply_timeout

    def check_call(self, request: web.Request) -> float:
        """The seconds that a call may wait for its reply. Raises HttpError if it is no call that can be made."""
        if request.method not in _CALL_METHODS:
            raise HttpError(405, "a call is made by POST or PUT", {"Allow": ", ".join(_CALL_METHODS)})
        text = request.rel_url.query.get("timeout")
        if text is None:
            return self._timeout
        try:
            seconds = float(text)
        except ValueError:
            seconds = math.nan
        if not 0 < seconds <= self._max_timeout:
            raise HttpError(400, f"timeout must be more than 0 and at most {self._max_timeout:g} seconds")
        return seconds

    async def ask(self, request: Request, seconds: float | None) -> web.Response:
        """Hand in a request and wait for its answer; `seconds` bound the wait of a call."""
        if self._requests is None:
            raise HttpError(501, "calls and keys need the runtime; this ingress was started without it")
        try:
            return _response(await self._requests.ask(request, seconds))
        except TimeoutError as error:
            hint = "; ask again with the same key" if request.key else f"; with an {KEY_HEADER} it could be asked for"
            raise HttpError(504, f"no reply within {seconds:g} s; what is under way goes on{hint}") from error


def _response(answer: Answer) -> web.Response:
    if answer.kind is AnswerKind.REPLIED:
        typename, body, content_type = reply_body(answer.payload)
        headers = {TYPE_HEADER: typename if typename.isascii() and typename.isprintable() else quote(typename)}
        return web.Response(body=body, content_type=content_type, headers=headers)
    if answer.kind is AnswerKind.ACCEPTED:
        return web.Response(status=202)
    raise _error(answer)


def _error(answer: Answer) -> HttpError:
    match answer.kind:
        case AnswerKind.CONFLICT:
            return HttpError(422, f"{answer.reason}; take another {KEY_HEADER} for another message")
        case AnswerKind.PARKED:
            return HttpError(503, f"the message waits, since its target is parked: {answer.reason}")
        case AnswerKind.REFUSED:
            return HttpError(503, f"the message was not taken, since its target is parked: {answer.reason}")
        case AnswerKind.DEAD_LETTER:
            return HttpError(500, f"the message was put aside: {answer.reason}")
        case _:
            return HttpError(503, answer.reason, TRY_LATER)
