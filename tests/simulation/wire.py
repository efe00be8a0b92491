"""Replies as an endpoint puts them on the wire, which may break off."""

from random import Random

from statefun_runtime.endpoint.codec import split_typename
from statefun_runtime.endpoint.interpret import interpret
from statefun_runtime.endpoint.response import Response
from statefun_runtime.interfaces import Address, Cancellation, DelayedSend, Effects, ExpireMode, MissingStates, Reply
from statefun_runtime.protocol import opaque_pb2 as wire

MAX_BYTES = 1 << 20
_Result = wire.FromFunction.InvocationResponse
_Mutation = wire.FromFunction.PersistedValueMutation

_Spec = wire.FromFunction.ExpirationSpec
_MODES = {
    ExpireMode.NEVER: _Spec.NONE,
    ExpireMode.AFTER_WRITE: _Spec.AFTER_WRITE,
    ExpireMode.AFTER_CALL: _Spec.AFTER_INVOKE,
}


def truncated(reply: Effects | MissingStates, random: Random, now: int) -> Reply:
    """What the runtime makes of a response whose body is only the beginning of `reply`."""
    body = _encode(reply)
    return interpret(Response(200, {}, body[: random.randrange(1, len(body))], keep_alive=True), MAX_BYTES, now)


def _encode(reply: Effects | MissingStates) -> bytes:
    message = wire.FromFunction()
    if isinstance(reply, MissingStates):
        for spec in reply.states:
            missing = message.incomplete_invocation_context.missing_values.add()
            missing.state_name, missing.type_typename = spec.name, spec.typename
            missing.expiration_spec.mode = _MODES[spec.mode]
            missing.expiration_spec.expire_after_millis = spec.expire_after
    else:
        _put_effects(reply, message.invocation_result)
    return message.SerializeToString()


def _put_effects(effects: Effects, result: _Result) -> None:
    result.SetInParent()
    for target, payload in effects.sends:
        sent = result.outgoing_messages.add()
        sent.argument = payload
        _put_address(target, sent.target)
    for effect in effects.delayed:
        _put_delayed(effect, result.delayed_invocations.add())
    for record in effects.egresses:
        put = result.outgoing_egresses.add()
        put.egress_namespace, put.egress_type = split_typename(record.egress)
        put.argument = record.payload
    for name, value in effects.mutations.items():
        mutation = result.state_mutations.add()
        mutation.state_name = name
        mutation.mutation_type = _Mutation.DELETE if value is None else _Mutation.MODIFY
        mutation.state_value = value or b""


def _put_delayed(effect: DelayedSend | Cancellation, delayed: wire.FromFunction.DelayedInvocation) -> None:
    delayed.cancellation_token = effect.token
    if isinstance(effect, Cancellation):
        delayed.is_cancellation_request = True
    else:
        delayed.delay_in_ms, delayed.argument = effect.delay, effect.payload
        _put_address(effect.target, delayed.target)


def _put_address(address: Address, message: wire.Address) -> None:
    message.namespace, message.type = split_typename(address[0])
    message.id = address[1]
