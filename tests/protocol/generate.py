"""Requests for the application of application.py: named ones for each rule, and random ones from a seed."""

import json
import random
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from statefun.protocol.request_reply_pb2 import Address, ToFunction, TypedValue
from statefun.protocol.types_pb2 import (
    BooleanWrapper,
    DoubleWrapper,
    FloatWrapper,
    IntWrapper,
    LongWrapper,
    StringWrapper,
)
from tests.protocol.application import STATES

Operation = Sequence[Any]
State = dict[str, TypedValue | None]

UNSET: State = dict.fromkeys(STATES)
TYPENAMES = {
    "bool": "io.statefun.types/bool",
    "int": "io.statefun.types/int",
    "long": "io.statefun.types/long",
    "float": "io.statefun.types/float",
    "double": "io.statefun.types/double",
    "string": "io.statefun.types/string",
    "json": "golden/json",
    "blob": "golden/blob",
    "moment": "type.googleapis.com/google.protobuf.Timestamp",
    "moment_of_ours": "golden/google.protobuf.Timestamp",
    "backwards": "golden/backwards",
}
PRIMITIVES = ("bool", "int", "long", "float", "double", "string")
ENCODERS: dict[str, Callable[[Any], bytes]] = {
    "bool": lambda value: BooleanWrapper(value=value).SerializeToString(),
    "int": lambda value: IntWrapper(value=value).SerializeToString(),
    "long": lambda value: LongWrapper(value=value).SerializeToString(),
    "float": lambda value: FloatWrapper(value=value).SerializeToString(),
    "double": lambda value: DoubleWrapper(value=value).SerializeToString(),
    "string": lambda value: StringWrapper(value=value).SerializeToString(),
    "json": lambda value: json.dumps(value, ensure_ascii=False).encode(),
    "blob": bytes.fromhex,
    "moment": lambda value: Timestamp(seconds=value).SerializeToString(),
    "moment_of_ours": lambda value: Timestamp(seconds=value).SerializeToString(),
    "backwards": lambda value: value[::-1].encode(),
}
TEXTS = (
    "",
    " ",
    "0",
    "a",
    "naïve",
    "日本語",
    "🛒🚀",
    "e\u0301",
    "\u202eright to left",
    "\x00nul",
    "\uffff",
    "ü" * 200,
    "a/b c",
)
IDS = tuple(text for text in TEXTS if text)
# The name of a function type holds no slash: the text of a typename is split at the last one.
# Delays whose milliseconds survive the existing SDK's way over floating-point seconds.
DELAYS = tuple(ms for ms in (0, 1, 2, 10, 999, 1000, 1500, 60_000, 86_400_000, 10**10) if int(ms / 1000 * 1000.0) == ms)
VALUES: dict[str, Sequence[Any]] = {
    "bool": (True, False),
    "int": (0, 1, -1, 2**31 - 1, -(2**31), 123456),
    "long": (0, 1, -1, 2**31, 2**63 - 1, -(2**63)),
    "float": (0.0, -0.0, 1.5, -2.25, 3.4028234663852886e38, 1e-45, float("inf"), float("nan")),
    "double": (0.0, -0.0, 0.1, 1e308, 5e-324, float("-inf"), float("nan")),
    "string": TEXTS,
    "json": (None, 0, "", [], {}, [1, "ü", None, 2.5], {"b": 1, "a": {"ключ": [True, False]}}),
    "blob": ("", "00", "ff" * 40, "80"),
    "moment": (0, 1, 1_700_000_000),
    "moment_of_ours": (0, 1_700_000_000),
    "backwards": TEXTS,
}


def value_of(kind: str, value: Any) -> TypedValue:
    return TypedValue(typename=TYPENAMES[kind], has_value=True, value=ENCODERS[kind](value))


def request(
    function: str,
    arguments: Sequence[TypedValue],
    *,
    state: State | None = None,
    target_id: str = "id",
    caller: Address | None = None,
) -> bytes:
    """A request whose messages all have the same caller."""
    namespace, _, name = function.rpartition("/")
    message = ToFunction()
    message.invocation.target.CopyFrom(Address(namespace=namespace, type=name, id=target_id))
    for state_name, state_value in (state or {}).items():
        persisted = message.invocation.state.add(state_name=state_name)
        if state_value is not None:
            persisted.state_value.CopyFrom(state_value)
    for argument in arguments:
        invocation = message.invocation.invocations.add(argument=argument)
        if caller is not None:
            invocation.caller.CopyFrom(caller)
    return message.SerializeToString()


def script(*operations: Operation, state: State | None = None, caller: Address | None = None) -> bytes:
    return request("golden/script", [value_of("json", operations)], state={**UNSET, **(state or {})}, caller=caller)


# ---------------------------------------------------------------------------------------------------------- named


