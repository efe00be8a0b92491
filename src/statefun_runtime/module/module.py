"""An application's module: everything its files declare, checked."""

from dataclasses import dataclass

from statefun_runtime.masking import NO_SECRETS, Secrets
from statefun_runtime.module.endpoint_spec import EndpointSpec
from statefun_runtime.module.position import Position
from statefun_runtime.module.spec import Spec


@dataclass(frozen=True, slots=True)
class Component:
    """An ingress or an egress. `id` is its typename, `position` the place of its kind in its file."""

    kind: str
    id: str
    spec: Spec
    position: Position


@dataclass(frozen=True, slots=True)
class Module:
    """What an application consists of besides its functions, in the order of its files."""

    endpoints: tuple[EndpointSpec, ...] = ()
    ingresses: tuple[Component, ...] = ()
    egresses: tuple[Component, ...] = ()
    secrets: Secrets = NO_SECRETS
    """What its files took from the environment and from other files; specs hold it in plain text."""
