"""What of an application Apache Flink Stateful Functions 3.3 would refuse or do differently."""

from dataclasses import dataclass
from enum import Enum

from statefun_runtime.module.position import Position


class Effect(Enum):
    """What a difference means for the application on Flink."""

    REFUSED = "refused"
    """The job does not start, or cannot do its work."""
    DIFFERENT = "different"
    """The job runs and behaves in another way."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: where it stands, what Flink makes of it and what to do instead.

    `path` is the property of a module file or of the config file, the typename of a function or the name that its code
    uses.
    """

    effect: Effect
    position: Position
    path: str
    message: str
    alternative: str

    def __str__(self) -> str:
        """One line: `file:line:column: refused: path: message; instead: alternative`."""
        return f"{self.position}: {self.effect.value}: {self.path}: {self.message}; instead: {self.alternative}"


def refused(position: Position, path: str, message: str, alternative: str) -> Difference:
    """A difference with which the application does not work on Flink."""
    return Difference(Effect.REFUSED, position, path, message, alternative)


def different(position: Position, path: str, message: str, alternative: str) -> Difference:
    """A difference with which the application works on Flink in another way."""
    return Difference(Effect.DIFFERENT, position, path, message, alternative)
