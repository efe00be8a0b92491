"""Batches and replies as bytes of the request-reply protocol.

Typed values pass through as the bytes they came as. A reply is checked as a whole before any of it is handed on: what
breaks the protocol is refused here, at the function that sent it, and never reaches a store or another function.
"""

from functools import lru_cache
from typing import NoReturn, TypeAlias

from google.protobuf.message import DecodeError

from statefun.protocol import request_reply_pb2 as official
from statefun.wire import LENGTHS, length_delimited
from statefun_runtime.interfaces import (
    Address,
    Batch,
    Cancellation,
    DelayedSend,
    Effects,
    EgressRecord,
    ExpireMode,
    Failure,
    FailureKind,
    MissingStates,
    Reply,
    Send,
    StateSpec,
)
from statefun_runtime.protocol import opaque_pb2 as wire

MAX_DURATION = 1 << 62
"""The longest delay or expiry, in milliseconds: the sum with the current time still fits 64 bits."""

_EXPIRE_MODES = {mode.value: mode for mode in ExpireMode}
_DELETE = wire.FromFunction.PersistedValueMutation.DELETE
_MODIFY = wire.FromFunction.PersistedValueMutation.MODIFY

_Result: TypeAlias = wire.FromFunction.InvocationResponse


class ProtocolError(ValueError):
    """A reply breaks the protocol; the text says where and how."""


@lru_cache(maxsize=4096)
def split_typename(typename: str) -> tuple[str, str]:
    """Namespace and type of a typename; a namespace may contain slashes, a type cannot."""
    namespace, _, name = typename.rpartition("/")
    return namespace, name


@lru_cache(maxsize=4096)
def join_typename(namespace: str, name: str) -> str:
    """The typename of a namespace and a type. Raises ProtocolError for parts that do not make one."""
    if not namespace or not name:
        raise ProtocolError(f"namespace {namespace!r} and type {name!r} must not be empty")
    if "/" in name:
        raise ProtocolError(f"type {name!r} must not contain a slash")
    return f"{namespace}/{name}"


def encode_batch(batch: Batch) -> bytes:
    """The ToFunction message of `batch`. Raises ValueError or EncodeError for text that has no UTF-8."""
    try:
        return _encode_short_fields(batch)
    except IndexError:
        return _encode_any_fields(batch)


def _encode_short_fields(batch: Batch) -> bytes:
    """The bytes that protobuf would make, joined in half of its time. Raises IndexError for a field that is long."""
    fields = [_short_address(batch.target)]
    for name, value in batch.state.items():
        state = _state_head(name)
        if value:
            state = b"".join((state, b"\x12", LENGTHS[len(value)], value))
        fields += (b"\x12", LENGTHS[len(state)], state)
    for _, _, caller, payload in batch.messages:
        invocation = b"" if caller is None else _short_address(caller)
        if payload:
            invocation = b"".join((invocation, b"\x12", LENGTHS[len(payload)], payload))
        fields += (b"\x1a", LENGTHS[len(invocation)], invocation)
    return length_delimited(b"\xa2\x06", b"".join(fields))


def _short_address(address: Address) -> bytes:
    """An address as field 1, which it is wherever a batch has one."""
    typename, id_ = address
    text = id_.encode()
    data = b"".join((_address_head(typename), LENGTHS[len(text)], text))
    return b"".join((b"\x0a", LENGTHS[len(data)], data))


@lru_cache(maxsize=4096)
def _address_head(typename: str) -> bytes:
    """All of an address up to the length of its id."""
    namespace, name = split_typename(typename)
    return wire.Address(namespace=namespace, type=name).SerializeToString() + b"\x1a"


@lru_cache(maxsize=4096)
def _state_head(name: str) -> bytes:
    """A state without a value."""
    return wire.ToFunction.PersistedValue(state_name=name).SerializeToString()


def _encode_any_fields(batch: Batch) -> bytes:
    message = wire.ToFunction()
    request = message.invocation
    _set_address(request.target, batch.target)
    for name, value in batch.state.items():
        state = request.state.add()
        state.state_name = name
        if value is not None:
            state.state_value = value
    add_invocation = request.invocations.add
    for _, _, caller, payload in batch.messages:
        invocation = add_invocation()
        if caller is not None:
            _set_address(invocation.caller, caller)
        invocation.argument = payload
    return message.SerializeToString()


def decode_reply(data: bytes) -> Reply:
    """What a FromFunction message says. No bytes at all mean no effects.

    A message of neither known kind is a failure, since what it asks for would be lost.
    """
    if not data:
        return Effects()
    try:
        # The typed values are opaque to our own schema; the official one is the check that they are what they claim.
        official.FromFunction.FromString(data)
        reply = wire.FromFunction.FromString(data)
    except DecodeError as error:
        return _broken(f"it is not a FromFunction message ({error})")
    try:
        match reply.WhichOneof("response"):
            case "invocation_result":
                return _effects(reply.invocation_result)
            case "incomplete_invocation_context":
                return _missing_states(reply.incomplete_invocation_context)
            case _:
                return _broken("it holds neither an invocation result nor an incomplete invocation context")
    except ProtocolError as error:
        return _broken(str(error))


