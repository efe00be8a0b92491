"""`statefun` as a process of its own, which can be stopped and killed."""

import http.client
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from scripts.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
STATEFUN = str(Path(sys.executable).with_name("statefun"))
SECONDS = 30.0


def statefun(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run([STATEFUN, *arguments], cwd=cwd, capture_output=True, text=True, timeout=SECONDS, check=False)


def get(port: int, path: str, host: str = "127.0.0.1") -> tuple[int, bytes]:
    """The status and the body of a GET on loopback. Raises OSError or HTTPException if there is none."""
    connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Poll until `condition` holds; an AssertionError that says `what` did not happen in time."""
    give_up = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < give_up, f"{what} did not happen within {SECONDS} s"
        time.sleep(0.01)


class Command:
    """A command that runs until it is stopped. Its output goes to a log file."""

    def __init__(
        self,
        directory: Path,
        *arguments: str,
        ready: Callable[[], bool],
        cwd: Path = ROOT,
        environment: Mapping[str, str] | None = None,
        program: Sequence[str] = (STATEFUN,),
    ) -> None:
        self.log = directory / f"{arguments[0]}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*program, *arguments],
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._ready = ready

    def wait_until_ready(self) -> None:
        def ready() -> bool:
            assert self.process.poll() is None, f"it ended by itself: {self.log.read_text()}"
            return self._ready()

        wait_until(ready, f"the start of {self.process.args!r}")

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        """Its exit code."""
        return self.process.wait(SECONDS)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(SECONDS)


class Runtime:
    """`statefun run` on free ports and a data directory of its own; it can be started again and again."""

    def __init__(self, directory: Path, *what: str, cwd: Path = ROOT) -> None:
        self.directory = directory
        self.data = directory / "data"
        self.environment: Mapping[str, str] | None = None
        """Of the process, from its next start on; `None` is that of the tests."""
        self.program: Sequence[str] = (STATEFUN,)
        """What is run instead of `statefun`, from its next start on."""
        self.ingress_port = free_port()
        self.egress_port = free_port()
        self.admin_port = free_port()
        self._what = what
        self._cwd = cwd
        self._command: Command | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ingress_port}"

    @property
    def command(self) -> Command:
        assert self._command is not None
        return self._command

    def launch(self, *settings: str) -> None:
        """Start it without waiting, with further flags."""
        self._command = Command(
            self.directory,
            "run",
            *self._what,
            *("--data", str(self.data), "--admin", f"127.0.0.1:{self.admin_port}"),
            *("--http-port", str(self.ingress_port), "--http-egress-port", str(self.egress_port)),
            *settings,
            ready=self.is_ready,
            cwd=self._cwd,
            environment=self.environment,
            program=self.program,
        )

    def start(self, *settings: str) -> "Runtime":
        self.launch(*settings)
        self.command.wait_until_ready()
        return self

    def is_ready(self) -> bool:
        try:
            return get(self.admin_port, "/readyz")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def stop(self) -> int:
        """Stop it by Ctrl-C; its exit code."""
        self.command.send(signal.SIGINT)
        return self.command.wait()

    def kill(self) -> None:
        if self._command is not None:
            self._command.kill()
