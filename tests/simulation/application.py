"""The function of a simulation: it runs the plan, and its state is the history of what it ran.

A history only grows at its end, so a value of the state is the number of its last link; the links themselves are kept
here, whatever crashes. Those of a lost epoch are just named by nothing any more.
"""

import json
from collections.abc import Iterator
from typing import NamedTuple

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.interfaces import (
    Batch,
    Cancellation,
    DelayedSend,
    Effects,
    EgressRecord,
    ExpireMode,
    Failure,
    FailureKind,
    MissingStates,
    Payload,
    Reply,
    Send,
    StateSpec,
)

from .plan import Node, Plan, original
from .world import EGRESS

AFTER_WRITE = (40, 10, 200)
"""Milliseconds after which one of the two states expires, at first and when the application was changed."""
AFTER_CALL = 60
"""Milliseconds after which the other one expires."""


class Entry(NamedTuple):
    """One message that was run: when it was sent to the function, when the reply came, and what it saw.

    `after_write` is the expiration that was declared then.
    """

    node: int
    dispatched: int
    replied: int
    saw: tuple[int | None, int | None] | None
    """The values of the states that expire; None if a message before it in the batch may have changed them."""
    after_write: int = 0


def encode(value: object) -> Payload:
    return TypedValue(typename="test/json", has_value=True, value=json.dumps(value).encode()).SerializeToString()


def decode(payload: Payload | None) -> object:
    return None if payload is None else json.loads(TypedValue.FromString(payload).value)


class Link(NamedTuple):
    """The end of a history."""

    before: int
    entry: Entry
    length: int
    ran: int
    """A bit for each node in it."""


NOTHING = Link(0, Entry(-1, 0, 0, None), 0, 0)


class Application:
    """Runs batches by the plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.healed: set[int] = set()
        """Poisonous messages that are so no more."""
        self.after_writes = [AFTER_WRITE[0]]
        """The expirations that were declared, the one that is now comes last."""
        self._links = [NOTHING]

    def history(self, payload: Payload | None) -> Iterator[Entry]:
        """What a value of the state stands for, the last entry first."""
        link = self._link(payload)
        while link.length:
            yield link.entry
            link = self._links[link.before]

    def _link(self, payload: Payload | None) -> Link:
        number = decode(payload) or 0
        assert isinstance(number, int)
        return self._links[number]

    def run(self, batch: Batch, dispatched: int, now: int) -> Reply:
        """The reply to a batch that was dispatched then and is answered now."""
        if "history" not in batch.state:
            return MissingStates(self._specs())
        nodes = [self.plan.nodes[int(message[3])] for message in batch.messages]
        if any(node.poison and node.number not in self.healed for node in nodes):
            return Failure(FailureKind.PERMANENT, "poison")
        for message, node in zip(batch.messages, nodes, strict=True):
            caller = None if message[2] is None else original(message[2])
            assert (original(message[1]), caller) == (node.target, node.sender)
        return self._effects(batch, nodes, dispatched, now)

    def _specs(self) -> tuple[StateSpec, ...]:
        return (
            StateSpec("history", "test/json"),
            StateSpec("written", "test/json", ExpireMode.AFTER_WRITE, self.after_writes[-1]),
            StateSpec("called", "test/json", ExpireMode.AFTER_CALL, AFTER_CALL),
        )

    def _effects(self, batch: Batch, nodes: list[Node], dispatched: int, now: int) -> Effects:
        last, effects = decode(batch.state["history"]) or 0, Effects()
        assert isinstance(last, int)
        saw = (decode(batch.state["written"]), decode(batch.state["called"]))
        for place, node in enumerate(nodes):
            link = self._links[last]
            assert not link.ran >> node.number & 1, f"{node.number} ran twice"
            record = json.dumps([original(batch.target), link.length, node.number])
            effects.egresses.append(EgressRecord(EGRESS, record.encode()))
            seen = None if place else saw
            entry = Entry(node.number, dispatched, now, seen, self.after_writes[-1])  # type: ignore[arg-type]
            self._links.append(Link(last, entry, link.length + 1, link.ran | 1 << node.number))
            last = len(self._links) - 1
            _send(node, effects)
            if node.writes:
                effects.mutations["written"] = effects.mutations["called"] = encode(node.number)
        effects.mutations["history"] = encode(last)
        return effects


def _send(node: Node, effects: Effects) -> None:
    if node.cancels:
        effects.delayed.append(Cancellation(node.cancels))
    for child in node.children:
        payload = str(child.number).encode()
        if child.delay is None:
            effects.sends.append(Send(child.target, payload))
        else:
            effects.delayed.append(DelayedSend(child.delay, child.target, payload, child.token))
