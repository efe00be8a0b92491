"""Where a client sends to."""

import ssl
from collections.abc import Mapping
from typing import NamedTuple, Self
from urllib.parse import urlsplit

IDLE_SECONDS = 15.0
"""How long an idle connection is kept: less than servers do, since one that is closed meanwhile costs an attempt."""
MAX_ANSWER_BYTES = 256 << 20


class Location(NamedTuple):
    """A server, the path below which it serves, and what goes with every request to it."""

    host: str
    port: int
    authority: str
    path: str
    tls: ssl.SSLContext | None
    headers: Mapping[str, str]

    @classmethod
    def parse(cls, url: str, headers: Mapping[str, str] | None, tls: ssl.SSLContext | None) -> Self:
        """The location of a URL; without `tls`, https takes the system's certificates. Raises ValueError."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            raise ValueError(f"{url!r} is not a URL such as http://127.0.0.1:8090")
        if parts.username is not None or parts.query or parts.fragment:
            raise ValueError("the URL of a client has no user, query or fragment; give credentials as headers")
        secure = parts.scheme == "https"
        context = (tls or ssl.create_default_context()) if secure else None
        port = parts.port or (443 if secure else 80)
        return cls(parts.hostname, port, parts.netloc, parts.path.rstrip("/"), context, dict(headers or {}))
