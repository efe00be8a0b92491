"""An application between two topics, in a process that is killed and paused again and again."""

import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

from tests.e2e.command import STATEFUN, Runtime
from tests.e2e.trap import VARIABLE
from tests.kafka.broker import Broker
from tests.kafka.signalled import POINTS
from tests.kafka.topics import create
from tests.kafka.traffic import Watching, Writing

MODULE = """\
kind: io.statefun.kafka.v1/ingress
spec:
  id: kafka/in
  address: {address}
  consumerGroupId: {name}
  startupPosition: {{type: earliest}}
  topics:
    - {{topic: {name}-in, valueType: kafka/text, targets: [kafka/counter]}}
---
kind: io.statefun.kafka.v1/egress
spec:
  id: kafka/out
  address: {address}
  deliverySemantic: {{type: exactly-once, transactionTimeout: {timeout} s}}
"""
ENDPOINT = """\
---
kind: io.statefun.endpoints.v2/http
spec:
  functions: kafka/*
  urlPathTemplate: http+unix://{socket}/statefun
"""
FUNCTIONS = "tests.kafka.application:functions"
PARTITIONS = 2
TIMEOUT = 3
"""The transaction timeout in seconds."""
PAUSE = TIMEOUT + 2.5
"""Seconds after which the broker, which looks once a second, has ended a transaction that is too old."""
LONGEST_LIFE = 12.0
"""Seconds, of a process that does not come to its point."""
LONGEST_RECOVERY = 120.0
SETTINGS = ("--lock-timeout", "20 s", "--retry-max", "200 ms")


class Pipeline:
    """Topics `<name>-in` and `<name>-out` and `statefun run` between them."""

    def __init__(self, name: str, broker: Broker, directory: Path, port: int, server: Path | None = None) -> None:
        """Args: `port` is the broker's for the application; `server` is the socket of its functions, if not within."""
        self.name = name
        self.counts: Counter[str] = Counter()
        directory.mkdir()
        create(broker.address, f"{name}-in", f"{name}-out", partitions=PARTITIONS)
        file = directory / "module.yaml"
        self._what = (str(file), *(() if server else ("--functions", FUNCTIONS)))
        text = MODULE.format(address=f"127.0.0.1:{port}", name=name, timeout=TIMEOUT)
        file.write_text(text + (ENDPOINT.format(socket=server) if server else ""))
        self.runtime = Runtime(directory, *self._what)
        self.writing = Writing(broker.address, name)
        self.watching = Watching(broker.address, name, PARTITIONS)

    def another(self, directory: Path) -> Runtime:
        """The same application on another data directory."""
        directory.mkdir()
        return Runtime(directory, *self._what)

    def launch(self, point: str = "", passes: int = 0, number: signal.Signals = signal.SIGKILL) -> None:
        """Start the process without waiting. If a point of the egress is named, it signals itself there."""
        self.runtime.program = (sys.executable, "-m", "tests.kafka.signalled") if point else (STATEFUN,)
        self.runtime.environment = {**os.environ, VARIABLE: f"{point} {passes} {int(number)}"}
        self.runtime.launch("--application-id", self.name, *SETTINGS)

    def live(self, fate: str, random: Random) -> None:
        """A life of the process, from its start to its death."""
        point = random.choice(POINTS)
        passes = random.randrange(30) if point == "produced" else 0 if point.startswith("init") else random.randrange(8)
        if fate == "killed at random":
            self.launch()
            self._wait_for_signal(random.uniform(0.5, 4))
        elif fate == "killed at a point":
            self.launch(point, passes)
            self._wait_for_signal(LONGEST_LIFE)
        else:
            self.launch(point, passes, signal.SIGSTOP)
            self.pause_and_go_on()
        self.counts[fate] += 1
        self._check_alive_or_killed()
        self.runtime.kill()

    @property
    def lives(self) -> int:
        return self.counts.total()

    def in_doubt(self) -> int:
        """How often a process found out that epochs had gone out which it did not know of."""
        return (self.runtime.directory / "run.log").read_text().count("waiting epochs went out before")

    def pause_and_go_on(self) -> None:
        """Wait until it has stopped itself, keep it so for longer than a transaction lasts, and let it do something."""
        process = self.runtime.command.process
        self.wait_until_stopped()
        time.sleep(PAUSE)  # the pause itself
        seen = self.watching.count
        process.send_signal(signal.SIGCONT)
        give_up = time.monotonic() + LONGEST_RECOVERY
        while self.watching.count == seen:
            self._check_alive_or_killed()
            assert time.monotonic() < give_up, f"after a pause nothing more comes: {self.log_tail()}"
            time.sleep(0.05)

    def wait_until_stopped(self) -> None:
        """Wait until the process has stopped itself. The broker may be killed several times before that."""
        give_up = time.monotonic() + LONGEST_RECOVERY
        while not is_stopped(self.runtime.command.process.pid):
            self._check_alive_or_killed()
            assert time.monotonic() < give_up, f"it does not come to its point: {self.log_tail()}"
            time.sleep(0.01)

    def wait_until_killed(self) -> None:
        """Wait until the process has killed itself."""
        assert self.runtime.command.wait() == -signal.SIGKILL

    def _wait_for_signal(self, seconds: float) -> None:
        """Wait until the process is dead or stopped, but not for longer."""
        process = self.runtime.command.process
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up and process.poll() is None and not is_stopped(process.pid):
            time.sleep(0.01)

    def _check_alive_or_killed(self) -> None:
        code = self.runtime.command.process.poll()
        assert code in {None, -signal.SIGKILL}, f"it ended by itself with {code}: {self.log_tail()}"

    def log_tail(self) -> str:
        """The end of what the processes logged."""
        return "\n".join(self.runtime.command.log.read_text().splitlines()[-30:])


def is_stopped(pid: int) -> bool:
    state = os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT)
    return state is not None and state.si_code == os.CLD_STOPPED
