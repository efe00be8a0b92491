"""Reading module files: text, documents, overlays, checked specs. All problems are found at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from statefun_runtime.errors import ModuleError
from statefun_runtime.masking import Secrets
from statefun_runtime.module.assembly import SpecClasses, assemble
from statefun_runtime.module.composer import compose
from statefun_runtime.module.declaration import Declaration
from statefun_runtime.module.document import read_documents
from statefun_runtime.module.module import Module
from statefun_runtime.module.node import Node
from statefun_runtime.module.placeholders import Placeholders
from statefun_runtime.module.position import Position
from statefun_runtime.module.problem import Problem, Severity, error

MAX_BYTES = 1 << 20
"""The largest module file: a thousand times the usual one, and still read in seconds."""

NO_OWN_KINDS: SpecClasses = MappingProxyType({})
NO_VARIABLES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class LoadResult:
    """A module and what is wrong with its files; what has an error is not in the module.

    `declarations` are what the files say, overlays and secrets applied, whether it is right or not.
    """

    module: Module
    problems: tuple[Problem, ...] = ()
    declarations: tuple[Declaration, ...] = ()

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.severity is Severity.WARNING)

    def require(self) -> Module:
        """The module if it has no errors.

        Raises:
            ModuleError: There are errors; its text lists them, one a line.
        """
        if self.errors:
            raise ModuleError("\n".join(str(problem) for problem in self.errors))
        return self.module


def load_modules(
    paths: Sequence[Path],
    *,
    environment: Mapping[str, str] = NO_VARIABLES,
    own_ingresses: SpecClasses = NO_OWN_KINDS,
    own_egresses: SpecClasses = NO_OWN_KINDS,
    as_written: bool = False,
) -> LoadResult:
    """Read module files; a later one may overlay documents of the earlier ones.

    Kinds known here win over `own_ingresses` and `own_egresses`. Never raises because of what a file holds, or because
    it cannot be read: that is a problem too. `environment` holds the variables that placeholders may name; what they
    stand for is shown by no problem. `as_written` leaves placeholders as they stand, as Flink does.
    """
    problems: list[Problem] = []
    declarations: dict[tuple[str, str], Declaration] = {}
    nameless: list[Declaration] = []
    for path in paths:
        declared = read_documents(_compose_file(path, problems), problems)
        nameless += [declaration for declaration in declared if declaration.identity is None]
        _overlay(declarations, declared, problems)
    placeholders = Placeholders(environment, problems)
    resolved = [
        declaration if as_written else placeholders.resolve(declaration)
        for declaration in (*declarations.values(), *nameless)
    ]
    module = assemble(resolved, own_ingresses, own_egresses, problems)
    secrets = Secrets(placeholders.secrets)
    shown = [replace(problem, message=secrets.mask(problem.message)) for problem in problems]
    return LoadResult(replace(module, secrets=secrets), _in_order(shown, paths), tuple(resolved))


def _compose_file(path: Path, problems: list[Problem]) -> list[Node]:
    file = str(path)
    try:
        with path.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except OSError as wrong:
        problems.append(error(Position(file), "", f"cannot be read: {wrong.strerror}"))
        return []
    if len(content) > MAX_BYTES:
        problems.append(error(Position(file), "", f"is larger than {MAX_BYTES} bytes"))
        return []
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = content[: wrong.start].count(b"\n") + 1
        problems.append(error(Position(file, line, 1), "", "is not UTF-8 text"))
        return []
    documents, wrongs = compose(text, file)
    problems += wrongs
    return documents


def _overlay(
    declarations: dict[tuple[str, str], Declaration], declared: Iterable[Declaration], problems: list[Problem]
) -> None:
    """Add what one file declares: twice in a file is an error, again in a later file an overlay."""
    seen: dict[tuple[str, str], Declaration] = {}
    for declaration in declared:
        identity = declaration.identity
        if identity is None:
            continue
        key = (declaration.kind, identity)
        if key in seen:
            first = seen[key].position
            problems.append(
                error(declaration.position, "", f"{declaration.kind} {identity} is declared already, at {first}")
            )
            continue
        seen[key] = declaration
        known = declarations.get(key)
        declarations[key] = declaration if known is None else known.overlaid(declaration)


def _in_order(problems: Iterable[Problem], paths: Sequence[Path]) -> tuple[Problem, ...]:
    # What an alias repeats is found again at the same place.
    once = dict.fromkeys(problems)
    order = {str(path): at for at, path in enumerate(paths)}
    return tuple(sorted(once, key=lambda problem: (order[problem.file], problem.line, problem.column)))
