"""What `statefun run` shows at a terminal: what runs where."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from statefun_runtime.config import RuntimeConfig
from statefun_runtime.endpoint.hosted import Hosted
from statefun_runtime.module.egress_spec import FileEgressSpec, PlaygroundEgressSpec
from statefun_runtime.module.ingress_spec import FileIngressSpec, PlaygroundIngressSpec
from statefun_runtime.module.module import Component, Module


class Part(NamedTuple):
    """A part of what runs: what it is, its name, where it is."""

    what: str
    name: str
    where: str


def parts(module: Module, hosted: Hosted, config: RuntimeConfig) -> list[Part]:
    """The parts of an application and of the process that runs it."""
    return [*_application(module, hosted, config), *_process(config)]


def banner(shown: Sequence[Part]) -> str:
    """Parts in columns, for a terminal."""
    name_width = max(len(part.name) for part in shown)
    lines: list[str] = []
    last = ""
    for what, name, where in shown:
        lines.append(f"{'' if what == last else what:<10} {name:<{name_width}}  {where}".rstrip())
        last = what
    return "\n".join(lines)


def _application(module: Module, hosted: Hosted, config: RuntimeConfig) -> Iterator[Part]:
    for typename, location in hosted.functions.items():
        yield Part("function", typename, f"{hosted.place} ({_short(location)})")
    for endpoint in module.endpoints:
        yield Part("endpoint", endpoint.functions, endpoint.url_template)
    for ingress in module.ingresses:
        yield Part("ingress", ingress.id, _where(ingress, config.http_host))
    for egress in module.egresses:
        yield Part("egress", egress.id, _where(egress, config.http_host))


def _process(config: RuntimeConfig) -> Sequence[Part]:
    return (
        Part("data", str(config.data_dir), "what was durable comes back from here"),
        Part("admin", f"http://{config.admin_host}:{config.admin_port}", "/healthz /readyz /metrics /status"),
    )


def _where(component: Component, host: str) -> str:
    match component.spec:
        case PlaygroundIngressSpec(port=port):
            return f"PUT http://{host}:{port}/<namespace>/<type>/<id>"
        case PlaygroundEgressSpec(port=port):
            return f"GET http://{host}:{port}/<topic>"
        case FileIngressSpec(path=path) | FileEgressSpec(path=path):
            return _short(str(path))
        case _:
            return component.kind


def _short(path: str) -> str:
    """A path as seen from the working directory, if it is in there."""
    here = f"{Path.cwd()}/"
    return path.removeprefix(here)
