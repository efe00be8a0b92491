"""Imports go one way, at the top of a file, and the SDK needs protobuf alone."""

import subprocess
import sys

from tests.repo.imports import cycles, imported_names, imports_at_load, late_imports, module_behind
from tests.repo.sources import Module, modules

LATE_IMPORTS = {
    "src/statefun_runtime/adapters.py": "adapters of ingresses and egresses, by entry point",
    "src/statefun_runtime/cli/commands.py": "the command that is run, so that it does not wait for the others",
    "src/statefun_runtime/cli/loading.py": "the functions that the user names as module:attribute",
}
"""The modules that may import by name, and what."""

KIT = {"statefun.testing.application": {"statefun_runtime"}}
"""The test kit drives an application on the real engine."""


def import_graph() -> dict[str, set[str]]:
    names = {module.name for module in modules()}
    graph: dict[str, set[str]] = {}
    for module in modules():
        imported = {name for node in imports_at_load(module) for name in imported_names(node, module)}
        behind = {module_behind(name, names) for name in imported}
        graph[module.name] = {name for name in behind if name is not None and name != module.name}
    return graph


def roots(module: Module) -> set[str]:
    """The top-level packages that a module imports, apart from the standard library."""
    imported = {name.split(".")[0] for node in imports_at_load(module) for name in imported_names(node, module)}
    return imported - set(sys.stdlib_module_names)


def test_the_search_for_cycles_finds_one() -> None:
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [["b", "c"]]


def test_no_modules_import_each_other() -> None:
    assert cycles(import_graph()) == []


def test_no_import_is_late_but_in_the_loaders_of_what_the_user_names() -> None:
    late = [place for module in modules() if module.path not in LATE_IMPORTS for place in late_imports(module)]
    assert late == []


def test_the_list_of_loaders_is_up_to_date() -> None:
    assert [path for path in LATE_IMPORTS if not any(late_imports(m) for m in modules() if m.path == path)] == []


def test_the_sdk_imports_nothing_but_protobuf() -> None:
    allowed = {"statefun", "google"}
    sdk = [module for module in modules() if module.name.split(".")[0] == "statefun"]
    others = {module.name: roots(module) - allowed - KIT.get(module.name, set()) for module in sdk}
    assert {name: foreign for name, foreign in others.items() if foreign} == {}


def test_importing_the_sdk_loads_nothing_but_protobuf() -> None:
    code = (
        "import sys; before = {name.split('.')[0] for name in sys.modules}; import statefun; "
        "print(*({name.split('.')[0] for name in sys.modules} - before - sys.stdlib_module_names))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(loaded.stdout.split()) <= {"statefun", "google"}
