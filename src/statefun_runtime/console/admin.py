"""The admin server: health, readiness, metrics and status of a running runtime, on loopback by default."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from statefun_runtime.errors import ConfigError
from statefun_runtime.http_server import LOOPBACK, Handler, HttpError, HttpServer
from statefun_runtime.metrics import CONTENT_TYPE


@dataclass(frozen=True, slots=True)
class Probes:
    """What the admin server asks the runtime; all are called on the event loop and must be quick."""

    unready: Callable[[], str | None]
    """Why the runtime takes no messages now; `None` if it does."""
    metrics: Callable[[], bytes]
    """The metrics in the format of `metrics.CONTENT_TYPE`."""
    status: Callable[[], Mapping[str, object]]
    """What the runtime is doing, as JSON."""


class AdminServer:
    """Serves `/healthz`, `/readyz`, `/metrics` and `/status`, and the routes added before the start."""

    def __init__(self, probes: Probes, port: int, host: str = LOOPBACK) -> None:
        self._probes = probes
        self._wanted_port = port
        self._routes: dict[tuple[str, str], Handler] = {}
        self._server = HttpServer(self._answer, host, port)
        self.add_route("GET", "/healthz", self._healthz)
        self.add_route("GET", "/readyz", self._readyz)
        self.add_route("GET", "/metrics", self._metrics)
        self.add_route("GET", "/status", self._status)

    def add_route(self, method: str, path: str, handler: Handler) -> None:
        """Answer `method` on exactly `path` with `handler`. Raises ValueError if the route is taken."""
        if (method, path) in self._routes:
            raise ValueError(f"{method} {path} has a handler already")
        self._routes[method, path] = handler

    @property
    def port(self) -> int:
        """The port in use, once started."""
        return self._server.port

    async def start(self) -> None:
        """Listen. Raises ConfigError if the port cannot be had."""
        try:
            await self._server.start()
        except OSError as error:
            raise ConfigError(f"admin port {self._wanted_port}: {error.strerror}. Free it, or set another") from error

    async def stop(self) -> None:
        await self._server.stop()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        method = "GET" if request.method == "HEAD" else request.method
        handler = self._routes.get((method, request.path))
        if handler is not None:
            return await handler(request)
        allowed = sorted(method for method, path in self._routes if path == request.path)
        if allowed:
            raise HttpError(405, f"{request.path} takes {', '.join(allowed)}", {"Allow": ", ".join(allowed)})
        paths = ", ".join(sorted({path for _, path in self._routes}))
        raise HttpError(404, f"there is no {request.path}; there are {paths}")

    async def _healthz(self, _request: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def _readyz(self, _request: web.Request) -> web.Response:
        reason = self._probes.unready()
        if reason is None:
            return web.json_response({"ready": True})
        return web.json_response({"ready": False, "reason": reason}, status=503)

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=self._probes.metrics(), headers={"Content-Type": CONTENT_TYPE})

    async def _status(self, _request: web.Request) -> web.Response:
        return web.json_response(dict(self._probes.status()))
