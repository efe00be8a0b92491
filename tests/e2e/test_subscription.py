"""A subscription as its readers see it, while the runtime is killed: every record once, its number for ever."""

import http.client
import json
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.command import Runtime, statefun, wait_until
from tests.e2e.senders import Load, Sender

pytestmark = pytest.mark.slow
MODULE = """\
kind: io.statefun.playground.v1/ingress
spec: {{port: {ingress}}}
---
kind: io.statefun.http.v1/egress
spec: {{id: e2e/told, port: {egress}}}
"""
PATH = "/egress/e2e/told"


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    """A runtime with a subscription, not yet started."""
    file = tmp_path / "module.yaml"
    runtime = Runtime(tmp_path, str(file), "--functions", "tests.e2e.application:functions")
    file.write_text(MODULE.format(ingress=runtime.ingress_port, egress=runtime.egress_port))
    yield runtime
    runtime.kill()


class Teller(Sender):
    """Sends to the function that tells everything to the subscription."""

    def request(self, text: str) -> tuple[str, str, str]:
        return f"/e2e/teller/{self.id}", text, "text/plain"


class Reader:
    """Polls in a thread of its own from the first record on, over all kills, and remembers what it got."""

    def __init__(self, runtime: Runtime, most: int) -> None:
        self.records: list[tuple[str, str]] = []
        self._port = runtime.egress_port
        self._most = most
        self._cursor = ""
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._done.is_set():
            try:
                self.poll()
            except (OSError, http.client.HTTPException):
                self._done.wait(0.005)

    def poll(self) -> int:
        """Read once; the number of records that came."""
        after = f"after={self._cursor}&" if self._cursor else ""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request("GET", f"{PATH}?{after}wait=0.2&max={self._most}")
            response = connection.getresponse()
            lines = response.read().splitlines()
        finally:
            connection.close()
        assert response.status == http.HTTPStatus.OK, lines
        records = [(line["cursor"], line["value"]) for line in map(json.loads, lines)]
        self.records += records
        self._cursor = response.headers["Statefun-Cursor"]
        return len(records)


def read_all(runtime: Runtime) -> list[tuple[str, str]]:
    """What a reader gets that begins now."""
    reader = Reader(runtime, 1000)
    reader.stop()
    while reader.poll():
        pass
    return reader.records


def is_idle(runtime: Runtime) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", runtime.admin_port, timeout=10)
    try:
        connection.request("GET", "/status")
        return bool(json.loads(connection.getresponse().read())["idle"])
    finally:
        connection.close()


def test_readers_get_every_record_once_whenever_the_runtime_is_killed(runtime: Runtime) -> None:
    moments = random.Random(23)
    runtime.start()
    readers = [Reader(runtime, most) for most in (1, 7, 1000)]
    with Load(runtime, 6, Teller) as load:
        for _ in range(12):
            load.wait_for(moments.randint(1, 100))
            runtime.kill()
            runtime.start()
        load.wait_for(50)
    wait_until(lambda: is_idle(runtime), "the end of the work")
    records = read_all(runtime)
    wait_until(lambda: all(len(reader.records) >= len(records) for reader in readers), "the end of reading")
    for reader in readers:
        reader.stop()
        assert reader.records == records
    assert runtime.stop() == 0, runtime.command.log.read_text()
    lineages, numbers = zip(*(cursor.rsplit("-", 1) for cursor, _ in records), strict=True)
    assert len(set(lineages)) == 1
    assert [int(number) for number in numbers] == list(range(1, len(records) + 1))
    for sender in load.senders:
        told = [value.split()[1] for _, value in records if value.split()[0] == sender.id]
        assert told == sorted(set(told), key=int)
        assert set(sender.acknowledged) <= set(told) <= set(sender.sent)


def test_after_a_restore_an_old_cursor_gets_410_and_records_are_numbered_on(runtime: Runtime, tmp_path: Path) -> None:
    runtime.start()
    send(runtime, "one")
    wait_until(lambda: bool(read_all(runtime)), "the first record")
    ((old, _),) = read_all(runtime)
    assert runtime.stop() == 0
    made = statefun("savepoint", "create", "here", "--data", str(runtime.data))
    assert made.returncode == 0, made.stderr
    restored = statefun("savepoint", "restore", "here", "--from", str(runtime.data), "--data", str(tmp_path / "new"))
    assert restored.returncode == 0, restored.stderr
    runtime.data = tmp_path / "new"
    runtime.start()
    send(runtime, "two")
    wait_until(lambda: bool(read_all(runtime)), "the next record")
    ((cursor, value),) = read_all(runtime)
    assert value == "x two"
    assert cursor.rpartition("-")[0] != old.rpartition("-")[0]
    assert cursor.rpartition("-")[2] == "2"
    connection = http.client.HTTPConnection("127.0.0.1", runtime.egress_port, timeout=10)
    connection.request("GET", f"{PATH}?after={old}")
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    assert (response.status, answer["oldest"]) == (410, f"{cursor.rpartition('-')[0]}-1")
    assert runtime.stop() == 0


def send(runtime: Runtime, text: str) -> None:
    sent = statefun(
        "send", "e2e/teller/x", json.dumps(text), "--url", runtime.url, "--type", "io.statefun.types/string"
    )
    assert sent.returncode == 0, sent.stderr
