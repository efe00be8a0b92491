"""Who serves a function type: a function hosted in this process, else the endpoint that matches, else nobody."""

from collections.abc import Iterable

from statefun_runtime.endpoint.hosted import Hosted
from statefun_runtime.endpoint.http import HttpEndpoint
from statefun_runtime.engine.engine import Engine
from statefun_runtime.interfaces import Batch, Endpoint, Failure, FailureKind, ReplyTo
from statefun_runtime.module.endpoint_spec import EndpointSpec
from statefun_runtime.module.matching import EndpointMatcher

UNLIMITED_BATCH = 1 << 30


class NoEndpoint(Endpoint):
    """Stands for a function type that nobody serves: its messages are kept, its addresses park."""

    async def start(self) -> None:
        """Nothing to start."""

    def invoke(self, batch: Batch, reply_to: ReplyTo) -> None:
        reason = f"no endpoint serves {batch.target[0]}; add one to the module file, or the function to those hosted"
        reply_to(batch, Failure(FailureKind.MISCONFIGURED, reason))

    async def stop(self) -> None:
        """Nothing to stop."""


class Routes:
    """The endpoints of an application, by typename. Sets a type's limits when it is first called."""

    def __init__(
        self,
        engine: Engine,
        hosted: Hosted,
        endpoints: Iterable[EndpointSpec],
        max_in_flight: int,
    ) -> None:
        """Who serves what.

        Args:
            engine: Is told the limits of the function types behind endpoints.
            hosted: Has started; serves its functions, whatever `endpoints` match.
            endpoints: Serve the others.
            max_in_flight: Calls at once to one function type behind an endpoint, if its pool has as many connections.
        """
        specs = tuple(endpoints)
        self._engine = engine
        self._max_in_flight = max_in_flight
        self._matcher = EndpointMatcher(specs)
        self._by_pattern = {spec.functions: HttpEndpoint(spec.url_template, spec.transport) for spec in specs}
        self._hosted = hosted
        self._nobody = NoEndpoint()
        self._by_typename: dict[str, Endpoint] = dict.fromkeys(hosted.functions, hosted)

    def add(self, typename: str, endpoint: Endpoint) -> None:
        """Let `endpoint`, which needs no start, serve a function type of the runtime's own."""
        self._by_typename[typename] = endpoint

    def host_anew(self) -> None:
        """Take note that the functions that the runtime hosts have changed."""
        others = {
            typename: endpoint
            for typename, endpoint in self._by_typename.items()
            if endpoint not in (self._hosted, self._nobody)
        }
        self._by_typename = {**others, **dict.fromkeys(self._hosted.functions, self._hosted)}
        for typename in self._hosted.functions:
            self._engine.ask(typename)

    def ask_for_states(self) -> None:
        """Let the functions behind endpoints be asked anew for the states they declare."""
        for typename, endpoint in self._by_typename.items():
            if isinstance(endpoint, HttpEndpoint):
                self._engine.ask(typename)

    async def start(self) -> None:
        """Make the endpoints ready."""
        for endpoint in self._by_pattern.values():
            await endpoint.start()

    async def stop(self) -> None:
        """Abandon all calls under way."""
        await self._hosted.stop()
        for endpoint in self._by_pattern.values():
            await endpoint.stop()

    def endpoint_of(self, typename: str) -> Endpoint:
        """Who serves `typename`."""
        endpoint = self._by_typename.get(typename)
        if endpoint is None:
            endpoint = self._by_typename[typename] = self._find(typename)
        return endpoint

    def _find(self, typename: str) -> Endpoint:
        spec = self._matcher.match(typename)
        if spec is None:
            return self._nobody
        max_batch = spec.max_batch or UNLIMITED_BATCH
        max_in_flight = min(self._max_in_flight, spec.transport.pool_size)
        self._engine.configure(typename, max_in_flight=max_in_flight, max_batch=max_batch)
        return self._by_pattern[spec.functions]
