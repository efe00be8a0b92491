"""Processes of `statefun serve` that accept from one socket, so that functions use more than one core."""

import socket
import subprocess
import sys
from collections.abc import Sequence

_SERVE = (sys.executable, "-c", "from statefun_runtime.cli.main import main; main()", "serve")
_BACKLOG = 1024
STOP_SECONDS = 30.0


class FunctionServers:
    """Serves functions, given as `module:attribute`, on a free port of loopback. They log to this terminal."""

    def __init__(self, functions: str, processes: int) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        descriptor = self._socket.fileno()
        command = (*_SERVE, functions, "--fd", str(descriptor), "--log-level", "warning")
        # In a process group of their own: Ctrl-C at the terminal is for the process that stops them in order.
        self._processes: Sequence[subprocess.Popen[bytes]] = [
            subprocess.Popen(command, pass_fds=(descriptor,), stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
            for _ in range(processes)
        ]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/"

    def ended(self) -> int | None:
        """The exit code of a process that has ended by itself, if there is one."""
        return next((code for process in self._processes if (code := process.poll()) is not None), None)

    def stop(self) -> None:
        """Let requests under way finish, then end; what does not end is killed."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._socket.close()
