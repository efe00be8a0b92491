"""What function servers of each language do in their own way; docs/reference/compatibility.md tells of it."""

import http.client
import json
import subprocess
from pathlib import Path

import pytest

from statefun.protocol.request_reply_pb2 import FromFunction, ToFunction, TypedValue
from tests.conformance.languages import LANGUAGES, PRESENT, Language, LanguageServer
from tests.conformance.replies import Request, ask
from tests.protocol.generate import request, value_of

pytestmark = [pytest.mark.slow, pytest.mark.conformance, pytest.mark.timeout(300)]
ELSEWHERE = request("another/function", [value_of("int", 1)])
WRONG = {
    "a GET": Request(method="GET", headers={}),
    "no body": Request(),
    "no message": Request(b"\xff\xff\xff"),
    "another content type": Request(ELSEWHERE, headers={"Content-Type": "application/json"}),
    "an unknown function": Request(ELSEWHERE),
}
STATUSES = {
    "go": (405, 400, 500, 415, 500),
    "javascript": (500, 500, 500, 500, 500),
    "java": (200, 200, 500, 500, 500),
    "python": (405, 400, 500, 415, 500),
    "existing-python": (501, 500, 500, 500, 500),
}
"""Of the requests above, by the SDK or the small program around it."""
NO_EFFECTS = b"\xa2\x06\x00"
EMPTY_REPLIES = {
    "go": NO_EFFECTS,
    "javascript": NO_EFFECTS,
    "java": NO_EFFECTS,
    "python": b"",
    "existing-python": b"",
}
NEVER = FromFunction.ExpirationSpec.NONE
AFTER_WRITE = FromFunction.ExpirationSpec.AFTER_WRITE
AFTER_INVOKE = FromFunction.ExpirationSpec.AFTER_INVOKE
ANSWERING = ("javascript", "java")
"""The languages whose servers have a function that answers its caller."""
STATES = ("journal", "scratch", "bool", "int", "long", "float", "double", "string", "json")


@pytest.fixture
def server(language: Language, tmp_path: Path) -> LanguageServer:
    return LanguageServer(tmp_path, language)


@pytest.mark.parametrize("language", PRESENT, ids=lambda language: language.name)
def test_wrong_requests_are_answered_by_each_in_its_own_way_and_harm_none(
    language: Language, server: LanguageServer
) -> None:
    try:
        server.start()
        statuses = tuple(ask(server.port, wrong).status for wrong in WRONG.values())
        right = ask(server.port, Request(request(language.typename, [value_of("int", 1)])))
    finally:
        server.kill()
    assert statuses == STATUSES[language.name]
    assert right.status == 200
    assert right.meaning is not None
    assert right.meaning["missing"]


@pytest.mark.parametrize("language", PRESENT, ids=lambda language: language.name)
def test_no_effects_are_an_empty_result_or_no_bytes_at_all(language: Language, server: LanguageServer) -> None:
    body = request(language.typename, [], state=dict.fromkeys(STATES))
    try:
        server.start()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.request("POST", "/statefun", body, {"Content-Type": "application/octet-stream"})
        response = connection.getresponse()
        reply = response.read()
        connection.close()
    finally:
        server.kill()
    assert (response.status, reply) == (200, EMPTY_REPLIES[language.name])


@pytest.mark.parametrize("language", [each for each in PRESENT if each.name in ANSWERING], ids=lambda each: each.name)
def test_a_caller_is_known_a_negative_delay_is_written_and_expirations_are_told(
    language: Language, server: LanguageServer
) -> None:
    typename, caller = f"{language.name}/answer", "some/function"
    message = ToFunction.FromString(request(typename, [value_of("string", "x")]))
    sender = message.invocation.invocations[0].caller
    (sender.namespace, sender.type), sender.id = caller.split("/"), "me"
    try:
        server.start()
        asked = ask(server.port, Request(message.SerializeToString())).meaning
        for state in ("called", "written", "kept"):
            message.invocation.state.add(state_name=state).state_value.CopyFrom(TypedValue())
        answered = ask(server.port, Request(message.SerializeToString())).meaning
    finally:
        server.kill()
    string = "io.statefun.types/string"
    assert asked is not None
    assert answered is not None
    assert asked["missing"] == [
        ("called", string, AFTER_INVOKE, 1000),
        ("kept", string, NEVER, 0),
        ("written", string, AFTER_WRITE, 1000),
    ]
    [(target, (_, _, value), delay, is_cancellation, _)] = answered["delayed"]
    assert (target, value, delay, is_cancellation) == (("some", "function", "me"), b"\n\x01x", -1000, False)


@pytest.mark.parametrize("language", PRESENT, ids=lambda language: language.name)
def test_no_failure_of_a_function_says_when_to_come_again(language: Language, server: LanguageServer) -> None:
    order = json.dumps({"id": 1, "commands": [{"kind": "fail"}]}).encode()
    argument = TypedValue(typename="conformance/Message", has_value=True, value=order)
    body = request(language.typename, [argument], state=dict.fromkeys(STATES))
    answers: list[tuple[int, str | None]] = []
    try:
        server.start()
        for _ in ("it fails", "it fails no more"):
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            connection.request("POST", "/statefun", body, {"Content-Type": "application/octet-stream"})
            response = connection.getresponse()
            response.read()
            answers.append((response.status, response.headers["Retry-After"]))
            connection.close()
    finally:
        server.kill()
    assert answers == [(500, None), (200, None)]


def test_the_javascript_sdk_has_neither_long_nor_double() -> None:
    [javascript] = [language for language in LANGUAGES if language.name == "javascript"]
    assert not javascript.missing_tools(), f"not on the path: {', '.join(javascript.missing_tools())}"
    script = "console.log(Object.getOwnPropertyNames(require('apache-flink-statefun').StateFun).join(' '))"
    printed = subprocess.run(
        ["node", "-e", script], cwd=javascript.built(), capture_output=True, text=True, check=True, timeout=30
    ).stdout
    types = {name for name in printed.split() if name.endswith("Type")}
    assert types == {"intType", "stringType", "booleanType", "floatType", "jsonType", "protoType", "customType"}
