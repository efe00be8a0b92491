"""What both servers are asked: what the rules of HTTP and of the protocol can tell apart, by name."""

from collections.abc import Iterator
from typing import Any

from statefun.protocol.request_reply_pb2 import ToFunction
from tests.conformance.replies import OCTET_STREAM, Request
from tests.protocol.application import STATES
from tests.protocol.generate import (
    VALUES,
    named_requests,
    random_requests,
    request,
    script,
    value_of,
)

ONE = request("golden/counter", [value_of("int", 1)], state={"seen": value_of("int", 7)})
BIG = request("golden/primitives", [value_of("string", "x" * (33 * 1024 * 1024))])
WITHIN_LIMITS = request("golden/primitives", [value_of("string", "x" * (4 * 1024 * 1024))])
NOT_JSON = (b"NaN", b"Infinity")
"""What Python's JSON has and no other."""


def http_requests() -> dict[str, Request]:
    """Requests that differ in what surrounds their body."""
    typed = {"Content-Type": OCTET_STREAM}
    return {
        "a request": Request(ONE),
        "a request to another path": Request(ONE, path="/any/where?at=all"),
        "a request without a content type": Request(ONE, headers={}),
        "a chunked request": Request(ONE, chunked=True),
        "a content type with a parameter": Request(ONE, headers={"Content-Type": f"{OCTET_STREAM}; v=1"}),
        "a content type in capitals": Request(ONE, headers={"Content-Type": OCTET_STREAM.upper()}),
        "another content type": Request(ONE, headers={"Content-Type": "application/json"}),
        "an encoded request": Request(ONE, headers={**typed, "Accept-Encoding": "gzip,deflate"}),
        "a GET": Request(method="GET", headers={}),
        "a HEAD": Request(method="HEAD", headers={}),
        "a PUT": Request(ONE, method="PUT"),
        "a DELETE": Request(method="DELETE", headers={}),
        "an OPTIONS": Request(method="OPTIONS", headers={}),
        "a GET of the health": Request(method="GET", headers={}, path="/healthz"),
        "no body": Request(b""),
        "a chunked request without a body": Request(b"", chunked=True),
        "a body that is no message": Request(b"\xff\xff\xff"),
        "a body that is cut off": Request(ONE[:-1]),
        "a body that holds no invocation": Request(b"\x10\x01"),
        "a body of 4 MiB": Request(WITHIN_LIMITS),
        "a body of 33 MiB": Request(BIG),
    }


def protocol_requests() -> dict[str, bytes]:
    """Requests that differ in what their body says."""
    named = named_requests()
    del named["empty body"], named["bytes that do not parse"]
    return {**named, **state_requests(), **effect_requests()}


def state_requests() -> dict[str, bytes]:
    finite: dict[str, Any] = {**{name: VALUES[kind][-1] for name, kind in STATES.items()}, "rough": 1.5, "exact": 0.1}
    return {
        "a batch of a hundred messages": request(
            "golden/counter", [value_of("int", 1)] * 100, state={"seen": value_of("int", 0)}
        ),
        "a batch of no message, states missing": request("golden/script", []),
        "a function without a state": request("golden/primitives", [value_of("string", "x")]),
        "a target without an id": request("golden/primitives", [value_of("int", 1)], target_id=""),
        "a sum beyond 32 bits": request(
            "golden/counter", [value_of("int", 1)], state={"seen": value_of("int", 2**31 - 1)}
        ),
        **{
            f"the state {name} is stored, read, removed and stored": script(
                ["store", name, value], ["echo", name], ["remove", name], ["echo", name], ["store", name, value]
            )
            for name, value in finite.items()
        },
        **{
            f"the state {name} that was there is read and removed": script(
                ["echo", name], ["remove", name], state={name: value_of(STATES[name], value)}
            )
            for name, value in finite.items()
        },
    }


def effect_requests() -> dict[str, bytes]:
    return {
        "a negative delay": script(["send_after", -1, "t", "golden/next", "id", "int", 1]),
        "a cancellation with an empty token": script(["cancel", ""]),
        "Kinesis: an empty partition key": script(["kinesis", "", None, None, "value"]),
        "effects of every kind": script(
            ["send", "golden/next", "id", "string", "ü"],
            ["send_after", 5, "t", "golden/next", "id", "long", 2**40],
            ["cancel", "t"],
            ["kafka", "key", None, "value"],
            ["kinesis", "key", "1", None, "value"],
            ["egress", "golden/egress", "blob", "00ff"],
            ["store", "text", "stored"],
            ["remove", "flag"],
        ),
        "effects before a failure": script(["send", "golden/next", "id", "int", 1], ["fail", "on purpose"]),
    }


def random_comparable_requests(seed: int, count: int) -> Iterator[bytes]:
    """Random requests, without what is a difference by itself."""
    for body in random_requests(seed, count):
        if not any(text in body for text in NOT_JSON) and _is_comparable(ToFunction.FromString(body)):
            yield body


def _is_comparable(parsed: ToFunction) -> bool:
    batch = parsed.invocation
    overflow = value_of("int", 2**31 - 1) in [state.state_value for state in batch.state if state.state_name == "seen"]
    return not overflow and all(one.argument.has_value and "/" not in one.caller.type for one in batch.invocations)
