"""An application's module: everything its files declare, checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from statefun_runtime.module.endpoint_spec import EndpointSpec
from statefun_runtime.module.position import Position
from statefun_runtime.module.spec import Spec

ComponentSpec: TypeAlias = Spec | Mapping[str, object]
"""A kind known here has a spec class; the spec of a user's own kind is plain values for its adapter to check."""


@dataclass(frozen=True, slots=True)
class Component:
    """An ingress or an egress. `id` is its typename, `position` the place of its kind in its file."""

    kind: str
    id: str
    spec: ComponentSpec
    position: Position


@dataclass(frozen=True, slots=True)
class Module:
    """What an application consists of besides its functions, in the order of its files."""

    endpoints: tuple[EndpointSpec, ...] = ()
    ingresses: tuple[Component, ...] = ()
    egresses: tuple[Component, ...] = ()
