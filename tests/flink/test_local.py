"""`statefun flink local` on a real Apache Flink, and the same application on this runtime."""

import http.client
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from scripts.ports import free_port
from statefun_runtime.flink.rest import FlinkRest
from tests.e2e.command import Runtime, get, statefun, wait_until
from tests.flink.bank import FUNCTIONS, Account, Bank, Command, commands, in_order, kept
from tests.flink.exported import run
from tests.flink.local import FlinkLocal, java_of

pytestmark = [pytest.mark.flink, pytest.mark.slow, pytest.mark.timeout(900)]

SEED = 4711
LOAD = 20_000
KEYS = 1000


class Quickstart:
    """What `statefun init shop` makes, on free ports."""

    def __init__(self, directory: Path) -> None:
        assert statefun("init", "shop", cwd=directory).returncode == 0
        self.directory = directory / "shop"
        self.ports = {"8090": free_port(), "8091": free_port()}
        module = self.directory / "module.yaml"
        text = module.read_text()
        for written, port in self.ports.items():
            text = text.replace(f"port: {written}", f"port: {port}")
        module.write_text(text)
        self.flink = FlinkLocal(directory, Path("module.yaml"), "app:functions", cwd=self.directory)

    def greet(self, name: str, value: object) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["8090"], timeout=60)
        try:
            headers = {"Content-Type": "application/vnd.shop/Greet"}
            connection.request("PUT", f"/shop/greeter/{name}", json.dumps(value), headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def greeting(self) -> str:
        """The next greeting that waits, once there is one."""
        found: list[bytes] = []

        def come() -> bool:
            status, body = get(self.ports["8091"], "/greetings")
            found.extend([body] if status == 200 else [])
            return bool(found)

        wait_until(come, "a greeting")
        return found[0].decode()


@pytest.fixture
def quickstart(tmp_path: Path) -> Iterator[Quickstart]:
    made = Quickstart(tmp_path)
    yield made
    made.flink.kill()


@pytest.mark.parametrize(
    "options", [(), ("--cluster", "--state-backend", "rocksdb", "--parallelism", "2", "--task-managers", "1")]
)
def test_the_quickstart_runs_on_flink_and_goes_on_from_its_savepoint(
    quickstart: Quickstart, options: tuple[str, ...]
) -> None:
    quickstart.flink.start(*options)
    assert quickstart.greet("ada", {"greeting": "Hello"})[0] == 200
    assert quickstart.greeting() == "Hello, ada! This is visit number 1."
    assert quickstart.flink.stop() == 0
    quickstart.flink.start(*options, "--from-savepoint", quickstart.flink.savepoint())
    assert quickstart.greet("ada", {"greeting": "Hello"})[0] == 200
    assert quickstart.greeting() == "Hello, ada! This is visit number 2."
    assert quickstart.flink.stop() == 0


def test_the_task_managers_of_a_cluster_share_the_parts_of_the_job(quickstart: Quickstart) -> None:
    quickstart.flink.start("--cluster", "--parallelism", "2")
    rest = FlinkRest(f"http://127.0.0.1:{quickstart.flink.port}")
    found = rest.get("/taskmanagers")["taskmanagers"]
    assert [(each["slotsNumber"], each["freeSlots"]) for each in found] == [(1, 0), (1, 0)]
    names = [f"n{number}" for number in range(20)]
    for name in names:
        assert quickstart.greet(name, {"greeting": "Hello"})[0] == 200
    assert {quickstart.greeting() for _ in names} == {f"Hello, {name}! This is visit number 1." for name in names}
    assert quickstart.flink.stop() == 0
    assert "/savepoints/savepoint-" in quickstart.flink.savepoint()


def test_a_function_that_fails_is_told_with_its_reason_and_the_job_starts_again(quickstart: Quickstart) -> None:
    module = quickstart.directory / "module.yaml"
    module.write_text(
        module.read_text().rstrip() + "\n  transport: {type: io.statefun.transports.v1/async, call: 2s}\n"
    )
    quickstart.flink.start()
    assert quickstart.greet("ada", {"no greeting": 1})[0] in {200, 503}
    quickstart.flink.wait_until(lambda: "will be started again" in quickstart.flink.said, "a restart")
    quickstart.flink.wait_until(lambda: "failed: " in quickstart.flink.said, "the failure of the job")
    assert "KeyError: 'greeting'" in quickstart.flink.said
    assert quickstart.flink.stop() == 0


def test_a_java_that_dies_is_told_with_the_end_of_its_log_and_the_last_checkpoint(quickstart: Quickstart) -> None:
    quickstart.flink.start()
    assert quickstart.greet("ada", {"greeting": "Hello"})[0] == 200
    os.kill(java_of(quickstart.flink.command.process.pid), signal.SIGKILL)
    assert quickstart.flink.command.process.wait(60) == 1
    assert "flink ended with code -9" in quickstart.flink.said
    assert "Completed checkpoint" in quickstart.flink.said
    assert "chk-" in quickstart.flink.savepoint()


def test_an_application_does_the_same_on_flink_as_on_this_runtime(
    kafka: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given, expected = commands(accounts=100, each=10, random=Random(SEED))
    load: list[tuple[int, Command]] = [(len(expected) + at % KEYS, {"do": "add", "amount": 1}) for at in range(LOAD)]
    wanted = {str(at): account.told for at, account in enumerate(expected)}
    reports = {str(at): account.report for at, account in enumerate(expected)}
    loaded = [Account(LOAD // KEYS, [f"{n} add" for n in range(LOAD // KEYS)]) for _ in range(KEYS)]
    state = {str(at): account.state for at, account in enumerate([*expected, *loaded])}
    figures = []
    for name, make in (("statefun", OnThisRuntime), ("flink", OnFlink)):
        bank = Bank(name, kafka, tmp_path / name)
        application = make(bank, tmp_path / name)
        started = time.monotonic()
        application.start()
        start = time.monotonic() - started
        try:
            bank.give(given)
            assert in_order(bank.read(len(given))) == wanted
            assert bank.settled(expected) == reports
            seconds = bank.seconds_for(load)
        finally:
            assert application.stop() == 0
        application.export(tmp_path / f"{name}.jsonl")
        assert kept(tmp_path / f"{name}.jsonl") == state
        figures.append(f"{name}: ready after {start:.1f} s, {LOAD / seconds:.0f} commands a second, Kafka to Kafka")
    with capsys.disabled():
        print("", *figures, sep="\n")


class OnThisRuntime:
    """The accounts on this runtime."""

    def __init__(self, bank: Bank, directory: Path) -> None:
        self._runtime = Runtime(directory, str(bank.module), "--functions", FUNCTIONS)
        self.stop = self._runtime.stop

    def start(self) -> None:
        self._runtime.start("--application-id", "bank")

    def export(self, file: Path) -> None:
        run("savepoint", "export", str(file), "--data", str(self._runtime.data))


class OnFlink:
    """The accounts on Flink."""

    def __init__(self, bank: Bank, directory: Path) -> None:
        self._flink = FlinkLocal(directory, bank.module, FUNCTIONS)
        self.stop = self._flink.stop

    def start(self) -> None:
        self._flink.start()

    def export(self, file: Path) -> None:
        """Export the savepoint with which it stopped."""
        run("flink", "export", self._flink.savepoint(), str(file))
