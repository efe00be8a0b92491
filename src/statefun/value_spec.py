"""Value specs: the states that a function declares, with their types and expirations."""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Final, Generic, TypeVar

from statefun.types import Type

T = TypeVar("T")

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


class ExpireMode(Enum):
    """From when on the time until a value expires is counted. The numbers are those of the protocol."""

    NONE = 0
    AFTER_WRITE = 1
    AFTER_CALL = 2


@dataclass(frozen=True, slots=True)
class Expiration:
    """When a stored value goes away by itself: `duration` after `mode` says. Made by the three class methods."""

    mode: ExpireMode
    duration: timedelta

    @classmethod
    def none(cls) -> "Expiration":
        """Never."""
        return cls(ExpireMode.NONE, timedelta(0))

    @classmethod
    def after_call(cls, duration: timedelta) -> "Expiration":
        """When the address was not called for `duration`, which must be one millisecond or more."""
        return cls(ExpireMode.AFTER_CALL, duration)

    @classmethod
    def after_write(cls, duration: timedelta) -> "Expiration":
        """When the value was not written for `duration`, which must be one millisecond or more."""
        return cls(ExpireMode.AFTER_WRITE, duration)

    def __post_init__(self) -> None:
        if self.mode is ExpireMode.NONE:
            if self.duration:
                raise ValueError("a duration without a mode: use after_call or after_write")
        elif self.milliseconds < 1:
            raise ValueError(f"a value must live for at least one millisecond, not for {self.duration}")

    @property
    def milliseconds(self) -> int:
        """The duration in whole milliseconds; 0 for none."""
        return self.duration // timedelta(milliseconds=1)

    def __str__(self) -> str:
        if self.mode is ExpireMode.NONE:
            return "Expiration(none)"
        return f"Expiration({self.mode.name.lower().replace('_', ' ')}, {self.duration})"


class ValueSpec(Generic[T]):
    """A state of a function: a name, the type of its values, and when they expire. Immutable."""

    __slots__ = ("after_call", "after_write", "duration", "expiration", "name", "type")

    def __init__(
        self,
        name: str,
        type: Type[T],  # noqa: A002  (the keyword that applications use)
        expire_after_call: timedelta | None = None,
        expire_after_write: timedelta | None = None,
        *,
        expiration: Expiration | None = None,
    ) -> None:
        """Declare a state.

        Args:
            name: ASCII letters, digits and `_`, not starting with a digit. A name that is no attribute of the storage
                (`get`, `set`, `remove`, a keyword) is reached by the spec: `context.storage.get(spec)`.
            type: The type of the values.
            expire_after_call: Short for `expiration=Expiration.after_call(…)`.
            expire_after_write: Short for `expiration=Expiration.after_write(…)`.
            expiration: When values expire; never, if none of the three is given.

        Raises:
            ValueError: The name cannot be one, the type is missing, a duration is below a millisecond, or more than
                one expiration is given.
            TypeError: `type` is no `Type`.
        """
        self.name: Final = _checked_name(name)
        _check_type(name, type)
        self.type: Final = type
        self.expiration: Final = _one_expiration(name, expire_after_call, expire_after_write, expiration)
        # The same in the words of the first Python SDK; the duration is in milliseconds, 0 for never.
        self.after_call: Final = self.expiration.mode is ExpireMode.AFTER_CALL
        self.after_write: Final = self.expiration.mode is ExpireMode.AFTER_WRITE
        self.duration: Final = self.expiration.milliseconds

    def __setattr__(self, name: str, value: object) -> None:
        # Each attribute is set once, by the constructor.
        if hasattr(self, name):
            raise AttributeError(f"the {name} of {self} cannot be changed")
        super().__setattr__(name, value)

    def __str__(self) -> str:
        return f"ValueSpec({self.name}, {self.type.typename}, {self.expiration})"

    __repr__ = __str__


def _checked_name(name: str) -> str:
    if not name:
        raise ValueError("the name of a value spec is missing")
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} cannot be the name of a value spec: ASCII letters, digits and '_' only, no digit first"
        )
    if name.startswith("__") and name.endswith("__"):
        raise ValueError(f"{name!r} cannot be the name of a value spec: Python keeps names between '__' for itself")
    return name


def _check_type(name: str, value_type: object) -> None:
    if value_type is None:
        raise ValueError(f"the type of the value spec {name!r} is missing")
    if not isinstance(value_type, Type):
        raise TypeError(f"the type of the value spec {name!r} must be a statefun Type, it is {value_type!r}")


def _one_expiration(
    name: str, after_call: timedelta | None, after_write: timedelta | None, expiration: Expiration | None
) -> Expiration:
    given = [] if expiration is None else [expiration]
    if after_call is not None:
        given.append(Expiration.after_call(after_call))
    if after_write is not None:
        given.append(Expiration.after_write(after_write))
    if len(given) > 1:
        raise ValueError(f"the value spec {name!r} has more than one expiration")
    return given[0] if given else Expiration.none()
