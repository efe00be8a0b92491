"""The URLs that functions are called at: `http`, `https`, and both over unix sockets."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote, urlsplit

from statefun_runtime.errors import ModuleError

FUNCTION_NAME = "{function.name}"

_DEFAULT_PORTS = {"http": 80, "https": 443}
_PATH_SAFE = "/%:@!$&'()*+,;=-._~"
_HOST_LABEL = re.compile(r"[A-Za-z0-9_-]{1,63}", re.ASCII)
_MAX_SOCKET_PATH = 107
"""Bytes that fit into `sockaddr_un` beside the final zero."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a connection is made to: a host and port, or the file of a unix socket."""

    secure: bool
    host: str
    port: int
    socket: str | None = None

    def __str__(self) -> str:
        if self.socket is not None:
            return self.socket
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Url:
    """A URL taken apart: `target` is path and query as the request line shows them, `host` the Host header."""

    origin: Origin
    host: str
    target: str

    def __str__(self) -> str:
        """Without the query, which may hold a secret."""
        scheme = "https" if self.origin.secure else "http"
        place = self.host if self.origin.socket is None else f"({self.origin.socket})"
        return f"{scheme}://{place}{self.target.partition('?')[0]}"


class UrlTemplate:
    """A URL with a place for a function's name. Raises ModuleError if it is not one."""

    def __init__(self, template: str) -> None:
        self._template = template
        try:
            self.secure = self.for_function("name").origin.secure
        except ValueError as error:
            raise ModuleError(f"urlPathTemplate {template!r}: {error}") from None

    def for_function(self, name: str) -> Url:
        """The URL of the function called `name`. Raises ValueError for a name that cannot stand where it has to.

        Names come with messages from outside, so a name must not be able to change any other part of the URL.
        """
        if name in {".", ".."}:
            raise ValueError(f"a function called {name!r} has no URL of its own")
        authority = urlsplit(self._template).netloc
        if FUNCTION_NAME in authority and not _HOST_LABEL.fullmatch(name):
            raise ValueError(f"the function name {name!r} cannot be part of a host name")
        return parse_url(self._template.replace(FUNCTION_NAME, quote(name, safe="")))


def parse_url(text: str) -> Url:
    """Take a URL apart. Raises ValueError that says what is wrong with it."""
    if not text.isprintable() or " " in text:
        raise ValueError("a URL holds neither spaces nor control characters")
    if "{" in text or "}" in text:
        raise ValueError(f"the only placeholder is {FUNCTION_NAME}")
    parts = urlsplit(text)
    if parts.fragment or parts.username is not None or parts.password is not None:
        raise ValueError("a user, a password or a fragment cannot be sent with a request")
    scheme, _, transport = parts.scheme.partition("+")
    if scheme not in _DEFAULT_PORTS or transport not in {"", "unix"}:
        raise ValueError("the scheme must be http, https, http+unix or https+unix")
    return _unix_url(parts) if transport else _tcp_url(parts)


def _tcp_url(parts: SplitResult) -> Url:
    host = parts.hostname
    if not host:
        raise ValueError("the host is missing")
    if ":" not in host:
        _check_host(host)
    default = _DEFAULT_PORTS[parts.scheme]
    port = parts.port or default
    header = f"[{host}]" if ":" in host else host
    if port != default:
        header = f"{header}:{port}"
    return Url(Origin(parts.scheme == "https", host, port), header, _target(parts.path, parts.query))


def _check_host(host: str) -> None:
    labels = host.removesuffix(".").split(".")
    if not all(_HOST_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{host!r} is not a host name (a name in another script is written in its ASCII form)")


def _unix_url(parts: SplitResult) -> Url:
    if parts.netloc:
        raise ValueError(f"the socket's path must be absolute: {parts.scheme}:///<path>.sock/<path of the function>")
    file, end, rest = parts.path.partition(".sock/")
    if not end and not file.endswith(".sock"):
        raise ValueError("the name of the socket's file must end in .sock")
    socket = unquote(file + end.removesuffix("/"))
    if "\0" in socket or len(socket.encode()) > _MAX_SOCKET_PATH:
        raise ValueError(f"the socket's path must fit {_MAX_SOCKET_PATH} bytes: {socket!r}")
    return Url(
        Origin(parts.scheme.startswith("https"), "localhost", 0, socket), "localhost", _target(rest, parts.query)
    )


def _target(path: str, query: str) -> str:
    target = quote("/" + path.removeprefix("/"), safe=_PATH_SAFE)
    return f"{target}?{quote(query, safe=_PATH_SAFE + '?')}" if query else target
