"""What imports what in `src`."""

import ast
from collections.abc import Iterator

from tests.repo.sources import Module

Import = ast.Import | ast.ImportFrom


def imported_names(node: Import, module: Module) -> Iterator[str]:
    """What an import statement asks for, as dotted names: `a.b` for `from a import b`."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    base = node.module or ""
    if node.level:
        package = module.name.split(".") if module.is_package() else module.name.split(".")[:-1]
        parents = package[: len(package) - node.level + 1]
        base = ".".join([*parents, *([node.module] if node.module else [])])
    yield from (f"{base}.{alias.name}" for alias in node.names)


def module_behind(name: str, modules: frozenset[str] | set[str]) -> str | None:
    """The module that a dotted name is or is in: its longest prefix that is one."""
    parts = name.split(".")
    prefixes = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((prefix for prefix in prefixes if prefix in modules), None)


def imports_at_load(module: Module) -> Iterator[Import]:
    """The imports that run when the module is loaded: none in functions, none for type checkers alone."""
    pending: list[ast.AST] = [module.tree]
    while pending:
        node = pending.pop()
        if isinstance(node, Import):
            yield node
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending.extend(node.orelse)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            pending.extend(ast.iter_child_nodes(node))


def late_imports(module: Module) -> Iterator[str]:
    """Imports inside functions, and calls that import by name; each as `path:line code`."""
    for function in module.functions():
        for node in ast.walk(function):
            if isinstance(node, Import) or (isinstance(node, ast.Call) and imports_by_name(node)):
                yield f"{module.path}:{node.lineno} {ast.unparse(node)}"


def imports_by_name(call: ast.Call) -> bool:
    return ast.unparse(call.func).endswith(("import_module", "__import__", "entry_points"))


def cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that import each other, by Tarjan's algorithm for strongly connected components."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in graph[node]:
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            start = stack.index(node)
            group = stack[start:]
            del stack[start:]
            if len(group) > 1 or node in graph[node]:
                found.append(sorted(group))

    for node in graph:
        if node not in index:
            visit(node)
    return found
