"""`statefun serve` as a process of its own."""

import socket
from pathlib import Path

from tests.e2e.command import Command


class Server:
    """An application behind a unix socket; it can be started again and again."""

    def __init__(self, directory: Path, application: str) -> None:
        self.socket = directory / "f.sock"
        self.start(application)

    def start(self, application: str) -> None:
        self.command = Command(
            self.socket.parent, "serve", application, "--unix", str(self.socket), ready=self.is_listening
        )
        self.command.wait_until_ready()

    def is_listening(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.socket)) == 0
