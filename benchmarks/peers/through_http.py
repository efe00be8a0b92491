"""Restate and this runtime at one work: calls over HTTP to a function that counts, answered when that is durable.

One client drives both, through the ingress of each. The functions are served over HTTP by a process of their own.
"""

import http.client
import json
import os
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from subprocess import run

import uvloop

from benchmarks.calls.clients import measure
from benchmarks.peers.child import Child, ChildError
from benchmarks.process import cpu_seconds
from scripts.cached_environment import cached_environment
from scripts.npm_packages import npm_package
from scripts.ports import free_port
from tests.e2e.command import ROOT, STATEFUN, get

HERE = Path(__file__).resolve().parent
RESTATE_VERSION = "1.7.12"
RESTATE_SDK = ("restate-sdk[serde]==1.3.0", "hypercorn==0.18.0", "uvloop==0.23.0")
KEYS = 100_000
CLIENTS = 64
WARM_SECONDS = 3.0
MODULE = """\
kind: io.statefun.playground.v1/ingress
spec: {{port: {ingress}}}
---
kind: io.statefun.endpoints.v2/http
spec:
  functions: calls/*
  urlPathTemplate: http://127.0.0.1:{port}/statefun
"""


@dataclass(frozen=True, slots=True)
class Calls:
    """Seconds of each call, how many were answered in a second, and microseconds of all processes for one."""

    latencies: list[float]
    rate: float
    cpu_us: float


@dataclass(frozen=True, slots=True)
class Running:
    """A system that answers calls: its port, the path of a call to an id, and its processes."""

    port: int
    path: str
    processes: tuple[Child, ...]


def calls(running: Running, seconds: float) -> Calls:
    """Let clients call random addresses for some seconds, after a warm-up."""
    makes = [_requests(running.path, number) for number in range(CLIENTS)]
    uvloop.run(measure(running.port, makes, b"200", WARM_SECONDS))
    before = sum(cpu_seconds(each.pid) for each in running.processes)
    latencies, took = uvloop.run(measure(running.port, makes, b"200", seconds))
    used = sum(cpu_seconds(each.pid) for each in running.processes) - before
    return Calls(latencies, len(latencies) / took, 1e6 * used / len(latencies))


def _requests(path: str, client: int) -> Callable[[], bytes]:
    random, body = Random(client), json.dumps("hello")

    def make() -> bytes:
        head = f"POST {path.format(id=random.randrange(KEYS))} HTTP/1.1\r\nHost: localhost\r\n"
        fields = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        return f"{head}{fields}{body}".encode()

    return make


@contextmanager
def statefun() -> Iterator[Running]:
    """This runtime, with a function server beside it."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="statefun-peers-")))
        functions, ingress, admin = free_port(), free_port(), free_port()
        module = directory / "module.yaml"
        module.write_text(MODULE.format(ingress=ingress, port=functions), encoding="utf-8")
        quiet = ("--log-level", "warning")
        serve = (STATEFUN, "serve", "benchmarks.calls.application:functions", "--port", str(functions), *quiet)
        server = Child(directory / "server.log", serve, {**os.environ, "PYTHONPATH": str(ROOT)})
        stack.callback(server.stop)
        server.wait_until(lambda: _answers(functions, "/healthz"), "the function server")
        places = ("--data", str(directory / "data"), "--admin", f"127.0.0.1:{admin}")
        command = (STATEFUN, "run", str(module), *places, *quiet)
        runtime = Child(directory / "statefun.log", command)
        stack.callback(runtime.stop)
        runtime.wait_until(lambda: _answers(admin, "/readyz"), "the runtime")
        yield Running(ingress, "/calls/counter/{id}/call", (runtime, server))


@contextmanager
def restate() -> Iterator[Running]:
    """Restate's server with its own settings, with its Python SDK on hypercorn beside it.

    Raises ChildError, InstallationError or PackageError if it cannot be had or does not start.
    """
    program, python = _program(), cached_environment("restate", RESTATE_SDK)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="statefun-peers-")))
        functions, ingress, admin, node = (free_port() for _ in range(4))
        # Without workers it serves in the process that was started, whose processor time is measured.
        at = ("--bind", f"127.0.0.1:{functions}", "--worker-class", "uvloop", "--workers", "0")
        hypercorn = (str(python), "-m", "hypercorn", "restate_counter:app", *at)
        service = Child(directory / "service.log", hypercorn, {**os.environ, "PYTHONPATH": str(HERE)})
        stack.callback(service.stop)
        service.wait_until(lambda: _answers(functions, "/"), "the function server of Restate")
        server = Child(directory / "restate.log", (str(program),), _settings(directory, ingress, admin, node))
        stack.callback(server.stop)
        server.wait_until(lambda: _answers(admin, "/health", 200), "Restate")
        _register(admin, functions)
        yield Running(ingress, "/counter/{id}/add", (server, service))


def restate_durability() -> str:
    """What Restate's own configuration says of its write-ahead logs."""
    dumped = run([_program(), "--dump-config"], capture_output=True, text=True, check=True, env={}).stdout
    log = tomllib.loads(dumped)["log-server"]
    return f"log-server rocksdb-disable-wal-fsync = {str(log['rocksdb-disable-wal-fsync']).lower()}"


def _program() -> Path:
    modules = npm_package("@restatedev/restate-server", RESTATE_VERSION)
    found = list(modules.glob("@restatedev/restate-server-*/bin/restate-server"))
    if not found:
        raise ChildError(f"Restate {RESTATE_VERSION} has no package for this platform")
    return found[0]


def _settings(directory: Path, ingress: int, admin: int, node: int) -> dict[str, str]:
    return {
        "RESTATE_BASE_DIR": str(directory / "restate"),
        "RESTATE_LISTEN_MODE": "tcp",
        "RESTATE_BIND_IP": "127.0.0.1",
        "RESTATE_BIND_PORT": str(node),
        "RESTATE_ADVERTISED_HOST": "127.0.0.1",
        "RESTATE_INGRESS__BIND_PORT": str(ingress),
        "RESTATE_ADMIN__BIND_PORT": str(admin),
        "RESTATE_DISABLE_TELEMETRY": "true",
        "RESTATE_LOG_FILTER": "warn",
    }


def _register(admin: int, functions: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", admin, timeout=30)
    try:
        body = json.dumps({"uri": f"http://127.0.0.1:{functions}"})
        connection.request("POST", "/deployments", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read().decode()
    finally:
        connection.close()
    if response.status not in {200, 201}:
        raise ChildError(f"Restate does not take its functions: {response.status} {text}")


def _answers(port: int, path: str, status: int | None = None) -> bool:
    try:
        found = get(port, path)[0]
    except (OSError, http.client.HTTPException):
        return False
    return status is None or found == status
