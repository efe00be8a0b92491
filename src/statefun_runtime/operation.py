"""What an operator asks of an application, running or stopped, and what came of it."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NamedTuple, TypeAlias, cast

from statefun_runtime.interfaces import Address

MAX_TARGETS = 1000
"""The most targets of one operation: all of them go into one epoch."""
_MAX_NAME = 256


class Action(Enum):
    """What an operator can do. The first four concern parked addresses, the others dead letters."""

    RESUME = "resume"
    """Call the address again."""
    SKIP = "skip"
    """Make the message that it failed at a dead letter, then call the address again."""
    PURGE = "purge"
    """Make all messages that wait for it dead letters, then call the address again."""
    DISCARD = "discard"
    """Delete all messages that wait for it, then call the address again."""
    RESEND = "resend"
    """Send what a dead letter holds once more, as something new, and delete the dead letter."""
    DELETE = "delete"
    """Delete the dead letter."""

    @property
    def concerns_addresses(self) -> bool:
        """Whether its targets are addresses; else they are numbers of dead letters."""
        return self not in (Action.RESEND, Action.DELETE)


Target: TypeAlias = Address | int
"""A parked address, or the number of a dead letter."""


class Operation(NamedTuple):
    """An action on some targets. `who` is the operator's name in the operating system, for the journal."""

    action: Action
    targets: tuple[Target, ...]
    who: str

    def as_json(self) -> dict[str, object]:
        """What `from_json` reads."""
        targets = [list(target) if isinstance(target, tuple) else target for target in self.targets]
        return {"action": self.action.value, "targets": targets, "who": self.who}

    @staticmethod
    def from_json(body: object) -> "Operation":
        """The operation that decoded JSON describes. Raises ValueError with the reason if it describes none."""
        if not isinstance(body, dict):
            raise ValueError("an operation is an object with action, targets and who")  # noqa: TRY004
        fields = cast("Mapping[str, object]", body)
        action = Action(fields.get("action"))
        targets, who = fields.get("targets"), fields.get("who")
        if not isinstance(targets, list) or not targets or len(cast("list[object]", targets)) > MAX_TARGETS:
            raise ValueError(f"targets must be a list of 1 to {MAX_TARGETS}")
        if not isinstance(who, str) or not who or len(who) > _MAX_NAME:
            raise ValueError(f"who must be a name of 1 to {_MAX_NAME} characters")
        read = _address if action.concerns_addresses else _number
        return Operation(action, tuple(read(target) for target in cast("list[object]", targets)), who)


class Outcome(NamedTuple):
    """What came of an operation for one of its targets.

    `text` says what was done, or why nothing was; it is empty for a target whose turn has not come yet. With `more` the
    operation is to be asked for again: it removes a limited number of messages at once.
    """

    target: str
    done: bool
    text: str
    more: bool = False

    def as_json(self) -> dict[str, object]:
        """What `from_json` reads."""
        return self._asdict()

    @staticmethod
    def from_json(body: object) -> "Outcome":
        """The outcome that decoded JSON describes. Raises ValueError if it describes none."""
        if isinstance(body, dict):
            fields = cast("Mapping[str, object]", body)
            match [fields.get(name) for name in Outcome._fields]:
                case [str() as target, bool() as done, str() as text, bool() as more]:
                    return Outcome(target, done, text, more)
                case _:
                    pass
        raise ValueError("an outcome is an object with target, done, text and more")


def target_text(target: Target) -> str:
    """A target as operators write it."""
    return f"{target[0]}/{target[1]}" if isinstance(target, tuple) else str(target)


def _address(target: object) -> Address:
    if isinstance(target, list):
        match cast("Sequence[object]", target):
            case [str() as typename, str() as identifier]:
                return typename, identifier
            case _:
                pass
    raise ValueError("a parked address is a list of typename and id")


def _number(target: object) -> int:
    if isinstance(target, int) and not isinstance(target, bool) and 0 <= target < 1 << 63:
        return target
    raise ValueError("a dead letter is named by its number")
