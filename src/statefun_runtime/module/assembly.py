"""From declarations to the module: every spec checked against its kind, then all of them against each other."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias, TypeVar

from statefun_runtime.errors import ModuleError
from statefun_runtime.module.declaration import Declaration
from statefun_runtime.module.endpoint_spec import EndpointSpec, endpoint_spec
from statefun_runtime.module.kafka_check import kafka_problems
from statefun_runtime.module.kinds import EGRESSES, ENDPOINTS, INGRESSES
from statefun_runtime.module.module import Component, Module
from statefun_runtime.module.position import Position
from statefun_runtime.module.problem import Problem, Severity, error
from statefun_runtime.module.spec import Spec
from statefun_runtime.module.validation import check_spec
from statefun_runtime.suggestion import nearest_name

DeclaredT = TypeVar("DeclaredT", EndpointSpec, Component)
SpecClasses: TypeAlias = Mapping[str, Callable[[], type[Spec]]]
"""For kinds of users' own, what finds the class that checks their specs; it raises a ModuleError if it cannot."""


def assemble(
    declarations: Iterable[Declaration],
    own_ingresses: SpecClasses,
    own_egresses: SpecClasses,
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
        elif kind in INGRESSES or kind in own_ingresses:
            ingresses += _component(declaration, own_ingresses, problems)
        elif kind in EGRESSES or kind in own_egresses:
            egresses += _component(declaration, own_egresses, problems)
        else:
            known = list(dict.fromkeys([*ENDPOINTS, *INGRESSES, *EGRESSES, *own_ingresses, *own_egresses]))
            problems.append(_unknown_kind(declaration, known))
    return Module(
        _unique(endpoints, lambda endpoint: endpoint.functions, "an endpoint for", problems),
        _unique(ingresses, lambda ingress: ingress.id, "an ingress with the id", problems),
        _unique(egresses, lambda egress: egress.id, "an egress with the id", problems),
    )


def _component(declaration: Declaration, classes: SpecClasses, problems: list[Problem]) -> list[Component]:
    model = {**INGRESSES, **EGRESSES}.get(declaration.kind)
    try:
        spec = check_spec(model or classes[declaration.kind](), declaration, problems)
    except ModuleError as wrong:
        problems.append(error(declaration.position, declaration.kind_path, str(wrong)))
        return []
    if spec is None:
        return []
    found = kafka_problems(spec, declaration, problems)
    problems += found
    if any(problem.severity is Severity.ERROR for problem in found):
        return []
    # A declaration that passed its check has an identity: the id that was checked, or the kind's fixed one.
    return [Component(declaration.kind, declaration.identity or "", spec, declaration.position)]


def _unknown_kind(declaration: Declaration, known: Sequence[str]) -> Problem:
    message = (
        f"no kind {declaration.kind!r} is known, only {', '.join(known)}; "
        "any other comes with a package: install it in the environment of this command"
    )
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
