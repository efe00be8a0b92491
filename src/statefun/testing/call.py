"""One call of one function: messages and state in, effects out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple, TypeVar

from statefun.address import Address
from statefun.egress import EgressMessage
from statefun.function_spec import StatefulFunctionSpec
from statefun.functions import StatefulFunctions
from statefun.invocation import Call, invoke_in_new_loop, invoke_sync
from statefun.message import Message
from statefun.storage import mutations
from statefun.types import encode
from statefun.value_spec import ValueSpec
from statefun.wire import encode_typed_value

T = TypeVar("T")


class DelayedMessage(NamedTuple):
    """A message that was sent with a delay; the token is empty if it cannot be cancelled."""

    delay: timedelta
    message: Message
    token: str


@dataclass(slots=True)
class Outcome:
    """What a call did, in the order in which it did it."""

    sent: list[Message] = field(default_factory=list[Message])
    delayed: list[DelayedMessage] = field(default_factory=list[DelayedMessage])
    cancelled: list[str] = field(default_factory=list[str])
    egress: list[EgressMessage] = field(default_factory=list[EgressMessage])
    values: dict[str, bytes | None] = field(default_factory=dict[str, bytes | None])
    """The bytes of each state after the call, by name; None for one without a value."""

    def state(self, spec: ValueSpec[T]) -> T | None:
        """A state after the call. Raises KeyError if the function does not declare it."""
        data = self.values[spec.name]
        return None if data is None else spec.type.deserialize(data)


class _Recorder:
    """The sink of one call's effects."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def send(self, message: Message) -> None:
        self._outcome.sent.append(message)

    def send_after(self, delay_ms: int, message: Message, token: str) -> None:
        self._outcome.delayed.append(DelayedMessage(timedelta(milliseconds=delay_ms), message, token))

    def cancel(self, token: str) -> None:
        self._outcome.cancelled.append(token)

    def egress(self, message: EgressMessage) -> None:
        self._outcome.egress.append(message)


def call(
    functions: StatefulFunctions,
    *messages: Message,
    state: Mapping[ValueSpec[Any], object] | None = None,
    caller: Address | None = None,
) -> Outcome:
    """Run messages of one address as one batch.

    Args:
        functions: The registry that has the function.
        messages: One or more messages with the same target (`message_builder` makes them).
        state: The states that have a value before the call.
        caller: Who sent the messages; None for an ingress.

    Raises:
        ValueError: There is no message, or they have different targets.
        UnknownFunctionError: The function is not registered.
        UndeclaredStateError: The function does not declare one of the states.
        RuntimeError: The function is async, and so is the test: an event loop is running already.
        Exception: What the function raised, as it is.
    """
    targets = {(message.target_typename, message.target_id) for message in messages}
    if len(targets) != 1:
        raise ValueError(f"a call needs messages of exactly one target, these have {len(targets)}")
    ((typename, identifier),) = targets
    spec = functions.for_typename(typename)
    before = _encoded(spec, state or {})
    outcome = Outcome(values=before)
    stored = {name: None if data is None else _typed(spec, name, data) for name, data in before.items()}
    running = Call(spec, identifier, spec.schema.open({**stored}), _Recorder(outcome))
    batch = ((caller, message) for message in messages)
    if spec.is_async:
        invoke_in_new_loop(running, batch)
    else:
        invoke_sync(running, batch)
    outcome.values.update({written.name: data for written, data in mutations(running.storage)})
    return outcome


def _encoded(spec: StatefulFunctionSpec, state: Mapping[ValueSpec[Any], object]) -> dict[str, bytes | None]:
    values: dict[str, bytes | None] = {declared.name: None for declared in spec.specs}
    for value_spec, value in state.items():
        declared = spec.schema.declared(value_spec)
        values[declared.name] = encode(declared.type, value)
    return values


def _typed(spec: StatefulFunctionSpec, name: str, data: bytes) -> bytes:
    return encode_typed_value(spec.schema.by_name[name].type.typename, data)
