"""Where the effects of a function go, at the moment the function has them."""

from typing import Protocol

from statefun.egress import EgressMessage
from statefun.message import Message
from statefun.protocol.request_reply_pb2 import FromFunction
from statefun.storage import AddressScopedStorage
from statefun.typed_value import ValueCarrier
from statefun.wire import (
    encode_address,
    encode_delayed,
    encode_egress,
    encode_egress_of,
    encode_message,
    encode_message_of,
    encode_mutation,
    encode_reply,
)


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
    """Encodes effects as parts of a reply (`FromFunction`), each in the order in which the function had them."""

    __slots__ = ("_delayed", "_egresses", "_messages")

    def __init__(self) -> None:
        self._messages: list[bytes] = []
        self._delayed: list[bytes] = []
        self._egresses: list[bytes] = []

    def send(self, message: Message) -> None:
        """Add an outgoing message. Raises ValueError if the target's typename is none."""
        source = message.source
        if isinstance(source, tuple):
            value_typename, value = source
            encoded = encode_message(message.target_typename, message.target_id, value_typename, value)
        else:
            encoded = encode_message_of(message.target_typename, message.target_id, _checked(message))
        self._messages.append(encoded)

    def send_after(self, delay_ms: int, message: Message, token: str) -> None:
        """Add a delayed message. Raises ValueError if the target's typename is none."""
        delayed = FromFunction.DelayedInvocation(delay_in_ms=delay_ms, cancellation_token=token)
        delayed.target.MergeFromString(encode_address(message.target_typename, message.target_id))
        message.write_to(delayed.argument)
        self._delayed.append(encode_delayed(delayed.SerializeToString()))

    def cancel(self, token: str) -> None:
        """Add a cancellation request, in order with the delayed messages."""
        delayed = FromFunction.DelayedInvocation(is_cancellation_request=True, cancellation_token=token)
        self._delayed.append(encode_delayed(delayed.SerializeToString()))

    def egress(self, message: EgressMessage) -> None:
        """Add an egress message. Raises ValueError if the egress's typename is none."""
        source = message.source
        if isinstance(source, tuple):
            value_typename, value = source
            encoded = encode_egress(message.typename, value_typename, value)
        else:
            encoded = encode_egress_of(message.typename, _checked(message))
        self._egresses.append(encoded)

    def finish(self, storage: AddressScopedStorage) -> bytes:
        """Add what the batch wrote into its storage; the bytes of the reply, none if there were no effects."""
        # What `mutations` of the storage does: called for it, a request of one message takes 2 % longer.
        cells = storage.__cells__
        written: list[bytes] = []
        for spec in storage.__schema__.specs:
            cell = cells[spec.name]
            if type(cell) is tuple:
                written.append(encode_mutation(spec.name, spec.type.typename, cell[0]))
        return encode_reply(written + self._messages + self._delayed + self._egresses)


def _checked(carrier: ValueCarrier) -> bytes:
    """The encoded value of `carrier`. What an application brought as bytes is read first: it must be a value."""
    return carrier.typed_value.SerializeToString()
