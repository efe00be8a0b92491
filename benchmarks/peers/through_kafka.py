"""Flink Stateful Functions and this runtime at one work: records from Kafka call functions on one and the same server.

Both get the same module file, the same broker and the same server, and take turns. Both are exactly once: Flink with a
checkpoint every second, this runtime with its own settings.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers import records
from benchmarks.peers.child import Child, ChildError
from benchmarks.process import cpu_seconds
from scripts.cached_environment import cached_environment
from scripts.kafka_broker import plain_broker
from scripts.ports import free_port
from tests.e2e.command import STATEFUN, get
from tests.flink.local import java_of

HERE = Path(__file__).resolve().parent
SDK = ("flink-statefun==3.5.0", "protobuf==7.36.2", "uvicorn==0.54.0", "uvloop==0.23.0", "httptools==0.9.0")
"""The existing SDK on the server that it is documented with, as a user would install them."""
WARM_SECONDS = 15
"""Java compiles what runs often: in its first 12 seconds Flink took 220 to 440 us of an invocation, then 160 to 260."""
FIRST_SECONDS = 300.0
"""A first start fetches Flink's archives."""
MODULE = """\
kind: io.statefun.kafka.v1/ingress
spec:
  id: peers/in
  address: {address}
  consumerGroupId: {group}
  startupPosition: {{type: earliest}}
  topics:
    - {{topic: {topic}, valueType: peers/value, targets: [{target}]}}
---
kind: io.statefun.kafka.v1/egress
spec:
  id: peers/out
  address: {address}
  deliverySemantic: {{type: exactly-once, transactionTimeout: 60 s}}
---
kind: io.statefun.endpoints.v2/http
spec:
  functions: peers/*
  urlPathTemplate: http://127.0.0.1:{port}/statefun
  transport: {{type: io.statefun.transports.v1/async, timeouts: {{call: 30 s}}}}
"""


@dataclass(frozen=True, slots=True)
class System:
    """Something that runs a module file: the command, what it says when it runs, and whether it does so in Java."""

    name: str
    arguments: tuple[str, ...]
    is_flink: bool

    def command(self, module: Path, directory: Path) -> tuple[str, ...]:
        place = ("--home" if self.is_flink else "--data", str(directory / "kept"))
        ports = ("--port", str(free_port())) if self.is_flink else ("--admin", f"127.0.0.1:{free_port()}")
        return (STATEFUN, *self.arguments, str(module), *place, *ports)

    def pid(self, child: Child) -> int:
        """The process that calls the functions."""
        return java_of(child.pid) if self.is_flink else child.pid


FLINK = System(
    "Flink StateFun 3.3.0, 1 s checkpoints", ("flink", "local", "--checkpoint-interval", "1 s"), is_flink=True
)
RUNTIME = System("statefun", ("run", "--log-level", "warning"), is_flink=False)


@dataclass(frozen=True, slots=True)
class Rate:
    """Invocations a second, and microseconds of processor time of one: the system's and the server's."""

    invocations: float
    system_us: float
    server_us: float


class Bench:
    """A broker, and a directory for all that is measured with it."""

    def __init__(self, directory: Path, address: str) -> None:
        self._directory = directory
        self._address = address
        self._python = cached_environment("existing-sdk-server", SDK)

    def waiting(self, count: int, keys: int) -> str:
        """A new topic with so many records under random keys."""
        topic = _name("in")
        records.create(self._address, topic)
        records.fill(self._address, topic, count, keys)
        return topic

    def rate(self, system: System, topic: str, count: int, seconds: float) -> Rate:
        """As fast as it goes through the `count` records of a topic, once it is warm."""
        with self._running(system, topic, "peers/counter") as running:
            running.wait_for(1, FIRST_SECONDS)
            running.wait_until(time.monotonic() + WARM_SECONDS, count // 2)
            first = running.sample()
            running.wait_until(time.monotonic() + seconds, int(count * 0.98))
            last = running.sample()
        calls = last.calls - first.calls
        return Rate(
            calls / (last.time - first.time),
            1e6 * (last.system_cpu - first.system_cpu) / calls,
            1e6 * (last.server_cpu - first.server_cpu) / calls,
        )

    def latencies(self, system: System, rate: float, seconds: float) -> list[float]:
        """Seconds from when a record was to be written until what its function sent was read, committed."""
        source, sink = self.waiting(1, 1), _name("out")
        records.create(self._address, sink)
        warm = int(WARM_SECONDS * rate)
        with self._running(system, source, "peers/relay", sink) as running:
            running.wait_for(1, FIRST_SECONDS)
            found = records.latencies(self._address, (source, sink), rate, warm + int(seconds * rate))
        return found[warm:]

    @contextmanager
    def _running(self, system: System, topic: str, target: str, sink: str = "") -> Iterator["_Running"]:
        group, port = _name("run"), free_port()
        directory = self._directory / group
        directory.mkdir()
        module = directory / "module.yaml"
        text = MODULE.format(address=self._address, group=group, topic=topic, target=target, port=port)
        module.write_text(text, encoding="utf-8")
        uvicorn = ("-m", "uvicorn", "--factory", "server:served", "--app-dir", str(HERE), "--port", str(port))
        quiet = ("--lifespan", "off", "--no-access-log", "--log-level", "warning")
        with ExitStack() as stack:
            stack.callback(shutil.rmtree, directory)
            environment = {"PEERS_TOPIC": sink}
            server = Child(directory / "server.log", (str(self._python), *uvicorn, *quiet), environment)
            stack.callback(server.stop)
            server.wait_until(lambda: _calls(port) is not None, "the server of functions")
            child = Child(directory / "system.log", system.command(module, directory))
            stack.callback(child.stop)
            yield _Running(system, child, server, port)


@dataclass(frozen=True, slots=True)
class _Sample:
    calls: int
    time: float
    system_cpu: float
    server_cpu: float


@dataclass(frozen=True, slots=True)
class _Running:
    system: System
    child: Child
    server: Child
    port: int

    def sample(self) -> _Sample:
        calls = _calls(self.port)
        if calls is None:
            self.server.check()
            raise TimeoutError("the server of functions does not answer")
        now = time.monotonic()
        return _Sample(calls, now, cpu_seconds(self.system.pid(self.child)), cpu_seconds(self.server.pid))

    def wait_for(self, calls: int, seconds: float) -> None:
        self.child.wait_until(lambda: (_calls(self.port) or 0) >= calls, "the first call", seconds)

    def wait_until(self, end: float, calls: int) -> None:
        """Until a time of the monotonic clock, or until so many calls."""
        far = end - time.monotonic() + FIRST_SECONDS
        self.child.wait_until(lambda: time.monotonic() > end or (_calls(self.port) or 0) >= calls, "the end", far)


def _name(prefix: str) -> str:
    return f"{prefix}-{time.time_ns()}"


def _calls(port: int) -> int | None:
    try:
        status, body = get(port, "/")
    except OSError:
        return None
    if status != 200:
        raise ChildError(f"the server of functions answers {status}: {body!r}")
    return int(body)


@contextmanager
def bench() -> Iterator[Bench]:
    """Start a broker for as long as the block runs."""
    with tempfile.TemporaryDirectory(prefix="statefun-peers-") as directory:
        port = free_port()
        broker = plain_broker(Path(directory), port)
        try:
            broker.start()
            yield Bench(Path(directory), f"127.0.0.1:{port}")
        finally:
            broker.kill()
