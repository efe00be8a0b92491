"""URLs of endpoints: `http://`, `https://`, and both over a unix socket."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import SplitResult, urlsplit

FUNCTION_NAME = "{function.name}"
"""The one placeholder of a URL template: it stands for the name of the function type, without its namespace."""

_PLACEHOLDER = re.compile(r"\{[^{}]*\}?|\}")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class EndpointUrl:
    """Where requests go: a TCP host and port, or the file of a unix socket, and the path (with query) to ask there."""

    secure: bool
    host: str
    port: int
    path: str
    socket: str | None = None


def parse_url(text: str) -> EndpointUrl:
    """Take a URL apart. Of `http+unix:///run/app.sock/statefun` the socket ends with the first part named `*.sock`.

    Raises:
        ValueError: The scheme is unknown, or the URL lacks its host or its socket, or carries credentials.
    """
    if any(character.isspace() or not character.isprintable() for character in text):
        raise ValueError("must not contain spaces or control characters")
    parts = urlsplit(text)
    scheme, _, over = parts.scheme.partition("+")
    if scheme not in _DEFAULT_PORTS or over not in {"", "unix"}:
        raise ValueError(f"has the scheme {parts.scheme!r}; http, https, http+unix and https+unix are supported")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not carry credentials: they would show wherever the URL is shown")
    return _unix_url(parts, scheme) if over else _tcp_url(parts, scheme)


def check_url_template(text: str) -> str:
    """Return `text` if it is a URL in which only `{function.name}` is left open; a ValueError otherwise."""
    for placeholder in _PLACEHOLDER.findall(text):
        if placeholder != FUNCTION_NAME:
            raise ValueError(f"contains {placeholder}; the only placeholder is {FUNCTION_NAME}")
    parse_url(text.replace(FUNCTION_NAME, "name"))
    return text


def _tcp_url(parts: SplitResult, scheme: str) -> EndpointUrl:
    if not parts.hostname:
        raise ValueError(f"has no host; it must read {scheme}://<host>:<port>/<path>")
    port, path = parts.port, _with_query(parts.path, parts)
    if port == 0:
        raise ValueError("has port 0")
    return EndpointUrl(scheme == "https", parts.hostname, port or _DEFAULT_PORTS[scheme], path)


def _unix_url(parts: SplitResult, scheme: str) -> EndpointUrl:
    names = PurePosixPath(parts.path).parts
    socket_at = next((at for at, name in enumerate(names) if name.endswith(".sock")), None)
    if parts.netloc or socket_at is None:
        raise ValueError(f"must read {scheme}+unix:///<directory>/<name>.sock/<path>: the socket's file ends in .sock")
    socket = str(PurePosixPath(*names[: socket_at + 1]))
    path = "/" + "/".join(names[socket_at + 1 :])
    return EndpointUrl(scheme == "https", "localhost", _DEFAULT_PORTS[scheme], _with_query(path, parts), socket)


def _with_query(path: str, parts: SplitResult) -> str:
    return f"{path or '/'}?{parts.query}" if parts.query else path or "/"
