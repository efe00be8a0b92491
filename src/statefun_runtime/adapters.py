"""Finds adapters by the kind a module file gives.

Adapters are entry points, so that one that is not used is never imported, and users' own are found like ours: in the
groups `statefun.ingresses` and `statefun.egresses`, under the kind as name. An entry point is called with the spec
of its component and an AdapterContext.
"""

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from statefun_runtime.errors import ModuleError
from statefun_runtime.interfaces import AdapterContext, Egress, Ingress
from statefun_runtime.module.module import Component, ComponentSpec

INGRESSES = "statefun.ingresses"
EGRESSES = "statefun.egresses"


def kinds(group: str) -> frozenset[str]:
    """The kinds for which an adapter is installed."""
    return frozenset(entry_point.name for entry_point in entry_points(group=group))


def make_ingress(component: Component, context: AdapterContext) -> Ingress:
    """The ingress that a module file asks for.

    Raises:
        ModuleError: No adapter for its kind is installed.
    """
    factory = cast("Callable[[ComponentSpec, AdapterContext], Ingress]", _load(INGRESSES, component))
    return factory(component.spec, context)


def make_egress(component: Component, context: AdapterContext) -> Egress:
    """The egress that a module file asks for.

    Raises:
        ModuleError: No adapter for its kind is installed.
    """
    factory = cast("Callable[[ComponentSpec, AdapterContext], Egress]", _load(EGRESSES, component))
    return factory(component.spec, context)


def _load(group: str, component: Component) -> object:
    found: list[EntryPoint] = list(entry_points(group=group, name=component.kind))
    if not found:
        raise ModuleError(
            f"{component.position}: no adapter for the kind {component.kind} is installed; "
            "install the extra or the package that brings it"
        )
    try:
        return found[0].load()
    except ImportError as error:
        raise ModuleError(
            f"{component.position}: the adapter for the kind {component.kind} cannot be imported: {error}; "
            "install the extra that brings what it needs"
        ) from error
