"""Batches and replies as bytes of the request-reply protocol.

Typed values pass through as the bytes they came as. A reply is checked as a whole before any of it is handed on: what
breaks the protocol is refused here, at the function that sent it, and never reaches a store or another function.
"""

from functools import lru_cache
from typing import TypeAlias

from google.protobuf.message import DecodeError

from statefun.protocol import request_reply_pb2 as official
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
    """The ToFunction message of `batch`."""
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
    effects = Effects()
    for index, sent in enumerate(result.outgoing_messages):
        effects.sends.append(Send(_target(sent, "message", index), sent.argument))
    for index, delayed in enumerate(result.delayed_invocations):
        effects.delayed.append(_delayed(delayed, index))
    for index, record in enumerate(result.outgoing_egresses):
        effects.egresses.append(_egress_record(record, index))
    for index, mutation in enumerate(result.state_mutations):
        effects.mutations[_state_name(mutation, "mutation", index)] = _new_value(mutation)
    return effects


def _target(sent: wire.FromFunction.Invocation | wire.FromFunction.DelayedInvocation, kind: str, index: int) -> Address:
    target = sent.target
    try:
        return join_typename(target.namespace, target.type), target.id
    except ProtocolError as error:
        raise ProtocolError(f"the target of {kind} {index} is not an address: {error}") from None


def _delayed(delayed: wire.FromFunction.DelayedInvocation, index: int) -> DelayedSend | Cancellation:
    token = delayed.cancellation_token
    if delayed.is_cancellation_request:
        if not token:
            raise ProtocolError(f"delayed message {index} is a cancellation without a token")
        return Cancellation(token)
    delay = delayed.delay_in_ms
    if not 0 <= delay <= MAX_DURATION:
        raise ProtocolError(f"the delay of delayed message {index} is {delay} ms, not between 0 and 2**62")
    return DelayedSend(delay, _target(delayed, "delayed message", index), delayed.argument, token)


def _egress_record(record: wire.FromFunction.EgressMessage, index: int) -> EgressRecord:
    try:
        return EgressRecord(join_typename(record.egress_namespace, record.egress_type), record.argument)
    except ProtocolError as error:
        raise ProtocolError(f"egress record {index} does not name an egress: {error}") from None


def _state_name(
    named: wire.FromFunction.PersistedValueMutation | wire.FromFunction.PersistedValueSpec, kind: str, index: int
) -> str:
    if not named.state_name:
        raise ProtocolError(f"{kind} {index} does not name a state")
    return named.state_name


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
    name = _state_name(spec, "missing state", index)
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
