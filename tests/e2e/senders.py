"""Senders that keep a runtime busy while it is killed, and know which messages were acknowledged."""

import http.client
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from tests.e2e.command import Runtime


@dataclass
class Sender:
    """Sends numbered messages to an address of its own, one after the other, each once."""

    id: str
    sent: list[str] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    """The statuses of the other answers."""
    connection: http.client.HTTPConnection | None = None

    def request(self, text: str) -> tuple[str, str, str]:
        """The path, the body and the content type of the message `text`."""
        return f"/e2e/greeter/{self.id}", text, "text/plain"

    def send_next(self, port: int) -> bool:
        """Send a message; tell whether it was acknowledged. What became of it otherwise is unknown."""
        text = str(len(self.sent))
        path, body, content_type = self.request(text)
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            if self.connection.sock is None:
                self.connection.connect()
        except OSError:
            self.connection = None
            return False
        self.sent.append(text)
        try:
            self.connection.request("PUT", path, body, {"Content-Type": content_type})
            response = self.connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = None
            return False
        if response.status == http.HTTPStatus.ACCEPTED:
            self.acknowledged.append(text)
            return True
        self.refused.append(response.status)
        return False


class Load:
    """Several senders in threads of their own, until the end of the `with` block."""

    def __init__(self, runtime: Runtime, senders: int, make: Callable[[str], Sender] = Sender) -> None:
        self.senders = [make(f"sender-{number}") for number in range(senders)]
        self._port = runtime.ingress_port
        self._acknowledged = 0
        self._changed = threading.Condition()
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(sender,)) for sender in self.senders]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()
        for sender in self.senders:
            if sender.connection is not None:
                sender.connection.close()

    def wait_for(self, messages: int) -> None:
        """Wait until that many more messages were acknowledged."""
        with self._changed:
            wanted = self._acknowledged + messages
            assert self._changed.wait_for(lambda: self._acknowledged >= wanted, 30), "no message gets through"

    def _run(self, sender: Sender) -> None:
        while not self._done.is_set():
            if sender.send_next(self._port):
                with self._changed:
                    self._acknowledged += 1
                    self._changed.notify_all()
            else:
                self._done.wait(0.005)
