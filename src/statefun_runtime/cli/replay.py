"""Replays a call that failed, in this process: the function runs on what it was given then, and nothing is applied."""

import pdb  # noqa: T100  # what `--pdb` asks for
import traceback
from collections.abc import Callable, Iterator
from inspect import unwrap
from typing import NamedTuple

import click

from statefun import StatefulFunctions, StatefulFunctionSpec, UnknownFunctionError
from statefun_runtime.cli.failure import CommandError
from statefun_runtime.cli.loading import load_functions
from statefun_runtime.cli.value_text import caller_text, typed_line
from statefun_runtime.endpoint.codec import decode_reply, encode_batch
from statefun_runtime.epoch import StateValues
from statefun_runtime.interfaces import Address, Batch, Cancellation, Effects, Failure, Message, Payload
from statefun_runtime.operation import target_text
from statefun_runtime.units import format_duration

functions_option = click.option(
    "--functions", required=True, metavar="APP:FUNCTIONS", help="The functions of the application."
)
debugger_option = click.option(
    "--pdb", "in_debugger", is_flag=True, help="Stop at the first line of the function, in Python's debugger."
)


class Replay(NamedTuple):
    """A call: its messages, the values of its address, and the time (milliseconds) that tells which have expired."""

    target: Address
    messages: list[Message]
    values: StateValues
    now: int


def replay(reference: str, call: Replay, in_debugger: bool) -> None:
    """Make `call` on the functions that `reference` names, and print its effects.

    Raises:
        CommandError: The function is not there, or it fails.
    """
    functions = load_functions(reference)
    try:
        spec = functions.for_typename(call.target[0])
    except UnknownFunctionError as error:
        raise CommandError(f"{reference}: {error}") from error
    state = _state(spec, call)
    for _, _, caller, payload in call.messages:
        click.echo(f"message from {caller_text(caller)}: {typed_line(payload)}")
    for name, value in state.items():
        click.echo(f"state {name}: {'-' if value is None else typed_line(value)}")
    effects = _run(functions, spec, Batch(call.target, state, call.messages), in_debugger)
    lines = list(_lines(effects))
    click.echo("\n".join(("The function would:", *(f"  {line}" for line in lines))) if lines else "It has no effects.")


def _state(spec: StatefulFunctionSpec, call: Replay) -> dict[str, Payload | None]:
    state: dict[str, Payload | None] = {}
    for value in spec.specs:
        touched, payload = call.values.get(value.name, (call.now, None))
        state[value.name] = None if value.duration and touched + value.duration <= call.now else payload
    return state


def _run(functions: StatefulFunctions, spec: StatefulFunctionSpec, batch: Batch, in_debugger: bool) -> Effects:
    handle: Callable[[bytes], bytes] = functions.as_handler().handle_sync
    request = encode_batch(batch)
    try:
        answer = _in_debugger(spec, handle, request) if in_debugger else handle(request)
    except CommandError:
        raise
    except Exception as error:
        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
        raise CommandError(f"{spec.typename} fails: {type(error).__name__}: {error}") from error
    reply = decode_reply(answer)
    if not isinstance(reply, Effects):
        reason = reply.reason if isinstance(reply, Failure) else "it asks for states that it does not declare"
        raise CommandError(f"the reply of {spec.typename} would be refused: {reason}")
    return reply


def _in_debugger(spec: StatefulFunctionSpec, handle: Callable[[bytes], bytes], request: bytes) -> bytes:
    code = getattr(unwrap(spec.function), "__code__", None)
    if code is None:
        raise CommandError(f"--pdb cannot tell where {spec.location} begins; put breakpoint() into it")
    debugger = pdb.Pdb()
    refusal = debugger.set_break(code.co_filename, code.co_firstlineno, funcname=code.co_name)
    if refusal:
        raise CommandError(f"--pdb cannot stop in {spec.location}: {refusal}; put breakpoint() into it")
    # It stops once in the handler, before the function: go on from there.
    debugger.rcLines.append("continue")
    answer = debugger.runcall(handle, request)
    if answer is None:
        raise CommandError("the debugger was left before the function was done")
    return answer


def _lines(effects: Effects) -> Iterator[str]:
    for target, payload in effects.sends:
        yield f"send to {target_text(target)}: {typed_line(payload)}"
    for effect in effects.delayed:
        if isinstance(effect, Cancellation):
            yield f"cancel {effect.token!r}"
            continue
        token = f", to be cancelled as {effect.token!r}" if effect.token else ""
        yield f"send in {format_duration(effect.delay)} to {target_text(effect.target)}{token}: " + typed_line(
            effect.payload
        )
    for egress, payload in effects.egresses:
        yield f"give to {egress}: {typed_line(payload)}"
    for name, value in effects.mutations.items():
        yield f"delete {name}" if value is None else f"set {name}: {typed_line(value)}"