def _broken(what: str) -> Failure:
    return Failure(FailureKind.PERMANENT, f"the function's reply breaks the protocol: {what[:500]}")


def _set_address(message: wire.Address, address: Address) -> None:
    typename, message.id = address
    message.namespace, message.type = split_typename(typename)


def _effects(result: _Result) -> Effects:
    # A slice is a list: iterating over protobuf's own sequence costs twice as much, and five times as much if empty.
    effects = Effects()
    effects.mutations = _mutations(result.state_mutations[:])
    effects.sends = _sends(result.outgoing_messages[:])
    delayed, egresses = result.delayed_invocations[:], result.outgoing_egresses[:]
    if delayed:
        effects.delayed = [_delayed(each, index) for index, each in enumerate(delayed)]
    if egresses:
        effects.egresses = _egress_records(egresses)
    return effects


def _sends(messages: list[wire.FromFunction.Invocation]) -> list[Send]:
    sends: list[Send] = []
    try:
        for sent in messages:
            target = sent.target
            sends.append(Send((join_typename(target.namespace, target.type), target.id), sent.argument))
    except ProtocolError as error:
        raise ProtocolError(f"the target of message {len(sends)} is not an address: {error}") from None
    return sends


def _delayed(delayed: wire.FromFunction.DelayedInvocation, index: int) -> DelayedSend | Cancellation:
    token = delayed.cancellation_token
    if delayed.is_cancellation_request:
        if not token:
            raise ProtocolError(f"delayed message {index} is a cancellation without a token")
        return Cancellation(token)
    delay = delayed.delay_in_ms
    if not 0 <= delay <= MAX_DURATION:
        raise ProtocolError(f"the delay of delayed message {index} is {delay} ms, not between 0 and 2**62")
    target = delayed.target
    try:
        typename = join_typename(target.namespace, target.type)
    except ProtocolError as error:
        raise ProtocolError(f"the target of delayed message {index} is not an address: {error}") from None
    return DelayedSend(delay, (typename, target.id), delayed.argument, token)


def _egress_records(records: list[wire.FromFunction.EgressMessage]) -> list[EgressRecord]:
    egresses: list[EgressRecord] = []
    try:
        for record in records:
            typename = join_typename(record.egress_namespace, record.egress_type)
            egresses.append(EgressRecord(typename, record.argument))
    except ProtocolError as error:
        raise ProtocolError(f"egress record {len(egresses)} does not name an egress: {error}") from None
    return egresses


def _mutations(written: list[wire.FromFunction.PersistedValueMutation]) -> dict[str, bytes | None]:
    mutations: dict[str, bytes | None] = {}
    for index, mutation in enumerate(written):
        mutations[mutation.state_name or _no_name("mutation", index)] = _new_value(mutation)
    return mutations


def _no_name(kind: str, index: int) -> NoReturn:
    raise ProtocolError(f"{kind} {index} does not name a state")


def _new_value(mutation: wire.FromFunction.PersistedValueMutation) -> bytes | None:
    kind = mutation.mutation_type
    if kind == _DELETE:
        return None
    if kind != _MODIFY:
        raise ProtocolError(f"the mutation of state {mutation.state_name!r} is of the unknown type {kind}")
    value = mutation.state_value
    return value if official.TypedValue.FromString(value).has_value else None


def _missing_states(context: wire.FromFunction.IncompleteInvocationContext) -> MissingStates:
    if not context.missing_values:
        raise ProtocolError("an incomplete invocation context names no missing state")
    return MissingStates(tuple(_state_spec(spec, index) for index, spec in enumerate(context.missing_values)))


def _state_spec(spec: wire.FromFunction.PersistedValueSpec, index: int) -> StateSpec:
    name = spec.state_name or _no_name("missing state", index)
    if not spec.type_typename:
        raise ProtocolError(f"the missing state {name!r} has no type")
    number, after = spec.expiration_spec.mode, spec.expiration_spec.expire_after_millis
    mode = _EXPIRE_MODES.get(number)
    if mode is None:
        raise ProtocolError(f"the missing state {name!r} has the unknown expire mode {number}")
    if mode is ExpireMode.NEVER:
        return StateSpec(name, spec.type_typename)
    if not 0 < after <= MAX_DURATION:
        raise ProtocolError(f"the missing state {name!r} expires after {after} ms, not between 1 and 2**62")
    return StateSpec(name, spec.type_typename, mode, after)
