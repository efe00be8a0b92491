"""An application as commands are told of it: module files and functions."""

import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import cast

from statefun_runtime.adapters import EGRESSES, INGRESSES, spec_classes
from statefun_runtime.config import RuntimeConfig
from statefun_runtime.module.egress_spec import PlaygroundEgressSpec
from statefun_runtime.module.ingress_spec import KafkaIngressSpec, KinesisIngressSpec, PlaygroundIngressSpec
from statefun_runtime.module.loader import LoadResult, load_modules
from statefun_runtime.module.matching import EndpointMatcher
from statefun_runtime.module.module import Component, Module
from statefun_runtime.module.position import Position
from statefun_runtime.module.problem import Problem, error
from statefun_runtime.suggestion import nearest_name


def read_modules(paths: Sequence[Path]) -> LoadResult:
    """Read module files, with the kinds for which adapters are installed and the variables of this process."""
    return load_modules(
        paths, environment=os.environ, own_ingresses=spec_classes(INGRESSES), own_egresses=spec_classes(EGRESSES)
    )


def playground_module(config: RuntimeConfig) -> Module:
    """What an application without module files consists of: HTTP in, HTTP out."""
    nowhere = Position("(no module file)")
    ingress = PlaygroundIngressSpec(port=config.http_port)
    egress = PlaygroundEgressSpec(port=config.http_egress_port)
    return Module(
        ingresses=(Component("io.statefun.playground.v1/ingress", ingress.id, ingress, nowhere),),
        egresses=(Component("io.statefun.playground.v1/egress", egress.id, egress, nowhere),),
    )


def unserved_targets(module: Module, hosted: Collection[str]) -> Iterator[Problem]:
    """Targets of ingresses that neither a hosted function nor an endpoint serves: their messages would pile up."""
    matcher = EndpointMatcher(module.endpoints)
    named = [endpoint.functions for endpoint in module.endpoints if not endpoint.functions.endswith("/*")]
    for ingress in module.ingresses:
        for path, target in _targets(ingress):
            if target not in hosted and matcher.match(target) is None:
                message = f"{ingress.id} sends to {target}, which no hosted function and no endpoint serves"
                yield error(ingress.position, path, message, nearest_name(target, (*sorted(hosted), *named)))


def idle_policies(config: RuntimeConfig, module: Module, hosted: Collection[str]) -> Iterator[str]:
    """Settings for function types that nobody serves, hence of no effect: most likely a slip."""
    served = sorted({*hosted} | {endpoint.functions for endpoint in module.endpoints})
    for pattern in config.functions:
        if not any(_overlap(pattern, other) for other in served):
            near = nearest_name(pattern, served)
            hint = f' (did you mean "{near}"?)' if near else ""
            yield f'[functions."{pattern}"] of the config file: no hosted function and no endpoint serves it{hint}'


def _overlap(pattern: str, other: str) -> bool:
    same_namespace = pattern.rpartition("/")[0] == other.rpartition("/")[0]
    return pattern == other or (same_namespace and (pattern.endswith("/*") or other.endswith("/*")))


def _targets(ingress: Component) -> Iterator[tuple[str, str]]:
    """The targets that an ingress names, each with its path in the document."""
    spec = ingress.spec
    if isinstance(spec, KafkaIngressSpec):
        for at, topic in enumerate(spec.topics):
            yield from _numbered(f"spec.topics[{at}].targets", topic.targets)
    elif isinstance(spec, KinesisIngressSpec):
        for at, stream in enumerate(spec.streams):
            yield from _numbered(f"spec.streams[{at}].targets", stream.targets)
    elif "targets" in type(spec).model_fields:
        # A file's, or those of a kind of a user's own that calls them so, which are of the type `Targets` then.
        yield from _numbered("spec.targets", cast("Sequence[str]", vars(spec)["targets"]))


def _numbered(path: str, targets: Sequence[str]) -> Iterator[tuple[str, str]]:
    return ((f"{path}[{at}]", target) for at, target in enumerate(targets))
