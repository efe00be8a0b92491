"""The documents of a module file: `kind` and `spec` each, or one document of the legacy format."""

from collections.abc import Sequence

from statefun_runtime.module.declaration import Declaration
from statefun_runtime.module.fields import Fields
from statefun_runtime.module.legacy import VERSION, read_legacy
from statefun_runtime.module.node import MappingNode, Node, child
from statefun_runtime.module.problem import Problem, error


def read_documents(documents: Sequence[Node], problems: list[Problem]) -> list[Declaration]:
    """The declarations of a file's documents, in order; what is wrong with the documents goes to `problems`."""
    if len(documents) == 1 and isinstance(documents[0], MappingNode) and child(documents[0], VERSION) is not None:
        return read_legacy(documents[0], problems)
    declarations = [_read_document(document, problems) for document in documents]
    return [declaration for declaration in declarations if declaration is not None]


def _read_document(document: Node, problems: list[Problem]) -> Declaration | None:
    if not isinstance(document, MappingNode):
        problems.append(error(document.position, "", "a document must be a mapping with kind and spec"))
        return None
    if child(document, VERSION) is not None:
        problems.append(
            error(document.position, "", "a file of the legacy format, with a version, holds exactly one document")
        )
        return None
    fields = Fields(document, "", ("kind", "spec"), problems)
    kind, spec = fields.scalar("kind"), fields.mapping("spec")
    if kind is None or spec is None:
        return None
    return Declaration(kind.text, spec, kind.position)
