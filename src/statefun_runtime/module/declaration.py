"""What a document of a module file declares, before it is checked."""

from dataclasses import dataclass, replace

from statefun_runtime.module.kinds import ENDPOINTS, FIXED_IDS
from statefun_runtime.module.node import MappingNode, child, overlay, text
from statefun_runtime.module.position import Position


@dataclass(frozen=True, slots=True)
class Declaration:
    """A kind and the spec that goes with it.

    `position` is that of the kind; `path` leads from the document's root to the spec, `kind_path` to the kind.
    """

    kind: str
    spec: MappingNode
    position: Position
    path: str = "spec"
    kind_path: str = "kind"

    @property
    def identity(self) -> str | None:
        """What tells this declaration from others of its kind: the functions of an endpoint, else the id."""
        if self.kind in ENDPOINTS:
            return text(child(self.spec, "functions"))
        return FIXED_IDS.get(self.kind) or text(child(self.spec, "id"))

    def overlaid(self, over: "Declaration") -> "Declaration":
        """This declaration with the fields that `over` gives."""
        return self.with_spec(overlay(self.spec, over.spec))

    def with_spec(self, spec: MappingNode) -> "Declaration":
        """This declaration with another spec."""
        return replace(self, spec=spec)
