"""The messages that an interpreter of commands takes: what they may hold, and which of them arrive."""

from collections.abc import Iterator
from typing import NotRequired, TypedDict

NEVER = 3_600_000
"""A delay, in milliseconds, that no run outlasts: a message that is cancelled later."""


class Command(TypedDict):
    """One thing to do; docs/howto/conformance.md says what each `kind` does. `delay` is in milliseconds."""

    kind: str
    target: NotRequired[str]
    message: NotRequired["Message"]
    delay: NotRequired[int]
    token: NotRequired[str]
    state: NotRequired[str]
    amount: NotRequired[str]
    to: NotRequired[str]


class Message(TypedDict):
    """`sender` and `number` tell in which order messages were sent to one target; delayed ones have neither.

    `root` names a message from outside, whose numbers may have gaps: not every request arrives.
    """

    id: int
    commands: list[Command]
    sender: NotRequired[str]
    number: NotRequired[int]
    root: NotRequired[str]


def messages(target: str, root: Message) -> Iterator[tuple[str, Message]]:
    """The messages of a tree with their targets, without those that are cancelled."""
    cancelled = {command.get("token") for command in _all_commands(root) if command["kind"] == "cancel"}
    waiting = [(target, root)]
    while waiting:
        target, message = waiting.pop()
        yield target, message
        waiting += [
            (command["target"], command["message"])
            for command in message["commands"]
            if "message" in command and "target" in command and command.get("token", "") not in cancelled
        ]


def _all_commands(message: Message) -> Iterator[Command]:
    for command in message["commands"]:
        yield command
        if "message" in command:
            yield from _all_commands(command["message"])
