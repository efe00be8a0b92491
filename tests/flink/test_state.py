"""State moves from this runtime to a real Flink and back."""

import http.client
import json
import urllib.parse
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scripts.ports import free_port
from tests.e2e.command import Runtime, statefun
from tests.flink.counting import COUNTER, expected, ids
from tests.flink.exported import run, states
from tests.flink.local import FlinkLocal

pytestmark = [pytest.mark.flink, pytest.mark.slow, pytest.mark.timeout(900)]

NUMBER = 1200
FUNCTIONS = "tests.flink.counting:functions"
SECONDS = 120.0


class Flink:
    """The counters on Flink, in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.ingress_port, self.egress_port = free_port(), free_port()
        directory.mkdir()
        module = directory / "module.yaml"
        module.write_text(
            "kind: io.statefun.playground.v1/ingress\n"
            f"spec:\n  port: {self.ingress_port}\n"
            "---\n"
            "kind: io.statefun.playground.v1/egress\n"
            f"spec:\n  port: {self.egress_port}\n  topics: [flink]\n"
        )
        self._local = FlinkLocal(directory, module, FUNCTIONS)

    @contextmanager
    def running(self, *options: str) -> Generator[None]:
        """Run it; in the end it is stopped in any case, with a savepoint if it can."""
        try:
            self._local.start("--processes", "1", *options)
            yield
            self._local.stop()
        finally:
            self._local.kill()

    def savepoint(self) -> Path:
        """The savepoint with which it stopped."""
        (made,) = (self._local.home / "savepoints").glob("savepoint-*")
        return made


def put(port: int, address: str, text: str) -> None:
    """Send a message; it is durable when this returns."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    body = text.encode()
    headers = {"Content-Type": "text/plain"}
    connection.request("PUT", f"/{urllib.parse.quote(address)}", body, headers)
    response = connection.getresponse()
    assert response.status // 100 == 2, response.read()
    connection.close()


def take(port: int, topic: str) -> str:
    """The next record of a topic."""
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        connection.request("GET", f"/{topic}")
        response = connection.getresponse()
        body = response.read().decode()
        connection.close()
        if response.status == 200:
            return body


def count_on_runtime(directory: Path, data: Path, round_name: str) -> str:
    """One message to each counter on this runtime, which then stops; the counts they have."""
    runtime = Runtime(directory, "--functions", FUNCTIONS)
    runtime.data = data
    try:
        runtime.start()
        put(runtime.ingress_port, f"com.example.counting/tally/{round_name}", str(NUMBER))
        counts = take(runtime.egress_port, round_name)
        run("drain", "--data", str(data))
        runtime.command.wait()
    finally:
        runtime.kill()
    return counts


def test_state_goes_from_this_runtime_to_flink_and_back_and_every_counter_goes_on(tmp_path: Path) -> None:
    assert count_on_runtime(tmp_path, tmp_path / "before", "first") == "[1]"
    ours, savepoint = tmp_path / "ours.jsonl", tmp_path / "savepoint"
    run("savepoint", "export", str(ours), "--data", str(tmp_path / "before"))
    run("flink", "import", str(ours), str(savepoint))

    flink = Flink(tmp_path / "flink")
    with flink.running("--from-savepoint", str(savepoint)):
        put(flink.ingress_port, "com.example.counting/tally/flink", str(NUMBER))
        assert take(flink.egress_port, "flink") == "[2]"

    theirs = tmp_path / "theirs.jsonl"
    run("flink", "export", str(flink.savepoint()), str(theirs))
    moved, before = states(theirs, COUNTER), states(ours, COUNTER)
    assert {identifier: {n: v["value"] for n, v in values.items()} for identifier, values in moved.items()} == {
        identifier: expected(identifier, 2) for identifier in ids(NUMBER)
    }
    first = {identifier: values["first"]["touched"] for identifier, values in moved.items()}
    assert first == {identifier: values["first"]["touched"] for identifier, values in before.items()}

    run("savepoint", "import", str(theirs), "--data", str(tmp_path / "after"))
    assert count_on_runtime(tmp_path, tmp_path / "after", "last") == "[3]"


def test_delayed_messages_of_flink_are_refused_unless_they_are_left_in_a_file(tmp_path: Path) -> None:
    flink = Flink(tmp_path / "flink")
    with flink.running():
        put(flink.ingress_port, "com.example.counting/reminder/ada", "0")
    refused = statefun("flink", "export", str(flink.savepoint()), str(tmp_path / "state.jsonl"))
    assert refused.returncode == 1, refused.stdout
    assert "1 delayed messages are not due yet" in refused.stderr
    assert not (tmp_path / "state.jsonl").exists()

    left = tmp_path / "delayed.jsonl"
    run("flink", "export", str(flink.savepoint()), str(tmp_path / "state.jsonl"), "--leave-delayed", str(left))
    (message,) = [json.loads(line) for line in left.read_text().splitlines()]
    assert message["target"] == {"type": "com.example.counting/reminder", "id": "ada"}
    assert message["token"] == "späť"
    assert message["message"] == {"typename": "io.statefun.types/string", "value": "0"}


def test_a_savepoint_with_a_call_under_way_is_refused(tmp_path: Path) -> None:
    flink = Flink(tmp_path / "flink")
    with flink.running():
        # A job waits for its first call of a function, and is stopped only then; it does not wait for the next ones.
        put(flink.ingress_port, "com.example.counting/reminder/first", "0")
        put(flink.ingress_port, "com.example.counting/reminder/slow", "30")
    refused = statefun("flink", "export", str(flink.savepoint()), str(tmp_path / "state.jsonl"))
    assert refused.returncode == 1, refused.stdout
    assert "messages were on their way when the savepoint was taken" in refused.stderr
    assert "asyncOperations: 1" in refused.stderr
