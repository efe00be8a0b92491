"""The handler as an AWS Lambda function, behind a function URL or API Gateway (payload formats 1.0 and 2.0)."""

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from statefun.handler import RequestReplyHandler
from statefun.http_reply import OCTET_STREAM, HttpReply, failure, refusal, success

LambdaHandler: TypeAlias = Callable[[Mapping[str, Any], object], dict[str, Any]]
"""(event, Lambda's context) -> response."""

MAX_PAYLOAD_BYTES: Final = 6 * 1024 * 1024
"""The most that Lambda passes to a synchronous invocation, so the most that a body can have."""


def aws_lambda(handler: RequestReplyHandler) -> LambdaHandler:
    """Make a Lambda function of a handler; name it in a module for Lambda to find it.

    The status codes are those of the ASGI application. API Gateway REST APIs must list `application/octet-stream`
    among their binary media types, or bodies arrive damaged.
    """

    def lambda_handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
        return _response(_answer(handler, event))

    return lambda_handler


def _answer(handler: RequestReplyHandler, event: Mapping[str, Any]) -> HttpReply:
    body = _body(event)
    refused = refusal(_method(event), _content_type(event), len(body), MAX_PAYLOAD_BYTES)
    if refused is not None:
        return refused
    try:
        return success(handler.handle_sync(body))
    except Exception as error:  # noqa: BLE001  (this is the boundary: it becomes an answer and a log line)
        return failure(body, error)


def _method(event: Mapping[str, Any]) -> str:
    if "httpMethod" in event:
        return str(event["httpMethod"])
    http: Mapping[str, Any] = event.get("requestContext", {}).get("http", {})
    return str(http.get("method", ""))


def _content_type(event: Mapping[str, Any]) -> str | None:
    headers: Mapping[str, str] = event.get("headers") or {}
    for name, value in headers.items():
        if name.lower() == "content-type":
            return value
    return None


def _body(event: Mapping[str, Any]) -> bytes:
    body: str = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return body.encode(errors="replace")
    try:
        return base64.b64decode(body, validate=True)
    except ValueError:
        # It is no request in either reading; the handler says so.
        return body.encode(errors="replace")


def _response(reply: HttpReply) -> dict[str, Any]:
    binary = dict(reply.headers)["content-type"] == OCTET_STREAM
    return {
        "statusCode": reply.status,
        "headers": dict(reply.headers),
        "body": base64.b64encode(reply.body).decode() if binary else reply.body.decode(),
        "isBase64Encoded": binary,
    }
