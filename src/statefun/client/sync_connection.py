"""HTTP connections that block, and are used again."""

import http.client
import time
from threading import Lock
from typing import NamedTuple

from statefun.client.exchange import Answer, Broken, Request
from statefun.client.location import IDLE_SECONDS, MAX_ANSWER_BYTES, Location


class _Idle(NamedTuple):
    connection: http.client.HTTPConnection
    since: float


class SyncConnections:
    """Makes requests, each on a connection of its own while it lasts. May be used by several threads.

    The `seconds` of a request are the longest silence: a server that goes on sending is heard.
    """

    def __init__(self, location: Location) -> None:
        self._location = location
        self._idle: list[_Idle] = []
        self._lock = Lock()

    def exchange(self, request: Request) -> Answer | Broken:
        """Make a request and read the answer. Never raises for what happens on the way."""
        connection = self._take(request.seconds)
        try:
            if connection.sock is not None:
                connection.sock.settimeout(request.seconds)
            else:
                connection.connect()
        except OSError as error:
            connection.close()
            return Broken(f"{self._location.authority} cannot be reached: {error}", maybe_taken=False)
        try:
            answer, reusable = self._on(connection, request)
        except TimeoutError:
            connection.close()
            return Broken(f"no answer from {self._location.authority} within {request.seconds:g} s", maybe_taken=True)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            return Broken(f"the connection to {self._location.authority} broke: {error!r}", maybe_taken=True)
        except BaseException:
            connection.close()
            raise
        if reusable:
            with self._lock:
                self._idle.append(_Idle(connection, time.monotonic()))
        else:
            connection.close()
        return answer

    def close(self) -> None:
        """Close what is idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for entry in idle:
            entry.connection.close()

    def _take(self, seconds: float) -> http.client.HTTPConnection:
        with self._lock:
            while self._idle:
                entry = self._idle.pop()
                if time.monotonic() - entry.since < IDLE_SECONDS:
                    return entry.connection
                entry.connection.close()
        location = self._location
        if location.tls is not None:
            return http.client.HTTPSConnection(location.host, location.port, timeout=seconds, context=location.tls)
        return http.client.HTTPConnection(location.host, location.port, timeout=seconds)

    def _on(self, connection: http.client.HTTPConnection, request: Request) -> tuple[Answer, bool]:
        headers = {"Host": self._location.authority, **self._location.headers, **request.headers}
        connection.request(request.method, self._location.path + request.path, request.body, headers)
        response = connection.getresponse()
        # Of a response with a length, only a read of all of it tells that a part is missing.
        body = response.read(MAX_ANSWER_BYTES + 1) if response.length is None else b""
        if max(response.length or 0, len(body)) > MAX_ANSWER_BYTES:
            raise http.client.HTTPException(f"an answer of more than {MAX_ANSWER_BYTES} bytes")
        body += response.read()
        lower = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, lower, body), not response.will_close
