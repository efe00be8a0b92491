"""Clients that call a function and ask again with the same key until they are answered, whatever is killed."""

import http.client
import threading
from dataclasses import dataclass, field
from typing import Self

from tests.e2e.command import Runtime, wait_until


def ask(port: int, path: str, body: str, key: str | None, seconds: float = 10) -> tuple[int, bytes]:
    """The status and the body of the answer to one request. Raises OSError or HTTPException if there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("POST", path, body, {} if key is None else {"Idempotency-Key": key})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@dataclass
class Caller:
    """Calls an address of its own, one key after the other, until it is told to end."""

    name: str
    port: int
    replies: list[int] = field(default_factory=list[int])
    """Of each call, in order."""
    attempts: int = 0
    refused: list[tuple[int, bytes]] = field(default_factory=list[tuple[int, bytes]])
    """The answers that say neither the reply nor to come again."""

    def __post_init__(self) -> None:
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        self._thread.start()

    def _run(self) -> None:
        while not self._done.is_set():
            reply = self._call(f"{self.name}-{len(self.replies)}")
            if reply is None:
                return
            self.replies.append(reply)

    def _call(self, key: str) -> int | None:
        while True:
            self.attempts += 1
            try:
                status, body = ask(self.port, f"/e2e/tally/{self.name}/call", key, key)
            except (OSError, http.client.HTTPException):
                self._done.wait(0.005)
                continue
            if status == http.HTTPStatus.OK:
                return int(body)
            if status not in (http.HTTPStatus.SERVICE_UNAVAILABLE, http.HTTPStatus.TOO_MANY_REQUESTS):
                self.refused.append((status, body))
                return None

    def end(self) -> None:
        """Finish the call under way, which needs a runtime, and end."""
        self._done.set()
        self._thread.join()


class Callers:
    """Several callers, until the end of the `with` block."""

    def __init__(self, runtime: Runtime, count: int) -> None:
        self.callers = [Caller(f"caller-{number}", runtime.ingress_port) for number in range(count)]

    def __enter__(self) -> Self:
        for caller in self.callers:
            caller.start()
        return self

    def wait_for_replies(self) -> None:
        """Wait until each of them has got another reply."""
        replies = [len(caller.replies) for caller in self.callers]

        def have_more() -> bool:
            return all(len(caller.replies) > count for caller, count in zip(self.callers, replies, strict=True))

        wait_until(have_more, "a reply to each caller")

    def __exit__(self, *error: object) -> None:
        for caller in self.callers:
            caller.end()
