"""Finds adapters by the kind a module file gives.

Adapters are entry points, so that one that is not used is never imported, and users' own are found like ours: in the
groups `statefun.ingresses` and `statefun.egresses`, under the kind as name. An entry point is called with the spec
of its component and an AdapterContext. One for a kind of a user's own says in `spec_class` how its spec is checked.
"""

from collections.abc import Callable
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from statefun_runtime.errors import ModuleError
from statefun_runtime.interfaces import AdapterContext, Egress, Ingress
from statefun_runtime.module.assembly import SpecClasses
from statefun_runtime.module.module import Component
from statefun_runtime.module.spec import AdapterSpec, Spec

INGRESSES = "statefun.ingresses"
EGRESSES = "statefun.egresses"


def spec_classes(group: str) -> SpecClasses:
    """For every kind with an adapter, what imports the adapter and returns the class that checks its spec."""
    return {
        entry_point.name: partial(_spec_class, group, entry_point.name) for entry_point in entry_points(group=group)
    }


def make_ingress(component: Component, context: AdapterContext) -> Ingress:
    """The ingress that a module file asks for.

    Raises:
        ModuleError: No adapter for its kind is installed.
    """
    factory = cast("Callable[[Spec, AdapterContext], Ingress]", _load_for(INGRESSES, component))
    return factory(component.spec, context)


def make_egress(component: Component, context: AdapterContext) -> Egress:
    """The egress that a module file asks for.

    Raises:
        ModuleError: No adapter for its kind is installed.
    """
    factory = cast("Callable[[Spec, AdapterContext], Egress]", _load_for(EGRESSES, component))
    return factory(component.spec, context)


def _load_for(group: str, component: Component) -> object:
    try:
        return _load(group, component.kind)
    except ModuleError as error:
        raise ModuleError(f"{component.position}: {error}") from error


def _spec_class(group: str, kind: str) -> type[Spec]:
    adapter = _load(group, kind)
    found: object = getattr(adapter, "spec_class", None)
    if not isinstance(found, type) or not issubclass(found, AdapterSpec):
        raise ModuleError(
            f"the adapter {adapter!r} for the kind {kind} has no `spec_class` that is a subclass of AdapterSpec; "
            "its author adds it"
        )
    return found


def _load(group: str, kind: str) -> object:
    try:
        return _entry_point(group, kind).load()
    except (ImportError, AttributeError) as error:
        raise ModuleError(
            f"the adapter for the kind {kind} cannot be imported: {error}; install the extra that brings what it needs"
        ) from error


def _entry_point(group: str, kind: str) -> EntryPoint:
    installed = entry_points(group=group)
    found: list[EntryPoint] = list(installed.select(name=kind))
    if not found:
        raise ModuleError(
            f"no adapter for the kind {kind} is installed, only for {', '.join(sorted(installed.names))}; "
            "install the extra or the package that brings it"
        )
    if len(found) > 1:
        packages = " and ".join(sorted(entry_point.dist.name if entry_point.dist else "?" for entry_point in found))
        raise ModuleError(f"{packages} both bring an adapter for the kind {kind}; uninstall one of them")
    return found[0]
