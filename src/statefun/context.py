"""The context of a call: who is called, by whom, and what the function may do."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final, TypeVar

from statefun.address import Address
from statefun.cancellation import CancellationTokenLike
from statefun.egress import EgressBuilder, EgressMessage
from statefun.message import Message, MessageBuilder
from statefun.storage import AddressScopedStorage

T = TypeVar("T")

_NO_VALUES: Final[Mapping[str, object]] = MappingProxyType({})


class Context(ABC):
    """What a function is called with, beside the message. It belongs to that message and ends with it.

    Nothing that a function does through it happens before the whole batch has succeeded.
    Subclasses in tests need the three properties only; what else they do not override does nothing (hence B027).

    Raises:
        ContextEndedError: By every use after the message is done.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def address(self) -> Address:
        """The address that is called."""

    @property
    @abstractmethod
    def storage(self) -> AddressScopedStorage:
        """The states of that address."""

    @property
    @abstractmethod
    def caller(self) -> Address | None:
        """The address of the function that sent the message, or None if it came from an ingress."""

    def send(self, message: Message | MessageBuilder[Any]) -> None:  # noqa: B027
        """Send a message to a function."""

    def send_after(  # noqa: B027
        self,
        duration: timedelta,
        message: Message | MessageBuilder[Any],
        cancellation_token: CancellationTokenLike | None = None,
    ) -> None:
        """Send a message to a function after a while, counted in whole milliseconds.

        Args:
            duration: How long to wait; must not be negative.
            message: The message.
            cancellation_token: The name by which this address can cancel the message; None and "" are no token.

        Raises:
            ValueError: The duration is negative.
        """

    def cancel_delayed_message(self, cancellation_token: CancellationTokenLike) -> None:  # noqa: B027
        """Cancel the delayed message that this address sent with the token.

        Best effort: a message that was delivered already stays so, and an unknown token is no error.

        Raises:
            ValueError: The token is empty.
        """

    def send_egress(self, message: EgressMessage | EgressBuilder) -> None:  # noqa: B027
        """Send a message to an egress."""

    @property
    def values(self) -> Mapping[str, object]:
        """The values that `derive` added."""
        return _NO_VALUES

    def derive(self, **values: object) -> "Context":
        """A context with further values (a deadline, a trace id), for code that is handed the context.

        It shares everything else with this one, and ends with it.
        """
        return DerivedContext(self, values)

    def create_task(self, coroutine: Coroutine[Any, Any, T], *, name: str | None = None) -> "asyncio.Task[T]":
        """Start a task that lives no longer than the message; for async functions only.

        When the function returns or raises, its tasks are cancelled and awaited, before the context ends. A task that
        failed fails the message, as in an `asyncio.TaskGroup`, whether or not the function looked at it.
        """
        coroutine.close()
        raise NotImplementedError(f"{type(self).__name__} cannot start the task {name or coroutine!r}")


class DerivedContext(Context):
    """A context with further values, that shares everything else with another one."""

    __slots__ = ("_parent", "_values")

    def __init__(self, parent: Context, values: Mapping[str, object]) -> None:
        self._parent = parent
        self._values = MappingProxyType({**parent.values, **values})

    @property
    def address(self) -> Address:
        """The address that is called."""
        return self._parent.address

    @property
    def storage(self) -> AddressScopedStorage:
        """The states of that address."""
        return self._parent.storage

    @property
    def caller(self) -> Address | None:
        """The address of the function that sent the message, or None if it came from an ingress."""
        return self._parent.caller

    @property
    def values(self) -> Mapping[str, object]:
        """The values of this context and of those it was derived from; the nearest one counts."""
        return self._values

    def send(self, message: Message | MessageBuilder[Any]) -> None:
        """See `Context.send`."""
        self._parent.send(message)

    def send_after(
        self,
        duration: timedelta,
        message: Message | MessageBuilder[Any],
        cancellation_token: CancellationTokenLike | None = None,
    ) -> None:
        """See `Context.send_after`."""
        self._parent.send_after(duration, message, cancellation_token)

    def cancel_delayed_message(self, cancellation_token: CancellationTokenLike) -> None:
        """See `Context.cancel_delayed_message`."""
        self._parent.cancel_delayed_message(cancellation_token)

    def send_egress(self, message: EgressMessage | EgressBuilder) -> None:
        """See `Context.send_egress`."""
        self._parent.send_egress(message)

    def create_task(self, coroutine: Coroutine[Any, Any, T], *, name: str | None = None) -> "asyncio.Task[T]":
        """See `Context.create_task`."""
        return self._parent.create_task(coroutine, name=name)
