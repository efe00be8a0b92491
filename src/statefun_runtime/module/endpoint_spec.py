"""Endpoints: which functions are called where and how. Versions 1 and 2 of the kind become one shape."""

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from pydantic import AfterValidator

from statefun_runtime.module.endpoint_url import check_url_template
from statefun_runtime.module.position import Position
from statefun_runtime.module.spec import Spec, check_typename
from statefun_runtime.module.transport_spec import AsyncTransport, Timeouts, Transport, TransportSpec


def check_pattern(text: str) -> str:
    """Return `text` if it names a function type or all of a namespace (`ns/*`); a ValueError otherwise."""
    namespace, _, name = check_typename(text).rpartition("/")
    if "*" in namespace or ("*" in name and name != "*"):
        raise ValueError("Invalid syntax for target functions. Only <namespace>/<name> or <namespace>/* are supported.")
    return text


FunctionPattern: TypeAlias = Annotated[str, AfterValidator(check_pattern)]
UrlTemplate: TypeAlias = Annotated[str, AfterValidator(check_url_template)]


class EndpointV1(Spec):
    """`io.statefun.endpoints.v1/http`."""

    functions: FunctionPattern
    url_path_template: UrlTemplate
    max_num_batch_requests: int = 1000
    timeouts: Timeouts = Timeouts()

    def transport_spec(self) -> TransportSpec:
        return self.timeouts.transport()


class EndpointV2(Spec):
    """`io.statefun.endpoints.v2/http`."""

    functions: FunctionPattern
    url_path_template: UrlTemplate
    max_num_batch_requests: int = 1000
    transport: Transport = AsyncTransport()

    def transport_spec(self) -> TransportSpec:
        return self.transport.transport()


@dataclass(frozen=True, slots=True)
class EndpointSpec:
    """Functions that are called over HTTP.

    `functions` is `ns/name` or `ns/*`; `max_batch` is the most messages in one request, `None` for no limit.
    """

    kind: str
    functions: str
    url_template: str
    max_batch: int | None
    transport: TransportSpec
    position: Position


def endpoint_spec(kind: str, checked: EndpointV1 | EndpointV2, position: Position) -> EndpointSpec:
    """The one shape of both versions."""
    limit = checked.max_num_batch_requests
    return EndpointSpec(
        kind=kind,
        functions=checked.functions,
        url_template=checked.url_path_template,
        max_batch=limit if limit > 0 else None,
        transport=checked.transport_spec(),
        position=position,
    )
