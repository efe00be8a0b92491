"""How an endpoint is called over HTTP: time limits, connections, certificates.

Two transports of Flink Stateful Functions 3.3 can be named in a module file. Here both are carried out by one client;
what they differ in is which properties they take and the defaults.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias, cast

from pydantic import Discriminator, Field, Tag, model_validator

from statefun_runtime.module.spec import Duration, LocalPath, Size, StrictModel

ASYNC: Final = "io.statefun.transports.v1/async"
OKHTTP: Final = "io.statefun.transports.v1/okhttp"


@dataclass(frozen=True, slots=True)
class TransportSpec:
    """The settings of one endpoint's client. Times are milliseconds, sizes bytes.

    `call_timeout` limits a whole call, the others its parts; `None` leaves a part limited by the call alone. `pool_ttl`
    is how long an idle connection is kept, `pool_size` how many connections there are at most.
    """

    call_timeout: int
    connect_timeout: int
    read_timeout: int | None = None
    write_timeout: int | None = None
    pool_ttl: int = 15_000
    pool_size: int = 1024
    payload_max_bytes: int = 32 << 20
    trust_cacerts: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    client_key_password: Path | None = None


class Timeouts(StrictModel):
    """Time limits of the okhttp transport and of endpoints.v1."""

    call: Duration = 60_000
    connect: Duration = 10_000
    read: Duration = 10_000
    write: Duration = 10_000

    def transport(self) -> TransportSpec:
        return TransportSpec(self.call, self.connect, self.read, self.write)


class OkHttpTransport(StrictModel):
    """`io.statefun.transports.v1/okhttp`."""

    type: Literal["io.statefun.transports.v1/okhttp"]
    timeouts: Timeouts = Timeouts()

    def transport(self) -> TransportSpec:
        return self.timeouts.transport()


class AsyncTimeouts(StrictModel):
    """Another place for two time limits of the async transport; it wins over `call` and `connect` beside it."""

    call: Duration | None = None
    connect: Duration | None = None


class AsyncTransport(StrictModel):
    """`io.statefun.transports.v1/async`, the default of endpoints.v2."""

    type: Literal["io.statefun.transports.v1/async"] = ASYNC
    timeouts: AsyncTimeouts = AsyncTimeouts()
    call: Duration = 120_000
    connect: Duration = 20_000
    pool_ttl: Duration = 15_000
    pool_size: Annotated[int, Field(gt=0)] = 1024
    payload_max_bytes: Size = 32 << 20
    trust_cacerts: LocalPath | None = None
    client_cert: LocalPath | None = None
    client_key: LocalPath | None = None
    client_key_password: LocalPath | None = None

    @model_validator(mode="after")
    def _check(self) -> "AsyncTransport":
        if (self.client_cert is None) != (self.client_key is None):
            raise ValueError("client_cert and client_key belong together: give both or none")
        if self.client_key_password is not None and self.client_key is None:
            raise ValueError("client_key_password is given without a client_key")
        for path in (self.trust_cacerts, self.client_cert, self.client_key, self.client_key_password):
            if path is not None and str(path).startswith("classpath:"):
                raise ValueError(f"{path} is found by a JVM only: give a file, for example in an overlay")
        return self

    def transport(self) -> TransportSpec:
        return TransportSpec(
            call_timeout=self.timeouts.call or self.call,
            connect_timeout=self.timeouts.connect or self.connect,
            pool_ttl=self.pool_ttl,
            pool_size=self.pool_size,
            payload_max_bytes=self.payload_max_bytes,
            trust_cacerts=self.trust_cacerts,
            client_cert=self.client_cert,
            client_key=self.client_key,
            client_key_password=self.client_key_password,
        )


def _transport_type(value: object) -> object:
    if isinstance(value, dict):
        return cast("dict[str, object]", value).get("type", ASYNC)
    return getattr(value, "type", ASYNC)


Transport: TypeAlias = Annotated[
    Annotated[AsyncTransport, Tag(ASYNC)] | Annotated[OkHttpTransport, Tag(OKHTTP)], Discriminator(_transport_type)
]
