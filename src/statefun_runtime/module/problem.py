"""What is wrong with a module file: collected, not raised, so that all of it can be shown at once."""

from dataclasses import dataclass
from enum import Enum

from statefun_runtime.module.position import Position


class Severity(Enum):
    """Whether an application with this problem may run. A note is no problem: it says what applies unsaid."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a module file.

    `path` leads from the document's root to the value (`spec.topics[0].targets`; empty: the document or the file);
    `suggestion` is the known name nearest to the one that was found.
    """

    severity: Severity
    position: Position
    path: str
    message: str
    suggestion: str | None = None

    @property
    def file(self) -> str:
        return self.position.file

    @property
    def line(self) -> int:
        return self.position.line

    @property
    def column(self) -> int:
        return self.position.column

    def __str__(self) -> str:
        """One line as compilers write it: `file:line:column: error: path: message (did you mean "name"?)`."""
        path = f"{self.path}: " if self.path else ""
        hint = f' (did you mean "{self.suggestion}"?)' if self.suggestion else ""
        return f"{self.position}: {self.severity.value}: {path}{self.message}{hint}"


def error(position: Position, path: str, message: str, suggestion: str | None = None) -> Problem:
    """A problem that keeps the application from running."""
    return Problem(Severity.ERROR, position, path, message, suggestion)


def warning(position: Position, path: str, message: str, suggestion: str | None = None) -> Problem:
    """A problem that the application can run with."""
    return Problem(Severity.WARNING, position, path, message, suggestion)


def note(position: Position, path: str, message: str) -> Problem:
    """What applies though the file does not say it."""
    return Problem(Severity.NOTE, position, path, message)
