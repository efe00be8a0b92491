"""What a real Flink does with good and bad replies: one job, in which each case is a function of its own."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from statefun.protocol.request_reply_pb2 import FromFunction
from statefun_runtime.flink.rest import FlinkRest
from tests.flink import cells
from tests.flink.cells import bad_once
from tests.flink.local import FlinkLocal
from tests.flink.scripted import Answer, ScriptedFunctions
from tests.kafka.topics import Reader, Writer, create

pytestmark = [pytest.mark.flink, pytest.mark.slow, pytest.mark.timeout(300)]

MODULE = """\
kind: io.statefun.endpoints.v2/http
spec:
  functions: cells/*
  urlPathTemplate: http://127.0.0.1:{port}/
  transport: {{type: io.statefun.transports.v1/async, timeouts: {{call: 60s}}}}
---
kind: io.statefun.endpoints.v2/http
spec:
  functions: cells/hasty
  urlPathTemplate: http://127.0.0.1:{port}/
  transport: {{type: io.statefun.transports.v1/async, timeouts: {{call: 1s}}}}
---
kind: io.statefun.endpoints.v2/http
spec:
  functions: cells/limited
  urlPathTemplate: http://127.0.0.1:{port}/
  maxNumBatchRequests: {max_batch}
  transport: {{type: io.statefun.transports.v1/async, timeouts: {{call: 60s}}}}
---
kind: io.statefun.endpoints.v1/http
spec: {{functions: cells/okhttp, urlPathTemplate: "http://127.0.0.1:{port}/", timeouts: {{call: 60s}}}}
---
kind: io.statefun.endpoints.v1/http
spec:
  functions: cells/brief
  urlPathTemplate: http://127.0.0.1:{port}/
  timeouts: {{call: 1s, connect: 1s, read: 1s, write: 1s}}
---
kind: io.statefun.kafka.v1/ingress
spec:
  id: cells/in
  address: {kafka}
  consumerGroupId: cells
  startupPosition: {{type: earliest}}
  topics:
    - {{topic: cells-async, valueType: cells/T, targets: [cells/async]}}
    - {{topic: cells-brief, valueType: cells/T, targets: [cells/brief]}}
    - {{topic: cells-hasty, valueType: cells/T, targets: [cells/hasty]}}
    - {{topic: cells-limited, valueType: cells/T, targets: [cells/limited]}}
    - {{topic: cells-okhttp, valueType: cells/T, targets: [cells/okhttp]}}
---
kind: io.statefun.kafka.v1/egress
spec: {{id: cells/out, address: "{kafka}", deliverySemantic: {{type: exactly-once, transactionTimeout: 60 s}}}}
"""
TOPICS = tuple(f"cells-{name}" for name in ("async", "brief", "hasty", "limited", "okhttp", "out"))
FAILING = {
    "async/undeclared": bad_once(cells.undeclared_state()),
    "async/negative": bad_once(cells.send_after(FromFunction(), -1, "async/negative", "")),
    "async/unknown": bad_once(cells.unknown_egress()),
    "async/typed": cells.changed_type,
    "okhttp/refused": bad_once(Answer(status=404)),
}
"""Cases that end the job once, by what they answer."""
SLOW = ("hasty/slow", "brief/slow")
"""Cases that end the job by not answering in time, by the async transport and by okhttp."""
MAX_BATCH = 2
RETRY_AFTER_SECONDS = 3600
WAIT_SECONDS = 60.0
PAUSE_SECONDS = 1.5


@dataclass
class Seen:
    """A job with its functions, and what came of them."""

    functions: ScriptedFunctions
    flink: FlinkLocal
    writer: Writer
    reader: Reader
    held: cells.Held
    slow: dict[str, cells.Held]
    expiring: cells.Expiring
    failures: dict[str, str] = field(default_factory=dict)
    """Of each case that ended the job, why."""
    paused: bool = False

    def give(self, address: str, *values: str) -> None:
        name, _, identifier = address.partition("/")
        self.writer.write(f"cells-{name}", [(identifier.encode(), value.encode()) for value in values])

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        """Read records until `condition` holds."""
        give_up = time.monotonic() + WAIT_SECONDS
        while not condition():
            self.reader.poll(0.05)
            assert time.monotonic() < give_up, f"{what} did not come: {self.reader.records}, {self.flink.said}"

    def wait_for(self, address: str, value: str) -> None:
        self.wait_until(lambda: (address, value) in self.reader.records, f"{value} of {address}")

    def give_after_calls(self, calls: int, address: str, value: str) -> None:
        """Give a message that is not to be in one batch with those before it."""
        self.wait_until(lambda: len(self.functions.called(address)) == calls, f"the calls of {address}")
        self.give(address, value)

    def wait_until_failed(self, times: int) -> None:
        self.wait_until(lambda: len(self.job_failures()) >= times, f"failure {times} of the job")

    def read_for(self, seconds: float) -> None:
        """Read records for a while, in which something must not happen."""
        until = time.monotonic() + seconds
        self.wait_until(lambda: time.monotonic() > until, "the end")

    def job_failures(self) -> list[str]:
        rest = FlinkRest(f"http://127.0.0.1:{self.flink.port}")
        [job] = rest.jobs()
        return [trace for _, trace in rest.failures(job.id)]


def calm_cases(seen: Seen) -> None:
    """Those after which the job goes on."""
    seen.give("async/expiring", "write")
    for case in ("async/token", "async/kept"):
        seen.give(case, "begin")
    for case in ("async/caller", "async/rounds", "async/refused", "async/again", "okhttp/again"):
        seen.give(case, "done")
    for number, value in enumerate(("lost", "done")):
        seen.give_after_calls(number, "async/status", value)
    for number, value in enumerate(("no bytes", "an empty result", "done")):
        seen.give_after_calls(number, "async/nothing", value)
    for case in ("caller", "rounds", "refused", "again", "status", "nothing"):
        seen.wait_for(f"async/{case}", "done")
    seen.wait_for("okhttp/again", "done")
    seen.wait_for("second/caller", "hello")
    seen.wait_for("async/expiring", "write")
    seen.give("async/expiring", "change")
    seen.wait_for("async/token", "over")
    seen.wait_for("async/kept", "over")
    seen.wait_for("async/expiring", "change")
    seen.give("async/expiring", "look")
    seen.wait_for("async/expiring", "look")


def pause(seen: Seen) -> None:
    """Give an address more than a batch while it is being called."""
    seen.give("limited/held", "1")
    seen.wait_until(lambda: bool(seen.functions.called("limited/held")), "a call")
    seen.give("limited/held", "2", "3", "4", "5", "6")
    seen.give("limited/other", "done")
    seen.read_for(PAUSE_SECONDS)
    seen.paused = not seen.functions.called("limited/other")
    seen.held.may_go_on.set()
    seen.wait_for("limited/held", "6")
    seen.wait_for("limited/other", "done")


def failing_cases(seen: Seen) -> None:
    """Each ends the job once; its record shows that it was started again and went on."""
    assert seen.job_failures() == []
    for case in (*FAILING, *SLOW):
        before = len(seen.job_failures())
        seen.give(case, "done")
        seen.wait_until_failed(before + 1)
        if case in SLOW:
            seen.slow[case].may_go_on.set()
        seen.wait_for(case, "done")
        seen.failures[case] = seen.job_failures()[before]
    seen.give("async/expiring", "after")
    seen.wait_for("async/expiring", "after")


@pytest.fixture(scope="module")
def seen(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    held, slow, expiring = cells.Held(), {case: cells.Held() for case in SLOW}, cells.Expiring()
    functions = ScriptedFunctions(
        {
            **FAILING,
            **slow,
            "limited/held": held,
            "limited/other": cells.done,
            "async/expiring": expiring,
            "async/token": cells.sends_later,
            "async/kept": cells.sends_later,
            "second/token": cells.cancels,
            "async/caller": cells.asks_for_its_caller,
            "second/caller": cells.done,
            "async/rounds": cells.asks_again_and_again,
            "async/status": cells.status_in_a_header,
            "async/nothing": cells.no_effects,
            "async/refused": bad_once(Answer(status=404)),
            "async/again": bad_once(Answer(status=429, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})),
            "okhttp/again": bad_once(Answer(status=429, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})),
        }
    )
    directory: Path = tmp_path_factory.mktemp("behaviour")
    module = directory / "module.yaml"
    module.write_text(MODULE.format(port=functions.port, kafka=kafka, max_batch=MAX_BATCH))
    create(kafka, *TOPICS)
    flink = FlinkLocal(directory, module)
    made = Seen(functions, flink, Writer(kafka), Reader(kafka, "cells-out"), held, slow, expiring)
    try:
        flink.start("--checkpoint-interval", "200ms")
        calm_cases(made)
        pause(made)
        failing_cases(made)
        yield made
        assert flink.stop() == 0
    finally:
        flink.kill()
        functions.stop()
        made.reader.close()


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("async/undeclared", "Accessing a non-existing function state: undeclared"),
        ("async/negative", "java.lang.IllegalArgumentException"),
        ("async/unknown", "Unknown egress EgressKey(cells, unknown, "),
        ("async/typed", "Previous type was: TypeName(cells, State), new type is: TypeName(cells, Other)"),
        ("okhttp/refused", "Non successful HTTP response code 404"),
        ("hasty/slow", "RequestTimeoutException"),
        ("brief/slow", "java.io.InterruptedIOException: timeout"),
    ],
)
def test_a_bad_reply_ends_the_job_which_begins_again(seen: Seen, case: str, reason: str) -> None:
    assert reason in seen.failures[case]


def test_functions_are_called_at_least_once_and_have_their_effects_exactly_once(seen: Seen) -> None:
    for case in (*FAILING, *SLOW):
        calls = seen.functions.called(case)
        assert len(calls) > 1
        assert {value for call in calls for value in call.values} == {"done"}
        assert seen.reader.records.count((case, "done")) == 1
    assert len(set(seen.reader.records)) == len(seen.reader.records)


def test_a_caller_is_told_of_messages_of_functions_and_not_of_those_of_an_ingress(seen: Seen) -> None:
    [of_ingress], [of_function] = (seen.functions.called(address) for address in ("async/caller", "second/caller"))
    assert not of_ingress.request.invocation.invocations[0].HasField("caller")
    caller = of_function.request.invocation.invocations[0].caller
    assert (caller.namespace, caller.type, caller.id) == ("cells", "async", "caller")


def test_a_token_cancels_the_messages_of_its_senders_id_in_all_types(seen: Seen) -> None:
    assert ("async/token", "over") in seen.reader.records
    assert ("async/token", "cancelled?") not in seen.reader.records
    assert ("async/kept", "cancelled?") in seen.reader.records


def test_a_changed_expiration_takes_effect_when_the_job_begins_again(seen: Seen) -> None:
    assert seen.expiring.found == [
        ("write", False),
        ("change", True),
        ("change", True),
        ("look", True),
        ("after", False),
    ]


def test_a_function_may_ask_for_states_in_any_number_of_rounds(seen: Seen) -> None:
    assert len(seen.functions.called("async/rounds")) == cells.ROUNDS + 1


def test_no_request_is_empty(seen: Seen) -> None:
    calls = [call for calls in seen.functions.calls.values() for call in calls]
    assert len(calls) > len(TOPICS)
    assert all(call.request.invocation.invocations for call in calls)


def test_an_error_that_only_the_header_status_tells_of_loses_the_message(seen: Seen) -> None:
    assert [call.values for call in seen.functions.called("async/status")] == [["lost"], ["done"]]
    assert ("async/status", "lost") not in seen.reader.records


def test_a_refusal_is_tried_again_by_the_async_transport(seen: Seen) -> None:
    assert [call.values for call in seen.functions.called("async/refused")] == [["done"], ["done"]]


@pytest.mark.parametrize("transport", ["async", "okhttp"])
def test_retry_after_is_not_looked_at(seen: Seen, transport: str) -> None:
    first, second = seen.functions.called(f"{transport}/again")
    assert second.at - first.at < WAIT_SECONDS < RETRY_AFTER_SECONDS


def test_no_bytes_and_an_empty_result_are_no_effects(seen: Seen) -> None:
    assert [call.values for call in seen.functions.called("async/nothing")] == [
        ["no bytes"],
        ["an empty result"],
        ["done"],
    ]


def test_a_batch_has_a_largest_size_and_the_ingress_pauses_when_more_wait(seen: Seen) -> None:
    batches = [call.values for call in seen.functions.called("limited/held")]
    assert [value for batch in batches for value in batch] == ["1", "2", "3", "4", "5", "6"]
    assert max(map(len, batches)) == MAX_BATCH
    assert seen.paused
