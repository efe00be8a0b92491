"""Where the function server listens: TCP or a unix socket, either with TLS."""

import asyncio
import socket
import ssl
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from statefun_runtime.errors import ConfigError

_BACKLOG = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenAddress:
    """`path` is that of a unix socket and wins over host and port, `fd` over all. Port 0 takes a free one.

    `fd` is the file descriptor of a TCP socket that the parent process bound: several processes accept from one.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    path: Path | None = None
    tls: ssl.SSLContext | None = None
    fd: int | None = None


async def listen(address: ListenAddress, new_connection: Callable[[], asyncio.BaseProtocol]) -> asyncio.Server:
    """Accept connections at `address`. Raises ConfigError if it cannot be had."""
    loop = asyncio.get_running_loop()
    if address.path is not None:
        unix = bind_unix(address.path)
        return await loop.create_unix_server(new_connection, sock=unix, ssl=address.tls, backlog=_BACKLOG)
    try:
        if address.fd is not None:
            inherited = socket.socket(fileno=address.fd)
            return await loop.create_server(new_connection, sock=inherited, ssl=address.tls, backlog=_BACKLOG)
        return await loop.create_server(new_connection, address.host, address.port, ssl=address.tls, backlog=_BACKLOG)
    except OSError as error:
        place = f"{address.host}:{address.port}" if address.fd is None else f"file descriptor {address.fd}"
        raise ConfigError(f"cannot listen on {place}: {error}") from None


def bind_unix(path: Path) -> socket.socket:
    """A bound socket at `path`, which only its owner may connect to. Raises ConfigError.

    A socket file that nobody listens on, as a killed process leaves it, is replaced; no other file is.
    """
    _remove_stale(path)
    unix = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        unix.bind(str(path))
        # Nobody can connect before `listen`, so nobody can before this.
        path.chmod(0o600)
    except OSError as error:
        unix.close()
        raise ConfigError(f"cannot listen on the unix socket {path}: {error}") from None
    unix.setblocking(False)
    return unix


def _remove_stale(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(f"cannot look at {path}: {error}") from None
    if not stat.S_ISSOCK(mode):
        raise ConfigError(f"{path} exists and is not a socket; name another path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        # A live server with a full backlog does not answer at once, and is not stale either.
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise ConfigError(f"cannot tell whether somebody listens on {path}: {error}") from None
        else:
            raise ConfigError(f"another server listens on {path}")
