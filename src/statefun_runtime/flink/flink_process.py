"""Flink's processes on this machine: their files, their start and their end."""

import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from statefun_runtime.errors import FlinkError
from statefun_runtime.flink.archives import java
from statefun_runtime.flink.configuration import JAVA_OPTIONS, JOB_CLASS, as_yaml

_LOG4J = """\
log4j.rootLogger=INFO, file
log4j.appender.file=org.apache.log4j.RollingFileAppender
log4j.appender.file.File={log}
log4j.appender.file.MaxFileSize=50MB
log4j.appender.file.MaxBackupIndex=2
log4j.appender.file.layout=org.apache.log4j.PatternLayout
log4j.appender.file.layout.ConversionPattern=%d %-5p %c - %m%n
"""
_HEAP = "-Xmx1g"
TAIL_LINES = 30
STOP_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Home:
    """The directory of a local Flink: configuration, module file, log, checkpoints and savepoints."""

    path: Path

    @property
    def module(self) -> Path:
        return self.path / "conf" / "module.yaml"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def savepoints(self) -> Path:
        return self.path / "savepoints"

    def log(self, name: str) -> Path:
        return self.path / "log" / f"{name}.log"

    def newest_checkpoint(self, since: float) -> Path | None:
        """The newest checkpoint that is whole, if it was made after a time (in seconds since 1970)."""
        return _newest(self.checkpoints.glob("*/chk-*/_metadata"), since)

    def newest_savepoint(self, since: float) -> Path | None:
        """The newest savepoint that is whole, as `newest_checkpoint`."""
        return _newest(self.savepoints.glob("savepoint-*/_metadata"), since)

    def write(self, module: str, configuration: Mapping[str, str]) -> None:
        """Write what Flink reads; for its owner alone, since a module file may hold passwords. Raises FlinkError."""
        try:
            for directory in (self.module.parent, self.log("").parent, self.checkpoints, self.savepoints):
                directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write_private(self.module, module)
            _write_private(self.path / "conf" / "flink-conf.yaml", as_yaml(configuration))
        except OSError as error:
            raise FlinkError(f"{error.filename} cannot be written: {error.strerror}") from error


class FlinkProcess:
    """One process of Java. It logs into the file `log`; what Java itself prints is in `out`.

    One that is `transient` has done its task when it ends with success.
    """

    def __init__(
        self, home: Home, name: str, class_path: Sequence[Path], arguments: Sequence[str], *, transient: bool = False
    ) -> None:
        self.name = name
        self._transient = transient
        self.log = home.log(name)
        self.out = self.log.with_suffix(".out")
        self.log.write_bytes(b"")
        properties = home.path / "conf" / f"log4j-{name}.properties"
        properties.write_text(_LOG4J.format(log=self.log), encoding="utf-8")
        command = [
            *(str(java()), *JAVA_OPTIONS, _HEAP, f"-Dlog4j.configuration={properties.as_uri()}"),
            *("-cp", os.pathsep.join(map(str, class_path)), *arguments),
        ]
        environment = {**os.environ, "FLINK_CONF_DIR": str(home.path / "conf")}
        with self.out.open("wb") as out:
            # In a process group of its own: Ctrl-C at the terminal is for the process that stops it in order.
            self._process = subprocess.Popen(  # noqa: S603  # our own words and paths
                command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )

    def failed(self) -> int | None:
        """The exit code once it has ended, unless that was its task."""
        code = self._process.poll()
        return None if code == 0 and self._transient else code

    def stop(self) -> None:
        """End it; at once if it does not end by itself. Durable is what the last checkpoint or savepoint holds."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def tail(self) -> str:
        """The last lines of its log and of what it printed."""
        read = [file.read_text(encoding="utf-8", errors="replace").splitlines() for file in (self.log, self.out)]
        return "\n".join(line for lines in read for line in lines[-TAIL_LINES:])


def mini_cluster(home: Home, jars: Sequence[Path], extension: Path) -> Iterator[FlinkProcess]:
    """All of Flink in one process. `extension` is a directory of classes beside Flink's archives."""
    yield FlinkProcess(home, "flink", (extension, *jars), _submission(jars))


def cluster(home: Home, jars: Sequence[Path], extension: Path, task_managers: int) -> Iterator[FlinkProcess]:
    """A JobManager, TaskManagers, and a client that hands them the job and ends."""
    class_path = (extension, *jars)
    configured = ("--configDir", str(home.path / "conf"))
    runtime = "org.apache.flink.runtime"
    yield FlinkProcess(
        home, "jobmanager", class_path, (f"{runtime}.entrypoint.StandaloneSessionClusterEntrypoint", *configured)
    )
    for number in range(1, task_managers + 1):
        task_manager = (f"{runtime}.taskexecutor.TaskManagerRunner", *configured)
        yield FlinkProcess(home, f"taskmanager-{number}", class_path, task_manager)
    yield FlinkProcess(home, "client", class_path, _submission(jars), transient=True)


def _submission(jars: Sequence[Path]) -> tuple[str, ...]:
    core = next(jar for jar in jars if jar.name.startswith("statefun-flink-core"))
    return ("org.apache.flink.client.cli.CliFrontend", "run", "-c", JOB_CLASS, str(core))


def _newest(metadata: Iterable[Path], since: float) -> Path | None:
    """The directory whose metadata, which is written last, is the newest and not older than `since`."""
    made = {file.parent: file.stat().st_mtime for file in metadata}
    newest = max(made, key=lambda directory: made[directory], default=None)
    return newest if newest is not None and made[newest] >= since else None


def _write_private(file: Path, text: str) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