def named_requests() -> dict[str, bytes]:
    """One request for each rule of the protocol and the API, by its name."""
    caller = Address(namespace="golden", type="caller", id="me")
    cases = {
        "empty body": b"",
        "bytes that do not parse": b"\xff\xff\xff",
        "a target without a function": request("golden/nobody", [value_of("int", 1)]),
        "a request without messages": request("golden/primitives", []),
        "a batch of messages runs in order": request(
            "golden/counter", [value_of("int", 1)] * 3, state={"seen": value_of("int", 7)}, caller=caller
        ),
        "a message from an ingress has no caller": request(
            "golden/counter", [value_of("int", 1)], state={"seen": None}
        ),
        "a caller of empty fields is no caller": script(["addresses"], caller=Address()),
        "addresses": script(["addresses"], caller=caller),
        "a caller whose type has a slash": script(
            ["addresses"], caller=Address(namespace="golden", type="of/caller", id="me")
        ),
        "a caller of which only a part is told": script(["addresses"], caller=Address(type="caller")),
        "forward": script(["forward", "golden/next", "id"]),
        "a failing message fails the whole batch": request(
            "golden/script",
            [value_of("json", [["store", "small", 1]]), value_of("json", [["fail", "on purpose"]])],
            state=UNSET,
        ),
        "an undeclared state is ignored": request(
            "golden/counter", [value_of("int", 1)], state={"seen": None, "other": value_of("string", "x")}
        ),
        "send to a function without namespace": script(["send", "nowhere", "id", "int", 1]),
        "send to an empty id": script(["send", "golden/next", "", "int", 1]),
    }
    return {**cases, **message_cases(), **state_cases(), **delayed_cases(), **egress_cases()}


def message_cases() -> dict[str, bytes]:
    return {
        **{
            f"a message of {kind} {value!r:.20}": request("golden/primitives", [value_of(kind, value)])
            for kind in PRIMITIVES
            for value in VALUES[kind][:3]
        },
        "a message without value": request("golden/primitives", [TypedValue(typename=TYPENAMES["int"])]),
        "an int in varint encoding is skipped as an unknown field": request(
            "golden/primitives", [TypedValue(typename=TYPENAMES["int"], has_value=True, value=b"\x08\x01")]
        ),
        "an int beyond 32 bits is refused": script(["send", "golden/next", "id", "int", 2**31]),
        "a long beyond 64 bits is refused": script(["send", "golden/next", "id", "long", 2**63]),
        "a field that is written twice counts once": request(
            "golden/primitives",
            [TypedValue(typename=TYPENAMES["int"], has_value=True, value=b"\x0d\1\0\0\0\x0d\2\0\0\0")],
        ),
        "an unknown field beside the value": request(
            "golden/primitives",
            [TypedValue(typename=TYPENAMES["long"], has_value=True, value=b"\x09" + struct.pack("<q", -5) + b"\x10\1")],
        ),
        "a string that is not UTF-8 is refused": request(
            "golden/primitives", [TypedValue(typename=TYPENAMES["string"], has_value=True, value=b"\x0a\x01\xff")]
        ),
        "plain bytes are no string": request(
            "golden/primitives", [TypedValue(typename=TYPENAMES["string"], has_value=True, value=b"plain")]
        ),
    }


def state_cases() -> dict[str, bytes]:
    return {
        "all states are missing": request("golden/script", [value_of("json", [])]),
        "one state is missing": request(
            "golden/script", [value_of("json", [])], state={k: None for k in STATES if k != "large"}
        ),
        **{
            f"store, read and remove {name}": script(
                ["read", name], ["store", name, VALUES[kind][-1]], ["read", name], ["remove", name], ["read", name]
            )
            for name, kind in STATES.items()
        },
        "storing the same value is still a change": script(["store", "small", 3], state={"small": value_of("int", 3)}),
        "removing an unset value is still a change": script(["remove", "text"]),
        "a state without value is unset": script(
            ["read", "text"], state={"text": TypedValue(typename=TYPENAMES["string"])}
        ),
        "a state of another type is refused": script(["read", "text"], state={"text": value_of("int", 3)}),
        "a state of another type may be overwritten": script(
            ["store", "text", "x"], state={"text": value_of("int", 3)}
        ),
        "assigning None is refused": script(["assign_none", "text"]),
        "a value changed in place is not written": script(["change_in_place"], state={"plain": value_of("json", [1])}),
        "an undeclared name is refused": script(["read", "unknown"]),
    }


def delayed_cases() -> dict[str, bytes]:
    return {
        "a delayed message": script(["send_after_without_token", 1500, "golden/next", "id", "int", 1]),
        "a delayed message with a token": script(["send_after", 1000, "tøken", "golden/next", "id", "int", 1]),
        "a delayed message with no token": script(["send_after", 0, None, "golden/next", "id", "string", ""]),
        "a delayed message with an empty token": script(["send_after", 0, "", "golden/next", "id", "bool", False]),
        "a cancellation": script(["cancel", "tøken"]),
        "a delayed message and its cancellation stay in order": script(
            ["send_after", 10, "t", "golden/next", "id", "int", 1],
            ["cancel", "t"],
            ["send", "golden/next", "id", "int", 2],
        ),
    }


