"""From declarations to the module: every spec checked against its kind, then all of them against each other."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TypeVar

from statefun_runtime.module.declaration import Declaration
from statefun_runtime.module.endpoint_spec import EndpointSpec, endpoint_spec
from statefun_runtime.module.kinds import EGRESSES, ENDPOINTS, INGRESSES
from statefun_runtime.module.module import Component, ComponentSpec, Module
from statefun_runtime.module.node import child, text, typed_values
from statefun_runtime.module.position import Position
from statefun_runtime.module.problem import Problem, error
from statefun_runtime.module.spec import check_typename
from statefun_runtime.module.validation import check_spec
from statefun_runtime.suggestion import nearest_name

DeclaredT = TypeVar("DeclaredT", EndpointSpec, Component)


def assemble(
    declarations: Iterable[Declaration],
    ingress_kinds: Collection[str],
    egress_kinds: Collection[str],
    problems: list[Problem],
) -> Module:
    """The module of all declarations that have no error; what is wrong with the others goes to `problems`."""
    endpoints: list[EndpointSpec] = []
    ingresses: list[Component] = []
    egresses: list[Component] = []
    for declaration in declarations:
        kind = declaration.kind
        if kind in ENDPOINTS:
            checked = check_spec(ENDPOINTS[kind], declaration, problems)
            endpoints += [] if checked is None else [endpoint_spec(kind, checked, declaration.position)]
        elif kind in INGRESSES or kind in ingress_kinds:
            ingresses += _component(declaration, problems)
        elif kind in EGRESSES or kind in egress_kinds:
            egresses += _component(declaration, problems)
        else:
            known = [*ENDPOINTS, *INGRESSES, *EGRESSES, *ingress_kinds, *egress_kinds]
            problems.append(_unknown_kind(declaration, known))
    return Module(
        _unique(endpoints, lambda endpoint: endpoint.functions, "an endpoint for", problems),
        _unique(ingresses, lambda ingress: ingress.id, "an ingress with the id", problems),
        _unique(egresses, lambda egress: egress.id, "an egress with the id", problems),
    )


def _component(declaration: Declaration, problems: list[Problem]) -> list[Component]:
    model = {**INGRESSES, **EGRESSES}.get(declaration.kind)
    if model is None:
        return _own_component(declaration, problems)
    spec = check_spec(model, declaration, problems)
    return [] if spec is None else [_as_component(declaration, spec)]


def _own_component(declaration: Declaration, problems: list[Problem]) -> list[Component]:
    """A component of a user's own kind: all that is known of it is that it has an id."""
    node = child(declaration.spec, "id")
    path = f"{declaration.path}.id"
    name = text(node)
    if node is None or name is None:
        problems.append(error((node or declaration.spec).position, path, "is required, as <namespace>/<name>"))
        return []
    try:
        check_typename(name)
    except ValueError as wrong:
        problems.append(error(node.position, path, f"{wrong}, not {name!r}"))
        return []
    return [
        _as_component(declaration, {key: typed_values(entry.value) for key, entry in declaration.spec.entries.items()})
    ]


def _as_component(declaration: Declaration, spec: ComponentSpec) -> Component:
    # A declaration that passed its check has an identity: the id that was checked, or the kind's fixed one.
    return Component(declaration.kind, declaration.identity or "", spec, declaration.position)


def _unknown_kind(declaration: Declaration, known: Sequence[str]) -> Problem:
    message = f"no kind {declaration.kind!r} is known"
    return error(declaration.position, declaration.kind_path, message, nearest_name(declaration.kind, known))


def _unique(
    declared: Sequence[DeclaredT], name_of: Callable[[DeclaredT], str], what: str, problems: list[Problem]
) -> tuple[DeclaredT, ...]:
    first: dict[str, Position] = {}
    for item in declared:
        name = name_of(item)
        if name in first:
            problems.append(error(item.position, "", f"{what} {name} is declared already, at {first[name]}"))
        else:
            first[name] = item.position
    return tuple(declared)
