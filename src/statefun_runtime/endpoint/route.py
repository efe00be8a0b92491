"""Where the calls of one function go: the place to connect to and the head of each request."""

import re
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from statefun_runtime.module.endpoint_url import FUNCTION_NAME, EndpointUrl, parse_url

_PATH_SAFE = "/%:@!$&'()*+,;=-._~?"
_HOST_LABEL = re.compile(r"[A-Za-z0-9_-]{1,63}", re.ASCII)
_MAX_SOCKET_PATH = 107
"""Bytes that fit into `sockaddr_un` beside the final zero."""


class Origin(NamedTuple):
    """What connections are made to. Requests to one origin share its connections."""

    secure: bool
    host: str
    port: int
    socket: str | None

    def __str__(self) -> str:
        return self.socket or f"{_bracketed(self.host)}:{self.port}"


class Route(NamedTuple):
    """The way to one function. `head` is a request up to the value of its Content-Length."""

    origin: Origin
    head: bytes
    url: str
    """For people to read; without the query, which may hold a secret."""


def find_route(url_template: str, typename: str) -> Route:
    """The route to the function `typename`. Raises ValueError for a name that cannot stand where the template has it.

    Typenames come with messages from outside, so a name must not be able to change any other part of the URL.
    """
    name = typename.rpartition("/")[2]
    if FUNCTION_NAME in url_template:
        _check_name(name, url_template)
    url = parse_url(url_template.replace(FUNCTION_NAME, quote(name, safe="")))
    if url.socket is not None and len(url.socket.encode()) > _MAX_SOCKET_PATH:
        raise ValueError(f"the socket's path is longer than {_MAX_SOCKET_PATH} bytes: {url.socket}")
    origin = Origin(url.secure, url.host, url.port, url.socket)
    target = quote(url.path, safe=_PATH_SAFE)
    host = _host_header(url)
    scheme = "https" if url.secure else "http"
    place = host if url.socket is None else f"({url.socket})"
    return Route(origin, _head(target, host), f"{scheme}://{place}{target.partition('?')[0]}")


def _check_name(name: str, url_template: str) -> None:
    if name in {".", ".."}:
        raise ValueError(f"a function called {name!r} has no URL of its own")
    if FUNCTION_NAME in urlsplit(url_template).netloc and not _HOST_LABEL.fullmatch(name):
        raise ValueError(f"the function's name {name!r} cannot be part of a host name")


def _host_header(url: EndpointUrl) -> str:
    if url.socket is not None:
        return "localhost"
    try:
        host = _bracketed(url.host).encode("idna").decode("ascii")
    except UnicodeError as error:
        raise ValueError(f"{url.host!r} is not a host name ({error})") from None
    return host if url.port == (443 if url.secure else 80) else f"{host}:{url.port}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _head(target: str, host: str) -> bytes:
    return (
        f"POST {target} HTTP/1.1\r\n"
        f"host: {host}\r\n"
        "user-agent: statefun\r\n"
        "accept: application/octet-stream\r\n"
        "accept-encoding: gzip,deflate\r\n"
        "content-type: application/octet-stream\r\n"
        "content-length: "
    ).encode("ascii")