def egress_cases() -> dict[str, bytes]:
    return {
        "Kafka: text": script(["kafka", "key", None, "ü"]),
        "Kafka: no key": script(["kafka", None, None, "value"]),
        "Kafka: empty key and value": script(["kafka", "", None, ""]),
        "Kafka: bytes": script(["kafka_bytes", "key", "00ff"]),
        "Kafka: an int": script(["kafka", "key", None, -5]),
        "Kafka: an int beyond 32 bits is refused": script(["kafka", "key", None, 2**31]),
        "Kafka: a float": script(["kafka", "key", None, 0.1]),
        "Kafka: no value is refused": script(["kafka", "key", None, None]),
        "Kafka: a list is refused": script(["kafka", "key", None, [1]]),
        "Kafka: a value with a type": script(["kafka", "key", "long", 5]),
        "Kafka: JSON": script(["kafka", "key", "json", {"ü": [1, None]}]),
        "Kinesis: text": script(["kinesis", "key", None, None, "ü"]),
        "Kinesis: explicit hash key": script(["kinesis", "key", "123", None, "value"]),
        "Kinesis: a value with a type": script(["kinesis", "key", None, "moment", 5]),
        "Kinesis: an int is refused": script(["kinesis", "key", None, None, 5]),
        "an egress of its own": script(["egress", "golden/egress", "json", {"a": 1}]),
        "an egress without namespace is refused": script(["egress", "egress", "int", 1]),
    }


# ---------------------------------------------------------------------------------------------------------- random


def random_requests(seed: int, count: int) -> Iterator[bytes]:
    """Requests that depend on the seed alone."""
    rng = random.Random(seed)
    for _ in range(count):
        yield random_request(rng)


def random_request(rng: random.Random) -> bytes:
    size = rng.choice((1, 1, 1, 2, 3, 5, 10, 20))
    function = rng.choice(
        ("golden/script", "golden/script", "golden/nested/script.async", "golden/primitives", "golden/counter")
    )
    message = ToFunction()
    namespace, _, name = function.rpartition("/")
    message.invocation.target.CopyFrom(Address(namespace=namespace, type=name, id=rng.choice(IDS)))
    add_random_states(rng, message, {"seen": "int"} if name == "counter" else {} if name == "primitives" else STATES)
    for _ in range(size):
        invocation = message.invocation.invocations.add()
        invocation.argument.CopyFrom(random_argument(rng, name))
        if rng.random() < 0.5:
            invocation.caller.CopyFrom(Address(namespace=rng.choice(IDS), type=rng.choice(IDS), id=rng.choice(IDS)))
    return message.SerializeToString()


def add_random_states(rng: random.Random, message: ToFunction, states: dict[str, str]) -> None:
    names = list(states)
    rng.shuffle(names)
    missing = rng.choice(names) if names and rng.random() < 0.04 else None
    for name in names:
        if name == missing:
            continue
        persisted = message.invocation.state.add(state_name=name)
        draw = rng.random()
        if draw < 0.5:
            persisted.state_value.CopyFrom(value_of(states[name], rng.choice(VALUES[states[name]])))
        elif draw < 0.6:
            persisted.state_value.typename = TYPENAMES[states[name]]


def random_argument(rng: random.Random, name: str) -> TypedValue:
    if name.startswith("script"):
        return value_of("json", [random_operation(rng) for _ in range(rng.randrange(7))])
    kind = rng.choice(PRIMITIVES)
    if rng.random() < 0.05:
        return TypedValue(typename=TYPENAMES[kind])
    return value_of(kind, rng.choice(VALUES[kind]))


def random_operation(rng: random.Random) -> Operation:
    kind = rng.choice([*PRIMITIVES, "json", "blob", "moment", "moment_of_ours", "backwards"])
    value = rng.choice([value for value in VALUES[kind] if value is not None])
    target = (f"{rng.choice(IDS)}/{rng.choice(('next', 'ü', 'a.b'))}", rng.choice(IDS), kind, value)
    name = rng.choice(list(STATES))
    operations: Sequence[Callable[[], Operation]] = (
        lambda: ("send", *target),
        lambda: ("forward", *target[:2]),
        lambda: ("send_after", rng.choice(DELAYS), rng.choice((None, *TEXTS)), *target),
        lambda: ("send_after_without_token", rng.choice(DELAYS), *target),
        lambda: ("cancel", rng.choice(IDS)),
        lambda: ("store", name, rng.choice([value for value in VALUES[STATES[name]] if value is not None])),
        lambda: ("remove", name),
        lambda: ("read", name),
        lambda: ("change_in_place",),
        lambda: ("addresses",),
        lambda: ("kafka", rng.choice((None, *TEXTS)), kind, value),
        lambda: ("kafka", rng.choice((None, *TEXTS)), None, rng.choice((*TEXTS, 0, -1, 2**31 - 1, 0.5))),
        lambda: ("kafka_bytes", rng.choice(IDS), rng.choice(VALUES["blob"])),
        lambda: ("kinesis", rng.choice(IDS), rng.choice((None, *TEXTS)), kind, value),
        lambda: ("egress", f"{rng.choice(IDS)}/egress", kind, value),
    )
    return ("fail", "on purpose") if rng.random() < 0.005 else rng.choice(operations)()
