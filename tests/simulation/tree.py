"""Random trees of messages, and the function that walks them: its state is the history of what it ran."""

import json
from dataclasses import dataclass, field
from random import Random

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.interfaces import (
    Address,
    Batch,
    Cancellation,
    DelayedSend,
    Effects,
    EgressRecord,
    MissingStates,
    Reply,
    Send,
    StateSpec,
)

from .world import EGRESS

HISTORY = StateSpec("history", "test/json")


@dataclass(slots=True)
class Node:
    """A message of the plan: when it is run, its children are sent, and the token of its parent's sibling cancelled."""

    number: int
    target: Address
    sender: Address | None
    delay: int | None = None
    token: str = ""
    cancels: str = ""
    children: list["Node"] = field(default_factory=list)


class Plan:
    """A forest of messages over a few addresses."""

    def __init__(self, random: Random, roots: int, addresses: int) -> None:
        self.random = random
        self.nodes: list[Node] = []
        self.addresses = [(f"test/f{n % 3}", str(n)) for n in range(addresses)]
        self.roots = [self._node(None, 0) for _ in range(roots)]

    def _node(self, sender: Address | None, depth: int) -> Node:
        random = self.random
        node = Node(len(self.nodes), random.choice(self.addresses), sender)
        self.nodes.append(node)
        if sender is not None and random.random() < 0.3:
            node.delay = random.choice((0, 1, 50, 1000))
            node.token = f"token-{node.number}" if random.random() < 0.5 else ""
        for _ in range(random.choice((0, 1, 1, 2, 3)) if depth < 4 else 0):
            node.children.append(self._node(node.target, depth + 1))
        tokens = [child.token for child in node.children if child.token]
        if tokens and random.random() < 0.5:
            # A sibling that comes later to the same address, so that another batch of the same sender cancels.
            canceller = Node(len(self.nodes), node.target, node.target, cancels=random.choice(tokens))
            self.nodes.append(canceller)
            node.children.append(canceller)
        return node

    @property
    def cancelled(self) -> set[str]:
        return {node.cancels for node in self.nodes if node.cancels}


def encode(value: object) -> bytes:
    return TypedValue(typename="test/json", has_value=True, value=json.dumps(value).encode()).SerializeToString()


def decode(payload: bytes | None) -> list[list[object]]:
    return [] if payload is None else json.loads(TypedValue.FromString(payload).value)


def walk(plan: Plan, batch: Batch) -> Reply:
    """Run a batch: history and egress get one entry for each message."""
    if "history" not in batch.state:
        return MissingStates((HISTORY,))
    history, effects = decode(batch.state["history"]), Effects()
    for _, target, caller, payload in batch.messages:
        node = plan.nodes[int(payload)]
        assert (node.target, node.sender) == (target, caller)
        effects.egresses.append(EgressRecord(EGRESS, json.dumps([target, len(history), node.number]).encode()))
        history.append([node.number])
        if node.cancels:
            effects.delayed.append(Cancellation(node.cancels))
        for child in node.children:
            child_payload = str(child.number).encode()
            if child.delay is None:
                effects.sends.append(Send(child.target, child_payload))
            else:
                effects.delayed.append(DelayedSend(child.delay, child.target, child_payload, child.token))
    effects.mutations["history"] = encode(history)
    return effects
