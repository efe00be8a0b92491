"""The Java SDK behind Undertow, as in Apache's Java examples: its answers to wrong requests, and what comes of them."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conformance.languages import LANGUAGES, LanguageServer
from tests.conformance.replies import CLOSED, Request, ask
from tests.e2e.command import Runtime, statefun, wait_until
from tests.protocol.generate import request, value_of

pytestmark = [pytest.mark.slow, pytest.mark.conformance, pytest.mark.timeout(300)]
UNDERTOW = replace(next(each for each in LANGUAGES if each.name == "java"), name="undertow", folder="undertow")
ATTEMPTS = 3
SETTINGS = ("--retry-max", "50 ms", "--max-attempts", str(ATTEMPTS), "--max-age", "100 ms")
MODULE = """
kind: io.statefun.playground.v1/ingress
spec: {{port: {ingress}}}
---
kind: io.statefun.endpoints.v2/http
spec: {{functions: undertow/*, urlPathTemplate: "http://127.0.0.1:{undertow}/{{function.name}}"}}
---
kind: io.statefun.file.v1/egress
spec: {{id: undertow/out, path: {records}}}
"""
TOO_LARGE = "x" * 100_000
"""More than the server takes."""


def asked(text: str = "", function: str = "undertow/status") -> bytes:
    return request(function, [value_of("string", text)])


ANSWERS = {
    "a GET": (Request(method="GET", headers={}), {200}),
    "no body": (Request(), {200}),
    "no message": (Request(b"\xff\xff\xff"), {500}),
    "another content type": (Request(asked(), headers={"Content-Type": "application/json"}), {200}),
    "an unknown function": (Request(asked(function="undertow/nowhere")), {500}),
    "a function that fails": (Request(asked("fail")), {500}),
    "a function that fails, told by a header": (Request(asked("fail"), path="/header"), {200}),
    "a body that is too large": (Request(asked(TOO_LARGE)), {500, CLOSED}),
    "a chunked body that is too large": (Request(asked(TOO_LARGE), chunked=True), {500, CLOSED}),
}
"""The server closes the connection below a body that is too large; the client may still be writing then."""


@pytest.fixture
def undertow(tmp_path: Path) -> Iterator[LanguageServer]:
    assert not UNDERTOW.missing_tools(), f"not on the path: {', '.join(UNDERTOW.missing_tools())}"
    server = LanguageServer(tmp_path, UNDERTOW)
    try:
        server.start()
        yield server
    finally:
        server.kill()


@pytest.fixture
def runtime(tmp_path: Path, undertow: LanguageServer) -> Iterator[Runtime]:
    module = tmp_path / "module.yaml"
    runtime = Runtime(tmp_path, str(module))
    ports = {"ingress": runtime.ingress_port, "undertow": undertow.port}
    module.write_text(MODULE.format(**ports, records=tmp_path / "records"))
    try:
        yield runtime.start(*SETTINGS)
    finally:
        runtime.kill()


def test_undertow_answers_wrong_requests_in_its_own_way(undertow: LanguageServer) -> None:
    answered = {name: ask(undertow.port, wrong).status for name, (wrong, _) in ANSWERS.items()}
    assert [name for name, (_, statuses) in ANSWERS.items() if answered[name] not in statuses] == [], answered
    right = ask(undertow.port, Request(asked("hello"))).meaning
    assert right is not None
    assert len(right["egress"]) == 1


def send(runtime: Runtime, target: str, text: str) -> None:
    options = ("--type", "io.statefun.types/string", "--url", runtime.url)
    sent = statefun("send", target, json.dumps(text), *options)
    assert sent.returncode == 0, sent.stderr


def parked(runtime: Runtime) -> dict[str, str]:
    """Why, by address."""
    listed = statefun("parked", "list", "--data", str(runtime.data))
    assert listed.returncode == 0, listed.stderr
    return {address: why for address, _, why in (line.partition(" ") for line in listed.stdout.splitlines())}


def test_a_call_that_undertow_refuses_is_repeated_and_then_parks_its_address_alone(
    runtime: Runtime, tmp_path: Path
) -> None:
    refused = {
        "undertow/status/failing": "it fails, as it was told to",
        "undertow/header/failing": "answered 500",
        "undertow/nowhere/unknown": "Unknown target type",
        "undertow/status/large": "",
    }
    send(runtime, "undertow/status/failing", "fail")
    send(runtime, "undertow/header/failing", "fail")
    send(runtime, "undertow/nowhere/unknown", "")
    send(runtime, "undertow/status/large", TOO_LARGE)
    send(runtime, "undertow/status/right", "hello")
    wait_until(lambda: parked(runtime).keys() == refused.keys(), "the parking of what is refused")
    for address, why in parked(runtime).items():
        attempts = re.search(r"(\d+) attempts", why)
        assert attempts is not None, why
        assert int(attempts[1]) >= ATTEMPTS, why
        assert refused[address] in why
    wait_until(lambda: len((tmp_path / "records").read_text().splitlines()) == 1, "the record of the right call")
