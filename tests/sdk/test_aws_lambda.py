"""The handler as an AWS Lambda function behind each of the ways in."""

import base64
import json
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from statefun import StringType, aws_lambda
from statefun.aws_lambda import MAX_PAYLOAD_BYTES
from statefun.protocol.request_reply_pb2 import FromFunction
from tests.sdk.application import handler
from tests.sdk.calls import request_for, typed
from tests.sdk.lambda_events import EVENTS, function_url, rest_api

Event: TypeAlias = Callable[..., dict[str, Any]]

entry = aws_lambda(handler)
GREETS = request_for("example/greets", typed(StringType, "Zoë"))
EVERY_EVENT = pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)


def sent(body: str) -> Any:
    return FromFunction.FromString(base64.b64decode(body)).invocation_result.outgoing_messages[0].argument


@EVERY_EVENT
def test_a_request_is_answered_in_base64(event: Event) -> None:
    answer = entry(event(GREETS), None)
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, True)
    assert answer["headers"] == {"content-type": "application/octet-stream"}
    assert sent(answer["body"]) == typed(StringType, "hi Zoë")
    assert json.loads(json.dumps(answer)) == answer


@EVERY_EVENT
@pytest.mark.parametrize(
    ("function", "status", "reason"),
    [
        ("fails", 500, "example/fails, id 'me': LookupError: no such thing"),
        ("nobody", 500, "there is no function example/nobody"),
        ("later", 503, "the warehouse is closed"),
        ("rejects", 422, "poison"),
    ],
)
def test_a_failure_is_answered_in_text(event: Event, function: str, status: int, reason: str) -> None:
    answer = entry(event(request_for(f"example/{function}", typed(StringType, "x"))), None)
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (status, False)
    assert reason in answer["body"]
    assert "Traceback" not in answer["body"]
    assert answer["headers"].get("retry-after") == ("3" if status == 503 else None)


def test_no_effects_are_an_empty_body() -> None:
    answer = entry(function_url(request_for("example/nothing", typed(StringType, "x"))), None)
    assert (answer["statusCode"], answer["body"]) == (200, "")


@EVERY_EVENT
def test_another_method_is_405_and_an_empty_body_400(event: Event) -> None:
    assert entry(event(GREETS, method="GET"), None)["statusCode"] == 405
    assert entry({**event(b""), "body": None, "isBase64Encoded": False}, None)["statusCode"] == 400


@EVERY_EVENT
def test_another_content_type_is_415_however_its_header_is_written(event: Event) -> None:
    for name in ("content-type", "Content-Type", "CONTENT-TYPE"):
        answer = entry({**event(GREETS), "headers": {name: "application/json"}}, None)
        assert answer["statusCode"] == 415


@pytest.mark.parametrize("headers", [None, {}])
def test_no_content_type_is_taken_for_the_right_one(headers: dict[str, str] | None) -> None:
    assert entry({**rest_api(GREETS), "headers": headers}, None)["statusCode"] == 200


@pytest.mark.parametrize(
    ("body", "is_base64"),
    [
        ("not base64!", True),
        ("YQ", True),
        ("\N{REPLACEMENT CHARACTER}", True),
        ("\ud800", False),
        # A gateway that does not take the content type for binary sends text, and no request is valid text.
        (GREETS.decode(errors="replace"), False),
    ],
)
def test_a_damaged_body_is_500(body: str, is_base64: bool) -> None:
    answer = entry({**rest_api(b""), "body": body, "isBase64Encoded": is_base64}, None)
    assert (answer["statusCode"], "ToFunction" in answer["body"]) == (500, True)


def test_a_body_beyond_lambdas_own_limit_is_413() -> None:
    assert entry(function_url(bytes(MAX_PAYLOAD_BYTES + 1)), None)["statusCode"] == 413


def test_an_event_of_another_kind_is_refused() -> None:
    answer = entry({"Records": [{"eventSource": "aws:sqs", "body": "x"}]}, None)
    assert (answer["statusCode"], "POST" in answer["body"]) == (405, True)
