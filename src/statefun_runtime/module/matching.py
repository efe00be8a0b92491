"""Which endpoint calls a function type."""

from collections.abc import Iterable

from statefun_runtime.module.endpoint_spec import EndpointSpec


class EndpointMatcher:
    """Finds the endpoint of a function type: one for the type itself wins over one for its namespace."""

    def __init__(self, endpoints: Iterable[EndpointSpec]) -> None:
        self._by_pattern = {endpoint.functions: endpoint for endpoint in endpoints}

    def match(self, typename: str) -> EndpointSpec | None:
        """The endpoint for `typename` (`ns/name`), or `None` if no endpoint calls it."""
        namespace = typename.rpartition("/")[0]
        return self._by_pattern.get(typename) or self._by_pattern.get(f"{namespace}/*")
