"""Where functions are called over HTTP, and within which limits."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTls:
    """Files of TLS, all in PEM. Without `trust_cacerts` the system's are trusted."""

    trust_cacerts: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    client_key_password: Path | None = None
    """A file that holds the password, not the password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpTarget:
    """An HTTP endpoint as the client needs it. Times are in milliseconds; the defaults are those of Flink StateFun."""

    url_path_template: str
    """The URL of a function; `{function.name}` stands for the name in its typename."""
    call_timeout: int = 120_000
    """For one call, from the moment it is no longer queued to the last byte of its reply."""
    connect_timeout: int = 20_000
    pool_ttl: int = 15_000
    """How long an idle connection is kept."""
    max_in_flight: int = 1024
    """How many calls are under way at once; others wait in the order they came."""
    max_reply_bytes: int = 32 * 1024 * 1024
    """The largest reply, before and after it is decompressed."""
    tls: ClientTls = ClientTls()
