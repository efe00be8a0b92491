"""The legacy format: one document with `version: "3.0"` that lists endpoints, ingresses and egresses."""

from collections.abc import Mapping
from types import MappingProxyType

from statefun_runtime.module.declaration import Declaration
from statefun_runtime.module.fields import Fields
from statefun_runtime.module.node import Entry, MappingNode, Node
from statefun_runtime.module.problem import Problem, error

VERSION = "version"

_SECTIONS = (("endpoints", "endpoint"), ("ingresses", "ingress"), ("egresses", "egress"))

_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "http": "io.statefun.endpoints.v1/http",
        "io.statefun.kafka/ingress": "io.statefun.kafka.v1/ingress",
        "io.statefun.kafka/egress": "io.statefun.kafka.v1/egress",
        "io.statefun.kinesis/ingress": "io.statefun.kinesis.v1/ingress",
        "io.statefun.kinesis/egress": "io.statefun.kinesis.v1/egress",
    }
)
"""What Flink's legacy reader calls them -> the kinds of today. Others are kinds already."""


def read_legacy(document: MappingNode, problems: list[Problem]) -> list[Declaration]:
    """The declarations of a legacy document; what is wrong with it goes to `problems`."""
    root = Fields(document, "", (VERSION, "module"), problems)
    if not _check_version(root, problems):
        return []
    module = root.mapping("module")
    if module is None:
        return []
    fields = Fields(module, "module", ("meta", "spec"), problems)
    _check_type(fields, problems)
    spec = fields.mapping("spec")
    if spec is None:
        return []
    sections = Fields(spec, "module.spec", [plural for plural, _ in _SECTIONS], problems)
    declarations = [
        _read_item(item, f"module.spec.{plural}[{at}]", singular, problems)
        for plural, singular in _SECTIONS
        for at, item in enumerate(sections.items(plural))
    ]
    return [declaration for declaration in declarations if declaration is not None]


def _check_version(root: Fields, problems: list[Problem]) -> bool:
    version = root.scalar(VERSION)
    if version is None or version.text == "3.0":
        return version is not None
    if version.text in {"1.0", "2.0"}:
        message = f"Only format versions higher than or equal to 3.0 is supported. Was version {version.text}."
    else:
        message = f"Unrecognized format version: {version.text}"
    problems.append(error(version.position, VERSION, message))
    return False


def _check_type(module: Fields, problems: list[Problem]) -> None:
    meta = module.mapping("meta")
    if meta is None:
        return
    kind = Fields(meta, "module.meta", ("type",), problems).scalar("type")
    if kind is not None and kind.text.casefold() != "remote":
        problems.append(error(kind.position, "module.meta.type", f"Unknown module type {kind.text}: it must be remote"))


def _read_item(item: Node, path: str, singular: str, problems: list[Problem]) -> Declaration | None:
    if not isinstance(item, MappingNode):
        problems.append(error(item.position, path, f"must be a mapping with {singular}"))
        return None
    body = Fields(item, path, (singular,), problems).mapping(singular)
    if body is None:
        return None
    path = f"{path}.{singular}"
    fields = Fields(body, path, ("meta", "spec"), problems)
    meta, spec = fields.mapping("meta"), fields.mapping("spec")
    if meta is None or spec is None:
        return None
    key, known = ("kind", ("kind",)) if singular == "endpoint" else ("type", ("type", "id"))
    names = Fields(meta, f"{path}.meta", known, problems)
    kind = names.scalar(key)
    if singular != "endpoint":
        spec = _with_id(spec, names)
    if kind is None:
        return None
    return Declaration(
        _KINDS.get(kind.text, kind.text), spec, kind.position, path=f"{path}.spec", kind_path=f"{path}.meta.{key}"
    )


def _with_id(spec: MappingNode, names: Fields) -> MappingNode:
    """The spec with the id that the legacy format keeps beside it."""
    name = names.node.entries.get("id")
    return spec if name is None else MappingNode({**spec.entries, "id": Entry(name.key, name.value)}, spec.position)
