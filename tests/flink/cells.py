"""What functions answer to a real Flink, to see what it makes of it: each script under the function's name and id."""

import threading

from statefun.protocol.request_reply_pb2 import FromFunction
from tests.flink.scripted import Answer, Call, Script, record

STATE_TYPE = "cells/State"
HOUR = 3_600_000
SECOND = 1000
ROUNDS = 15
HELD_SECONDS = 30.0
"""The longest that a call is held."""


def bad_once(bad: Answer | FromFunction) -> Script:
    """Answer the first call wrongly, and further ones well."""

    def script(call: Call) -> Answer | FromFunction:
        return bad if call.number == 1 else done(call)

    return script


def done(call: Call) -> FromFunction:
    """Tell the last message of the batch, under the function's name and id."""
    target = call.request.invocation.target
    return record(f"{target.type}/{target.id}", call.values[-1])


def ask(name: str, typename: str = STATE_TYPE, expires: int = 0) -> FromFunction:
    """Ask for a state, which expires so many milliseconds after a write."""
    reply = FromFunction()
    spec = reply.incomplete_invocation_context.missing_values.add(state_name=name, type_typename=typename)
    if expires:
        spec.expiration_spec.mode = FromFunction.ExpirationSpec.AFTER_WRITE
        spec.expiration_spec.expire_after_millis = expires
    return reply


def undeclared_state() -> FromFunction:
    reply = FromFunction()
    change = reply.invocation_result.state_mutations.add(state_name="undeclared")
    change.mutation_type = FromFunction.PersistedValueMutation.MODIFY
    change.state_value.typename, change.state_value.has_value = STATE_TYPE, True
    return reply


def unknown_egress() -> FromFunction:
    reply = record("", "")
    reply.invocation_result.outgoing_egresses[0].egress_type = "unknown"
    return reply


def send(reply: FromFunction, to: str, value: str) -> None:
    name, _, identifier = to.partition("/")
    message = reply.invocation_result.outgoing_messages.add()
    message.target.namespace, message.target.type, message.target.id = "cells", name, identifier
    message.argument.typename, message.argument.has_value, message.argument.value = "cells/T", True, value.encode()


def send_after(reply: FromFunction, delay: int, to: str, value: str, token: str = "") -> FromFunction:
    name, _, identifier = to.partition("/")
    message = reply.invocation_result.delayed_invocations.add(delay_in_ms=delay, cancellation_token=token)
    message.target.namespace, message.target.type, message.target.id = "cells", name, identifier
    message.argument.typename, message.argument.has_value, message.argument.value = "cells/T", True, value.encode()
    return reply


def changed_type(call: Call) -> FromFunction:
    match call.number:
        case 1:
            return ask("typed")
        case 2:
            return ask("typed", "cells/Other")
        case _:
            return done(call)


def asks_again_and_again(call: Call) -> FromFunction:
    return ask("asked") if call.number <= ROUNDS else done(call)


def asks_for_its_caller(call: Call) -> FromFunction:
    """The first message makes it send another one to `second`."""
    reply = done(call)
    send(reply, "second/caller", "hello")
    return reply


def sends_later(call: Call) -> FromFunction:
    """Send one message that is to be cancelled, and a later one which tells that the time is over."""
    if call.values == ["begin"]:
        address = f"async/{call.request.invocation.target.id}"
        reply = send_after(FromFunction(), 2 * SECOND, address, "cancelled?", token="token")
        send_after(reply, 3 * SECOND, address, "over")
        send(reply, "second/token", "cancel")
        return reply
    return done(call)


def cancels(call: Call) -> FromFunction:
    reply = FromFunction()
    reply.invocation_result.delayed_invocations.add(is_cancellation_request=True, cancellation_token="token")
    return reply


def status_in_a_header(call: Call) -> Answer | FromFunction:
    return Answer(headers={"Status": "500"}) if call.number == 1 else done(call)


def no_effects(call: Call) -> Answer | FromFunction:
    """First no bytes, then an empty result."""
    match call.number:
        case 1:
            return Answer()
        case 2:
            reply = FromFunction()
            reply.invocation_result.SetInParent()
            return reply
        case _:
            return done(call)


class Expiring:
    """A state that is written as one that expires after an hour, and then asked for as one of a second."""

    def __init__(self) -> None:
        self.found: list[tuple[str, bool]] = []
        """Of each message, whether the state had a value."""
        self._written = False

    def __call__(self, call: Call) -> FromFunction:
        states = call.request.invocation.state
        value = call.values[-1]
        if not states:
            return ask("expiring", expires=SECOND if self._written else HOUR)
        self.found.append((value, states[0].state_value.has_value))
        if value == "change" and self.found.count(("change", True)) == 1:
            return ask("expiring", expires=SECOND)
        reply = done(call)
        if value == "write":
            self._written = True
            change = reply.invocation_result.state_mutations.add(state_name="expiring")
            change.mutation_type = FromFunction.PersistedValueMutation.MODIFY
            change.state_value.typename, change.state_value.has_value = STATE_TYPE, True
        return reply


class Held:
    """The first call waits until it may go on."""

    def __init__(self) -> None:
        self.may_go_on = threading.Event()

    def __call__(self, call: Call) -> FromFunction:
        if call.number == 1:
            assert self.may_go_on.wait(HELD_SECONDS)
        return done(call)
