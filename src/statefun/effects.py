"""Where the effects of a function go, at the moment the function has them."""

from typing import Final, Protocol

from statefun.egress import EgressMessage
from statefun.message import Message
from statefun.protocol.request_reply_pb2 import FromFunction
from statefun.storage import AddressScopedStorage
from statefun.typename import split_typename

_DELETE: Final = FromFunction.PersistedValueMutation.DELETE
_MODIFY: Final = FromFunction.PersistedValueMutation.MODIFY


class Effects(Protocol):
    """The sink of one batch. A context calls it; a runtime that hosts functions brings its own.

    Messages bring their value as parts: see `ValueCarrier.payload` and `ValueCarrier.write_to`.
    """

    def send(self, message: Message) -> None:
        """Send `message`."""

    def send_after(self, delay_ms: int, message: Message, token: str) -> None:
        """Send `message` after `delay_ms` (0 or more) milliseconds; an empty token cannot be cancelled."""

    def cancel(self, token: str) -> None:
        """Drop the delayed message that this address sent with `token` (not empty)."""

    def egress(self, message: EgressMessage) -> None:
        """Send `message` to an egress."""


class ResponseEffects:
    """Writes effects straight into a reply, field by field: what is built apart is copied twice."""

    __slots__ = ("_egresses", "_messages", "_reply", "_response")

    def __init__(self) -> None:
        self._reply = FromFunction()
        self._response = response = self._reply.invocation_result
        self._messages = response.outgoing_messages
        self._egresses = response.outgoing_egresses

    def send(self, message: Message) -> None:
        """Add an outgoing message. Raises ValueError if the target's typename is none."""
        namespace, name = split_typename(message.target_typename)
        outgoing = self._messages.add()
        target = outgoing.target
        target.namespace = namespace
        target.type = name
        target.id = message.target_id
        source = message.source
        if type(source) is tuple:
            # As write_to does; a call less.
            argument = outgoing.argument
            argument.typename, argument.value = source
            argument.has_value = True
        else:
            message.write_to(outgoing.argument)

    def send_after(self, delay_ms: int, message: Message, token: str) -> None:
        """Add a delayed message. Raises ValueError if the target's typename is none."""
        namespace, name = split_typename(message.target_typename)
        outgoing = self._response.delayed_invocations.add()
        outgoing.delay_in_ms = delay_ms
        target = outgoing.target
        target.namespace = namespace
        target.type = name
        target.id = message.target_id
        message.write_to(outgoing.argument)
        outgoing.cancellation_token = token

    def cancel(self, token: str) -> None:
        """Add a cancellation request, in order with the delayed messages."""
        outgoing = self._response.delayed_invocations.add()
        outgoing.is_cancellation_request = True
        outgoing.cancellation_token = token

    def egress(self, message: EgressMessage) -> None:
        """Add an egress message. Raises ValueError if the egress's typename is none."""
        namespace, name = split_typename(message.typename)
        outgoing = self._egresses.add()
        outgoing.egress_namespace = namespace
        outgoing.egress_type = name
        source = message.source
        if type(source) is tuple:
            # As write_to does; a call less.
            argument = outgoing.argument
            argument.typename, argument.value = source
            argument.has_value = True
        else:
            message.write_to(outgoing.argument)

    def finish(self, storage: AddressScopedStorage) -> bytes:
        """Add what the batch wrote into its storage; the bytes of the reply, none if there were no effects."""
        cells = storage.__cells__
        for spec in storage.__schema__.specs:
            cell = cells[spec.name]
            if type(cell) is not tuple:
                continue
            mutation = self._response.state_mutations.add()
            mutation.state_name = spec.name
            data = cell[0]
            if data is None:
                mutation.mutation_type = _DELETE
                continue
            mutation.mutation_type = _MODIFY
            value = mutation.state_value
            value.typename = spec.type.typename
            value.has_value = True
            value.value = data
        return self._reply.SerializeToString()
