"""Flink's processes on this machine: their files, their start and their end."""

import os
import subprocess
from collections.abc import Mapping, Sequence
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
    """One process of Java. It logs into the file `log`; what Java itself prints is in `out`."""

    def __init__(self, home: Home, name: str, class_path: Sequence[Path], arguments: Sequence[str]) -> None:
        self.name = name
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

    def ended(self) -> int | None:
        """The exit code once it has ended."""
        return self._process.poll()

    def wait(self, seconds: float) -> bool:
        """Whether it ends by itself within a time."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """End it at once, if it runs: durable is what the last checkpoint holds."""
        self._process.kill()
        self._process.wait()

    def tail(self) -> str:
        """The last lines of its log and of what it printed."""
        read = [file.read_text(encoding="utf-8", errors="replace").splitlines() for file in (self.log, self.out)]
        return "\n".join(line for lines in read for line in lines[-TAIL_LINES:])


def mini_cluster(home: Home, jars: Sequence[Path], extension: Path) -> FlinkProcess:
    """All of Flink in one process. `extension` is a directory of classes beside Flink's archives."""
    core = next(jar for jar in jars if jar.name.startswith("statefun-flink-core"))
    arguments = ("org.apache.flink.client.cli.CliFrontend", "run", "-c", JOB_CLASS, str(core))
    return FlinkProcess(home, "flink", (extension, *jars), arguments)


def _write_private(file: Path, text: str) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
