"""Runs the messages of one batch, in order, against one storage."""

import asyncio
import inspect
from collections.abc import Coroutine, Iterable
from datetime import timedelta
from typing import Any, Final, NoReturn, TypeAlias, TypeVar

from statefun.address import Address, CallerSource, SdkAddress, read_caller
from statefun.cancellation import CancellationTokenLike, token_text
from statefun.context import Context
from statefun.effects import Effects
from statefun.egress import EgressBuilder, EgressMessage
from statefun.errors import ContextEndedError, RegistrationError
from statefun.function_spec import StatefulFunctionSpec
from statefun.message import Message, MessageBuilder
from statefun.storage import AddressScopedStorage

T = TypeVar("T")

_MILLISECOND: Final = timedelta(milliseconds=1)
_NO_TIME: Final = timedelta(0)

Batch: TypeAlias = Iterable[tuple[CallerSource, Message]]
"""Messages in order, each with where its caller is read from."""


class Call:
    """One call of a function: what all messages of the batch share."""

    __slots__ = ("_address", "effects", "id", "spec", "storage")

    def __init__(self, spec: StatefulFunctionSpec, id: str, storage: AddressScopedStorage, effects: Effects) -> None:  # noqa: A002
        self.spec = spec
        self.id = id
        self.storage = storage
        self.effects = effects
        self._address: Address | None = None

    def address(self) -> Address:
        """The address that is called; made when it is asked for."""
        address = self._address
        if address is None:
            self._address = address = SdkAddress.unchecked(self.spec.function_type, self.id)
        return address


class _EndedCall:
    """Takes the place of the call in a context whose message is done: every use of the context raises."""

    __slots__ = ()

    def __getattr__(self, name: str) -> NoReturn:
        raise ContextEndedError(
            "this context has ended with its message: await the work inside the function, "
            "or start it by context.create_task"
        )


_ENDED: Final[Any] = _EndedCall()


class InvocationContext(Context):
    """The context of one message; it writes effects into the call's sink at once."""

    __slots__ = ("_call", "_caller", "tasks")

    def __init__(self, call: Call, caller: CallerSource) -> None:
        self._call = call
        self._caller = caller
        self.tasks: list[asyncio.Task[Any]] | None = None

    @property
    def address(self) -> Address:
        """The address that is called."""
        return self._call.address()

    @property
    def storage(self) -> AddressScopedStorage:
        """The states of that address."""
        return self._call.storage

    @property
    def caller(self) -> Address | None:
        """The address of the function that sent the message, or None if it came from an ingress."""
        self._call.address()  # raises once the message is done
        self._caller = caller = read_caller(self._caller)
        return caller

    def send(self, message: Message | MessageBuilder[Any]) -> None:
        """See `Context.send`."""
        self._call.effects.send(message if isinstance(message, Message) else _message(message))

    def send_after(
        self,
        duration: timedelta,
        message: Message | MessageBuilder[Any],
        cancellation_token: CancellationTokenLike | None = None,
    ) -> None:
        """See `Context.send_after`."""
        if duration < _NO_TIME:
            raise ValueError(f"the delay of a message must not be negative, it is {duration}")
        token = token_text(cancellation_token)
        self._call.effects.send_after(duration // _MILLISECOND, _message(message), token)

    def cancel_delayed_message(self, cancellation_token: CancellationTokenLike) -> None:
        """See `Context.cancel_delayed_message`."""
        token = token_text(cancellation_token)
        if not token:
            raise ValueError("a message without a cancellation token cannot be cancelled: the token is empty")
        self._call.effects.cancel(token)

    def send_egress(self, message: EgressMessage | EgressBuilder) -> None:
        """See `Context.send_egress`."""
        self._call.effects.egress(message if isinstance(message, EgressMessage) else _egress_message(message))

    def create_task(self, coroutine: Coroutine[Any, Any, T], *, name: str | None = None) -> "asyncio.Task[T]":
        """See `Context.create_task`."""
        try:
            _check_async(self._call.spec)
            task = asyncio.create_task(coroutine, name=name)
        except BaseException:
            coroutine.close()
            raise
        if self.tasks is None:
            self.tasks = []
        self.tasks.append(task)
        return task

    def end(self) -> None:
        """Make every later use of this context an error."""
        self._call = _ENDED

    async def finish(self) -> None:
        """Leave no task behind and `end`; then raise the first failure among the tasks."""
        await self.abandon()
        for task in self.tasks or ():
            error = None if task.cancelled() else task.exception()
            if error is not None:
                raise error

    async def abandon(self) -> None:
        """Cancel the tasks that still run, wait for all, and `end`."""
        tasks = self.tasks or ()
        try:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            self.end()


async def invoke(call: Call, batch: Batch) -> None:
    """Run an async function. The first exception ends the batch; the caller then drops all effects.

    When the task that runs this is cancelled, no further message is started, even if the function swallows it.
    """
    function = call.spec.function
    task: asyncio.Task[Any] | None = None
    first = True
    for caller, message in batch:
        if first:
            first = False
        else:
            # Asked for once: it is a system call on some versions.
            task = task or asyncio.current_task()
            if task is not None and task.cancelling():
                raise asyncio.CancelledError("the call was cancelled before its next message")
        context = InvocationContext(call, caller)
        try:
            await function(context, message)
        except BaseException:
            await context.abandon()
            raise
        if context.tasks is None:
            context.end()
        else:
            await context.finish()


def invoke_in_new_loop(call: Call, batch: Batch) -> None:
    """Run an async function to its end, in an event loop of its own. Raises RuntimeError inside a running one."""
    invocation = invoke(call, batch)
    try:
        asyncio.run(invocation)
    finally:
        # Without effect but where it was not even started.
        invocation.close()


def invoke_sync(call: Call, batch: Batch) -> None:
    """Run a function that is no `async def`: it needs no event loop. The first exception ends the batch."""
    function = call.spec.function
    for caller, message in batch:
        context = InvocationContext(call, caller)
        try:
            result = function(context, message)
        finally:
            context.end()
        if result is not None:
            _refuse_awaitable(call.spec, result)


def _check_async(spec: StatefulFunctionSpec) -> None:
    if not spec.is_async:
        raise RegistrationError(f"{spec.typename} starts a task, so it must be an 'async def' ({spec.location})")


def _refuse_awaitable(spec: StatefulFunctionSpec, result: object) -> None:
    if inspect.iscoroutine(result):
        result.close()
    if inspect.isawaitable(result):
        raise RegistrationError(
            f"{spec.typename} returned an awaitable although it is no 'async def' ({spec.location}): "
            f"it would never be awaited"
        )


def _message(message: object) -> Message:
    if isinstance(message, Message):
        return message
    if isinstance(message, MessageBuilder):
        return message.to_message()
    raise TypeError(f"expected a Message (see message_builder) or a MessageBuilder, not {message!r}")


def _egress_message(message: object) -> EgressMessage:
    if isinstance(message, EgressMessage):
        return message
    if isinstance(message, EgressBuilder):
        return message.to_egress_message()
    raise TypeError(f"expected an EgressMessage (see kafka_egress_message) or a builder of one, not {message!r}")
