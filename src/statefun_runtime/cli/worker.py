"""What runs in a worker: functions behind a unix socket, for the runtime that has started the process.

Usage: python -m statefun_runtime.cli.worker APP:FUNCTIONS LOG_LEVEL LOG_FORMAT SOCKET CONTROL
"""

import asyncio
import json
import os
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import cast

from statefun import StatefulFunctions
from statefun_runtime.cli import process
from statefun_runtime.cli.loading import load_functions
from statefun_runtime.endpoint.listener import ListenAddress
from statefun_runtime.endpoint.server import FunctionServer
from statefun_runtime.errors import StatefunRuntimeError
from statefun_runtime.logs import LogFormat, configure_logging


def command(reference: str, level: str, log_format: LogFormat) -> tuple[str, ...]:
    """The command of a worker but for its two sockets."""
    return sys.executable, "-m", __name__, reference, level, log_format


def main() -> None:
    reference, level, log_format, path, control = sys.argv[1:]
    configure_logging(level, cast("LogFormat", log_format))
    with socket.socket(fileno=int(control)) as runtime:
        threading.Thread(target=_end_with, args=(runtime, Path(path)), daemon=True).start()
        try:
            functions = load_functions(reference)
        except StatefunRuntimeError as error:
            _say(runtime, {"error": str(error)})
            sys.exit(1)
        process.tune()
        process.run(_serve(functions, Path(path), runtime))


def _end_with(runtime: socket.socket, path: Path) -> None:
    """End this process when the runtime is gone, though a function keeps the event loop."""
    try:
        runtime.recv(1)
        path.unlink(missing_ok=True)
        with suppress(OSError):  # other workers have their sockets in it
            path.parent.rmdir()
    finally:
        os._exit(0)


async def _serve(functions: StatefulFunctions, path: Path, runtime: socket.socket) -> None:
    await FunctionServer(functions.as_handler(), ListenAddress(path=path)).start()
    _say(runtime, {"functions": {spec.typename: spec.location for spec in functions}})
    await asyncio.get_running_loop().create_future()


def _say(runtime: socket.socket, what: dict[str, object]) -> None:
    runtime.sendall(json.dumps(what).encode() + b"\n")


if __name__ == "__main__":
    main()
