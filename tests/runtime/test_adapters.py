"""Adapters of packages that are really installed, as far as Python's metadata can tell."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from statefun_runtime.adapters import EGRESSES, INGRESSES, make_egress, make_ingress, spec_classes
from statefun_runtime.errors import ModuleError
from statefun_runtime.interfaces import AdapterContext
from statefun_runtime.module.module import Component
from statefun_runtime.module.position import Position
from statefun_runtime.module.spec import AdapterSpec

CODE = """\
from statefun_runtime.module.spec import AdapterSpec

class QueueSpec(AdapterSpec):
    depth: int

class Queue:
    spec_class = QueueSpec

    def __init__(self, spec, context):
        self.spec, self.context = spec, context

class Bare:
    pass
"""


class Packages:
    """Installs packages whose only content is metadata and one module."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        (directory / "queue_adapters.py").write_text(CODE)

    def install(self, name: str, group: str, entry_points: Mapping[str, str]) -> None:
        metadata = self._directory / f"{name}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = [f"[{group}]", *(f"{kind} = {value}" for kind, value in entry_points.items())]
        (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Packages:
    monkeypatch.syspath_prepend(tmp_path)
    return Packages(tmp_path)


def component(kind: str) -> Component:
    return Component(kind, "a/b", AdapterSpec(id="a/b"), Position("module.yaml", 1, 7))


def test_an_adapter_is_made_with_the_spec_and_the_context(packages: Packages) -> None:
    packages.install("queues", INGRESSES, {"acme/queue": "queue_adapters:Queue"})
    asked, context = component("acme/queue"), AdapterContext()
    made = vars(make_ingress(asked, context))
    assert (made["spec"], made["context"]) == (asked.spec, context)


def test_the_class_of_a_spec_is_found_by_its_kind(packages: Packages) -> None:
    packages.install("queues", EGRESSES, {"acme/queue": "queue_adapters:Queue"})
    found = spec_classes(EGRESSES)["acme/queue"]()
    assert found.__name__ == "QueueSpec"
    assert "acme/queue" not in spec_classes(INGRESSES)


def test_no_adapter_is_imported_before_its_kind_is_asked_for(packages: Packages) -> None:
    packages.install("queues", EGRESSES, {"acme/queue": "a_package_that_is_not_there:Queue"})
    assert "acme/queue" in spec_classes(EGRESSES)


def test_a_kind_without_an_adapter_is_an_error_with_place_installed_kinds_and_remedy() -> None:
    with pytest.raises(ModuleError) as raised:
        make_egress(component("acme/queue"), AdapterContext())
    text = str(raised.value)
    assert text.startswith("module.yaml:1:7: no adapter for the kind acme/queue is installed, only for ")
    assert "io.statefun.file.v1/egress" in text
    assert text.endswith("install the extra or the package that brings it")


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("a_package_that_is_not_there:Queue", "No module named 'a_package_that_is_not_there'"),
        ("queue_adapters:Nothing", "has no attribute 'Nothing'"),
    ],
)
def test_an_adapter_that_cannot_be_imported_is_an_error_that_says_why(packages: Packages, value: str, why: str) -> None:
    packages.install("queues", INGRESSES, {"acme/queue": value})
    with pytest.raises(ModuleError, match=rf"module.yaml:1:7: .*acme/queue cannot be imported: .*{why}"):
        make_ingress(component("acme/queue"), AdapterContext())
    with pytest.raises(ModuleError, match=why):
        spec_classes(INGRESSES)["acme/queue"]()


def test_an_adapter_without_a_spec_class_is_an_error_that_tells_its_author(packages: Packages) -> None:
    packages.install("queues", INGRESSES, {"acme/queue": "queue_adapters:Bare"})
    with pytest.raises(ModuleError, match="has no `spec_class` that is a subclass of AdapterSpec"):
        spec_classes(INGRESSES)["acme/queue"]()


def test_two_packages_with_an_adapter_for_one_kind_are_an_error_that_names_both(packages: Packages) -> None:
    packages.install("queues", INGRESSES, {"acme/queue": "queue_adapters:Queue"})
    packages.install("other-queues", INGRESSES, {"acme/queue": "queue_adapters:Queue"})
    with pytest.raises(ModuleError, match="other-queues and queues both bring an adapter for the kind acme/queue"):
        make_ingress(component("acme/queue"), AdapterContext())
