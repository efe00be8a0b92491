"""What Flink does differently with the functions of an application, told from what they declare and from their code."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from statefun import StatefulFunctions
from statefun.value_spec import ExpireMode
from statefun_runtime.errors import ModuleError
from statefun_runtime.flink.difference import Difference, different, refused
from statefun_runtime.module.matching import EndpointMatcher
from statefun_runtime.module.module import Module
from statefun_runtime.module.position import Position

_TOKEN_PLACE = 2
"""The position of the token among the arguments of `send_after`."""


def function_differences(functions: StatefulFunctions, module: Module) -> Iterator[Difference]:
    """The differences of what functions declare. A place is where the function is defined."""
    matcher = EndpointMatcher(module.endpoints)
    for spec in functions:
        file, _, line = spec.location.rpartition(":")
        position = Position(file, int(line), 1) if line.isdigit() else Position(spec.location)
        if matcher.match(spec.typename) is None:
            yield refused(
                position,
                spec.typename,
                "no endpoint serves it, and Flink calls functions over HTTP only",
                "an endpoint for it in the module file; `statefun flink deploy --functions` writes one",
            )
        for state in spec.specs:
            if state.expiration.mode is not ExpireMode.NONE:
                yield different(
                    position,
                    f"{spec.typename}: {state.name}",
                    "a changed expiration has no effect on Flink until the job restarts",
                    "restart the job, with a savepoint, after the change",
                )


def code_differences(files: Iterable[Path], *, awaits_replies: bool) -> Iterator[Difference]:
    """The differences of what the code in these Python files does, as far as its text shows.

    `awaits_replies`: whether requests over HTTP may wait for what functions send to their caller.

    Raises:
        ModuleError: A file cannot be read as Python.
    """
    for file in files:
        try:
            tree = ast.parse(file.read_bytes(), str(file))
        except (OSError, SyntaxError, ValueError) as wrong:
            raise ModuleError(f"{file} cannot be read as Python: {wrong}") from wrong
        for node in sorted(_located(tree), key=lambda node: (node.lineno, node.col_offset)):
            position = Position(str(file), node.lineno, node.col_offset + 1)
            if isinstance(node, ast.Call):
                yield from _call(node, position)
            elif awaits_replies and node.attr == "caller":
                yield different(
                    position,
                    "caller",
                    "on Flink a message from outside has no caller, and nobody waits for a reply",
                    "answer by an egress, and let the client read it there",
                )


def _located(tree: ast.AST) -> Iterator[ast.Call | ast.Attribute]:
    return (node for node in ast.walk(tree) if isinstance(node, (ast.Call, ast.Attribute)))


def _call(call: ast.Call, position: Position) -> Iterator[Difference]:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            pass
        case _:
            return
    if name == "RetryLater":
        yield different(
            position,
            name,
            "to Flink it is the status 503: it calls again by its own back-off, without regard to `after`, and after "
            "the time limit of the call the whole job restarts",
            "a message to itself by `send_after`, which tries again later",
        )
    elif name == "Reject":
        yield different(
            position,
            name,
            "to Flink it is the status 422: it calls again or fails at once, by its transport, and then the whole job "
            "restarts on the same message; nothing is parked and there are no dead letters",
            "send what cannot be handled to an egress for dead letters, and return",
        )
    elif name == "send_after" and _has_token(call):
        yield different(
            position,
            "cancellation_token",
            "on Flink a token belongs to the sender's id in all of its types, and a second message under a token that "
            "is still waiting fails the whole job",
            "a token with the function's name and something unique in it; cancel before sending anew",
        )


def _has_token(call: ast.Call) -> bool:
    return len(call.args) > _TOKEN_PLACE or any(keyword.arg == "cancellation_token" for keyword in call.keywords)
