"""The module file that Flink gets: the application's own, with hosted functions at the local function server."""

import json
from collections.abc import Iterable, Sequence

from statefun_runtime.module.declaration import Declaration
from statefun_runtime.module.kinds import ENDPOINTS
from statefun_runtime.module.node import Entry, MappingNode, Node, ScalarNode
from statefun_runtime.module.position import Position

KINDS = frozenset(ENDPOINTS) | {
    "io.statefun.kafka.v1/ingress",
    "io.statefun.kafka.v1/egress",
    "io.statefun.kinesis.v1/ingress",
    "io.statefun.kinesis.v1/egress",
    "io.statefun.playground.v1/ingress",
    "io.statefun.playground.v1/egress",
}
"""What a local Flink knows; those of the playground are added to it by this package's own Java."""

_ENDPOINT = "io.statefun.endpoints.v2/http"
_NOWHERE = Position("(hosted functions)")


def with_hosted(declarations: Sequence[Declaration], hosted: Iterable[str], url: str) -> list[Declaration]:
    """The declarations with an endpoint at `url` for each hosted function type, which wins over those of its namespace.

    What the application says of how the function is called (time limits, the size of batches) is kept.
    """
    types = list(hosted)
    others = [declared for declared in declarations if declared.kind not in ENDPOINTS or declared.identity not in types]
    return [*others, *(_hosted(declarations, typename, url) for typename in types)]


def as_yaml(declarations: Iterable[Declaration]) -> str:
    """The text of a module file. Scalars keep their spelling and whether they were quoted."""
    return "".join(f"---\nkind: {declared.kind}\nspec:{_block(declared.spec, 2)}\n" for declared in declarations)


def _hosted(declarations: Sequence[Declaration], typename: str, url: str) -> Declaration:
    """An endpoint of its own for one function type, made of what serves it now."""
    namespace = typename.rpartition("/")[0]
    wanted = (typename, f"{namespace}/*")
    found = [declared for declared in declarations if declared.kind in ENDPOINTS and declared.identity in wanted]
    base = min(found, key=lambda declared: wanted.index(declared.identity or ""), default=None)
    changed = MappingNode({"functions": _quoted(typename), "urlPathTemplate": _quoted(url)}, _NOWHERE)
    if base is None:
        return Declaration(_ENDPOINT, changed, _NOWHERE)
    kept = {name: entry for name, entry in base.spec.entries.items() if name not in changed.entries}
    return base.with_spec(MappingNode({**changed.entries, **kept}, base.spec.position))


def _quoted(value: str) -> Entry:
    return Entry(_NOWHERE, ScalarNode(value, plain=False, position=_NOWHERE))


def _block(node: Node, indent: int) -> str:
    """A node as it stands behind a key: block style, in which every plain scalar of a file is plain again."""
    line = "\n" + " " * indent
    match node:
        case ScalarNode(text=text, plain=plain):
            return f" {text}" if plain and "\n" not in text else f" {_quote(text)}"
        case MappingNode():
            entries = [f"{line}{_quote(key)}:{_block(value, indent + 2)}" for key, (_, value) in node.entries.items()]
            return "".join(entries) or " {}"
        case _:
            return "".join(f"{line}-{_block(item, indent + 2)}" for item in node.items) or " []"


def _quote(text: str) -> str:
    """A text in the quotes of JSON, which YAML reads too but for escaped surrogates."""
    return json.dumps(text, ensure_ascii=False)
