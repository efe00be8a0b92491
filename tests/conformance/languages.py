"""The function servers of `conformance/`: built once for each version of their sources, and run as processes."""

import hashlib
import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scripts.cached_environment import cached_environment
from scripts.ports import free_port
from statefun_runtime.conformance.trees import STATES
from tests.e2e.command import ROOT, STATEFUN, wait_until
from tests.protocol.golden import EXISTING_SDK

SOURCES = ROOT / "conformance"
BUILD_SECONDS = 180


@dataclass(frozen=True, slots=True)
class Language:
    """A function server: the tools it needs on the path, and how it is built in a folder and started from there."""

    name: str
    folder: str
    tools: tuple[str, ...]
    build: tuple[tuple[str, ...], ...]
    start: Callable[[Path], tuple[str, ...]]
    """The command, but for the port at its end."""
    states: tuple[str, ...] = STATES

    @property
    def typename(self) -> str:
        return f"{self.name}/instance"

    def missing_tools(self) -> list[str]:
        return [tool for tool in self.tools if shutil.which(tool) is None]

    def built(self) -> Path:
        """The folder of the built program, from the cache if the sources are those it was built from."""
        caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        ready = caches / "statefun-tests" / f"conformance-{self.name}-{self._key()}"
        if not ready.is_dir():
            work = ready.with_name(f"{ready.name}-{os.getpid()}")
            shutil.copytree(SOURCES / self.folder, work, ignore=shutil.ignore_patterns("__pycache__"))
            try:
                for command in self.build:
                    run(command, work)
                work.rename(ready)
            finally:
                shutil.rmtree(work, ignore_errors=True)
        return ready

    def _key(self) -> str:
        digest = hashlib.sha256(repr(self.build).encode())
        for file in sorted((SOURCES / self.folder).iterdir()):
            if file.is_file():
                digest.update(file.name.encode() + b"\0" + file.read_bytes())
        return digest.hexdigest()[:16]


def run(command: tuple[str, ...], directory: Path) -> None:
    finished = subprocess.run(
        command, cwd=directory, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
    )
    output = f"{finished.stdout[-2000:]}{finished.stderr[-2000:]}"
    assert finished.returncode == 0, f"{' '.join(command)} failed in {directory}: {output}"


LANGUAGES = (
    Language("go", "go", ("go",), (("go", "build", "-o", "server", "."),), lambda built: (str(built / "server"),)),
    Language(
        "javascript",
        "javascript",
        ("node", "npm"),
        (("npm", "install", "--no-audit", "--no-fund", "--no-package-lock"),),
        lambda built: ("node", str(built / "server.js")),
        states=("bool", "int", "float", "string", "json"),
    ),
    Language(
        "java",
        "java",
        ("java", "javac", "mvn"),
        (
            ("mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib"),
            ("javac", "-cp", "lib/*", "-d", "classes", "Server.java"),
        ),
        lambda built: ("java", "-Xmx256m", "-XX:+UseSerialGC", "-cp", f"{built}/classes:{built}/lib/*", "Server"),
    ),
    Language(
        "python",
        "python",
        (),
        (),
        lambda _: (STATEFUN, "serve", "conformance.python.server:functions", "--port"),
    ),
    Language(
        "existing-python",
        "python",
        (),
        (),
        lambda built: (str(cached_environment("flink-statefun-3.5.0", EXISTING_SDK)), str(built / "server.py")),
    ),
)
PRESENT = tuple(language for language in LANGUAGES if not language.missing_tools())


class LanguageServer:
    """A function server on a port of its own, which can be killed and started again there."""

    def __init__(self, directory: Path, language: Language) -> None:
        self.language = language
        self.port = free_port()
        self.log = directory / f"{language.name}.log"
        self._command = (*language.start(language.built()), str(self.port))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/statefun"

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self._listens, f"the start of the server in {self.language.name}")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"{self.language.name} ended by itself: {self.log.read_text()[-3000:]}"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
