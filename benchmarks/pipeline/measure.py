"""Runs the measured applications: as fast as they go, and at a rate."""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load.installed import environment
from benchmarks.process import cpu_seconds, status
from scripts.ports import free_port
from tests.e2e.command import Command, Runtime, get

APPLICATION = "benchmarks.pipeline.application:functions"
_ASGI = "benchmarks.pipeline.application:handler"
_FUNCTIONS = "benchmarks/*"
_LOAD = """\
kind: benchmarks.load/ingress
spec: {{id: benchmarks/in, target: {target}, keys: {keys}, count: {count}, rate: {rate}, fill: {fill}, size: {size}}}
---
kind: benchmarks.load/egress
spec: {{id: benchmarks/out, path: {path}, count: {count}, warm: {warm}}}
"""
_ENDPOINT = """\
---
kind: io.statefun.endpoints.v2/http
spec: {{functions: "{functions}", urlPathTemplate: "{url}"}}
"""
_WARM = 0.2
"""The share of the messages that warms everything up and does not count."""
_PATIENCE = 10.0
"""Seconds that records may come after the last message was due."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is handed in: `rate` messages a second, or with 0 as many as are taken."""

    target: str
    keys: int
    count: int
    rate: int = 0
    fill: int = 0
    """So many messages, the first, go to an address each and do not count."""
    size: int = 8
    """Bytes of a message's value."""

    @property
    def warm(self) -> int:
        """How many messages do not count."""
        return self.fill + int((self.count - self.fill) * _WARM)

    def module(self, arrivals: Path) -> str:
        """The text of a module file with this load, whose records are noted in `arrivals`."""
        return _LOAD.format(
            target=self.target,
            keys=self.keys,
            count=self.count,
            rate=self.rate,
            fill=self.fill,
            size=self.size,
            path=arrivals,
            warm=self.warm,
        )


@dataclass(frozen=True, slots=True)
class Hosting:
    """Where the functions run: `workers` of the runtime, or a server (`serve` or `uvicorn`) beside it."""

    server: str = ""
    workers: int = 0
    unix: bool = False


IN_PROCESS = Hosting()
SERVE = Hosting("serve")
UVICORN = Hosting("uvicorn")


@dataclass(frozen=True, slots=True)
class Throughput:
    """Invocations a second, and the processor time of one in microseconds: the runtime's and the server's."""

    rate: float
    runtime_us: float
    server_us: float


@dataclass(frozen=True, slots=True)
class Sample:
    """What a runtime has done at a time, and the processor time that it took, in seconds."""

    invocations: int
    time: float
    runtime_cpu: float
    server_cpu: float


def throughput(load: Load, hosting: Hosting) -> Throughput:
    """As many messages as are taken; the invocations are counted by the runtime."""
    with running(load, hosting) as run:
        first = run.wait_for(load.warm)
        last = run.wait_for(load.count)
    return between(first, last)


def between(first: Sample, last: Sample) -> Throughput:
    """What was done from one sample to the next."""
    invocations = last.invocations - first.invocations
    return Throughput(
        invocations / (last.time - first.time),
        1e6 * (last.runtime_cpu - first.runtime_cpu) / invocations,
        1e6 * (last.server_cpu - first.server_cpu) / invocations,
    )


def lateness(load: Load, hosting: Hosting, *settings: str) -> list[float]:
    """How late the records are, in milliseconds: from the time at which a message was to be handed in.

    Raises:
        TimeoutError: Records have not come ten seconds after the last message was due.
    """
    with running(load, hosting, *settings) as run:
        text = run.wait_for_arrivals(load.count / load.rate + _PATIENCE)
    return [1000 * seconds for seconds in json.loads(text)]


def percentile(values: Sequence[float], hundredth: int) -> float:
    return statistics.quantiles(values, n=100)[hundredth - 1]


@dataclass(frozen=True, slots=True)
class Running:
    """A runtime under load, and the server of its functions if they have one."""

    runtime: Runtime
    server: Command | None
    target: str
    arrivals: Path

    def wait_for(self, messages: int) -> Sample:
        """Wait until the first function was called for so many messages."""
        while True:
            functions = status(self.runtime)["functions"]
            if functions.get(self.target, {"invocations": 0})["invocations"] >= messages:
                break
            time.sleep(0.02)
        invocations = sum(each["invocations"] for each in functions.values())
        server = cpu_seconds(self.server.process.pid) if self.server else 0.0
        return Sample(invocations, time.perf_counter(), cpu_seconds(self.runtime.command.process.pid), server)

    def wait_for_arrivals(self, seconds: float) -> str:
        """What the egress noted when the last record had come. Raises TimeoutError."""
        give_up = time.monotonic() + seconds
        while not self.arrivals.exists():
            if self.runtime.command.process.poll() is not None:
                raise RuntimeError(f"the runtime ended: {self.runtime.command.log.read_text(encoding='utf-8')[-2000:]}")
            if time.monotonic() > give_up:
                raise TimeoutError(f"not all records came within {seconds:.0f} s")
            time.sleep(0.01)
        return self.arrivals.read_text(encoding="ascii")


@contextmanager
def running(load: Load, hosting: Hosting, *settings: str) -> Iterator[Running]:
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="statefun-benchmark-")))
        arrivals, module = directory / "arrivals.json", directory / "module.yaml"
        text = load.module(arrivals)
        server, url = _start_server(directory, hosting) if hosting.server else (None, "")
        if server is not None:
            stack.callback(server.kill)
            text += _ENDPOINT.format(functions=_FUNCTIONS, url=url)
        module.write_text(text, encoding="utf-8")
        what = () if hosting.server else ("--functions", APPLICATION)
        runtime = Runtime(directory, str(module), *what)
        runtime.environment = environment(directory)
        stack.callback(runtime.kill)
        runtime.start("--log-level", "warning", "--workers", str(hosting.workers), *settings)
        yield Running(runtime, server, load.target, arrivals)


def _start_server(directory: Path, hosting: Hosting) -> tuple[Command, str]:
    port = free_port()
    at = ("--host", "127.0.0.1", "--port", str(port), "--log-level", "warning")
    url = f"http://127.0.0.1:{port}/statefun"
    if hosting.server == "uvicorn":
        program: tuple[str, ...] = (str(Path(sys.executable).with_name("uvicorn")),)
        server = Command(directory, _ASGI, *at, ready=lambda: _answers(port), program=program)
    elif hosting.unix:
        socket = directory / "functions.sock"
        server = Command(directory, "serve", APPLICATION, "--unix", str(socket), ready=socket.exists)
        url = f"http+unix://{socket}/"
    else:
        server = Command(directory, "serve", APPLICATION, *at, ready=lambda: _answers(port))
    server.wait_until_ready()
    return server, url


def _answers(port: int) -> bool:
    try:
        return get(port, "/")[0] > 0
    except OSError:
        return False
