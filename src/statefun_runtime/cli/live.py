"""The process that owns a data directory, as commands talk to it."""

import http.client
import json
from contextlib import closing
from pathlib import Path
from typing import Any

from statefun_runtime.access import read_access
from statefun_runtime.cli.failure import CommandError, ExitCode

ANSWER_SECONDS = 30.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  compared with, not bound to


class LiveRuntime:
    """A process that runs an application, by its admin server."""

    def __init__(self, data_dir: Path, why: Exception) -> None:
        """Find how to reach the owner of `data_dir`; raises `why` if it does not say."""
        access = read_access(data_dir)
        if access is None:
            raise why
        self._access = access
        self._where = f"the runtime of {data_dir} at {access.host}:{access.port}"

    def act(self, path: str, asked: dict[str, Any], seconds: float = ANSWER_SECONDS) -> dict[str, Any]:
        """Ask for an action and wait for it. Raises CommandError if it is refused or nobody answers in time."""
        return self._request("POST", path, json.dumps(asked).encode(), seconds)

    def status(self) -> dict[str, Any]:
        """The body of `/status`. Raises CommandError if nobody answers."""
        return self._request("GET", "/status", b"", ANSWER_SECONDS)

    def _request(self, method: str, path: str, body: bytes, seconds: float) -> dict[str, Any]:
        host = _EVERYWHERE.get(self._access.host, self._access.host)
        headers = {"Authorization": f"Bearer {self._access.token}"}
        try:
            with closing(http.client.HTTPConnection(host, self._access.port, timeout=seconds)) as connection:
                connection.request(method, path, body, headers)
                response = connection.getresponse()
                answer: dict[str, Any] = json.loads(response.read())
        except TimeoutError as error:
            raise CommandError(f"{self._where} has not answered within {seconds:g} s", ExitCode.UNREACHABLE) from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise CommandError(f"{self._where} does not answer: {error}", ExitCode.UNREACHABLE) from error
        if response.status >= http.HTTPStatus.BAD_REQUEST:
            raise CommandError(f"{self._where} refuses: {answer.get('error', response.reason)}")
        return answer
