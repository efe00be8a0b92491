"""docs/reference/differences.md says what differs from the existing Python SDK: each of its rows is tried on both."""

import json
import subprocess
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from scripts.cached_environment import cached_environment
from tests.protocol.differences import PROBES, outcome
from tests.protocol.golden import EXISTING_SDK, HERE
from tests.repo.documents import table_rows

PAGE = "docs/reference/differences.md"
SUBMODULES = ["core", "messages", "egress_io", "statefun_builder", "request_reply_v3", "utils", "wrapper_types"]


@dataclass(frozen=True, slots=True)
class Raises:
    """An error, by the name of its class or of one that it derives from."""

    name: str


THEIRS_AND_OURS: dict[str, tuple[Any, Any]] = {
    "a second function of the same typename": ("replaced", Raises("RegistrationError")),
    "a function under a text that is no typename": ("registered", Raises("RegistrationError")),
    "a method, a callable object, further parameters with defaults": (Raises("ValueError"), "registered"),
    "a generator function": (0, Raises("RegistrationError")),
    "a plain `def` that returns an awaitable": (0, Raises("RegistrationError")),
    "`timedelta(0)` as an expiration": ([False, 0], Raises("ValueError")),
    "a negative expiration, or one below a millisecond": ([True, -1000], Raises("ValueError")),
    "milliseconds of an expiration": (1000, 1001),
    "capitals in a state's name": (Raises("ValueError"), "lastSeen"),
    "a keyword as a state's name": (Raises("ValueError"), "class"),
    "letters beyond ASCII in a state's name": ("größe", Raises("ValueError")),
    "a state's name between double underscores": ("__seen__", Raises("ValueError")),
    "a state called `get`, `set` or `remove`, as an attribute": (1, Raises("UndeclaredStateError")),
    "a bool as an integer": (Raises("TypeError"), Raises("TypeError")),
    "bytes that are no value of a primitive type": (Raises("DecodeError"), Raises("ValueError")),
    "`value=` without `value_type=`": (Raises("ValueError"), "text"),
    "a message to a text that is no typename": ("made", Raises("ValueError")),
    "`SdkAddress` with a typename that is not that of its parts": ("other/function", Raises("ValueError")),
    "an address as text": (
        "SdkAddress(namespace='example', name='function', id='me', typename='example/function')",
        "Address(example, function, me)",
    ),
    "milliseconds of a delay": (1000, 1001),
    "a negative delay": (-1000, Raises("ValueError")),
    "cancelling with an empty token": (True, Raises("ValueError")),
    "a context that is used after its message": (1, Raises("ContextEndedError")),
    "a Kafka integer of more than 4 bytes": (Raises("error"), Raises("ValueError")),
    "a bool as a Kafka value": ("00000001", Raises("TypeError")),
    "an empty Kinesis partition key": ("made", Raises("ValueError")),
    "a request for a function that is not registered": (Raises("KeyError"), Raises("KeyError")),
    "bytes that are no request": (Raises("DecodeError"), Raises("ProtocolError")),
    "no bytes at all": (Raises("AttributeError"), Raises("ProtocolError")),
    "`handle_sync` of a plain `def`": (True, False),
    "`for_typename`, and the handler's `functions`": ([True, True], [False, False]),
    "submodules": (SUBMODULES, []),
}


@cache
def outcomes_of_the_existing_sdk() -> dict[str, Any]:
    python = cached_environment("flink-statefun-3.5.0", EXISTING_SDK)
    # Some of the programs leave a coroutine behind that was never awaited, which is what they show.
    command = [str(python), "-W", "ignore", str(HERE / "differences.py")]
    finished = subprocess.run(command, capture_output=True, text=True, check=True, env={})
    outcomes: dict[str, Any] = json.loads(finished.stdout)
    return outcomes


def assert_is(actual: Any, expected: Any) -> None:
    if isinstance(expected, Raises):
        assert expected.name in actual["raises"]
    else:
        assert actual == expected


@pytest.mark.parametrize("row", PROBES)
def test_the_row_is_true_of_this_sdk(row: str) -> None:
    assert_is(outcome(PROBES[row]), THEIRS_AND_OURS[row][1])


@pytest.mark.slow
@pytest.mark.parametrize("row", PROBES)
def test_the_row_is_true_of_the_existing_sdk(row: str) -> None:
    assert_is(outcomes_of_the_existing_sdk()[row], THEIRS_AND_OURS[row][0])


def test_the_page_has_exactly_the_rows_that_are_tried() -> None:
    written = [row.split("|")[1].strip() for row in table_rows(PAGE)]
    assert written == list(PROBES) == list(THEIRS_AND_OURS)
