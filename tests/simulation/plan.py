"""What the functions of a simulation are to do: random trees of messages over a few addresses."""

from dataclasses import dataclass, field
from random import Random

from statefun_runtime.answer import REQUESTS
from statefun_runtime.interfaces import Address
from statefun_runtime.requests.ask import request_id

TYPENAMES = ("test/f0", "test/f1", "test/f2")
RENAMED = "-renamed"
"""Behind the typename of a function that has got another name."""
REQUEST_SCOPE = "put"


def original(address: Address) -> Address:
    """An address by the first name of its function."""
    return address[0].removesuffix(RENAMED), address[1]


@dataclass(slots=True)
class Node:
    """A message. When it is run, `cancels` is cancelled, then its children are sent."""

    number: int
    target: Address
    sender: Address | None
    delay: int | None = None
    token: str = ""
    cancels: str = ""
    writes: bool = False
    """Whether it writes the two states that expire."""
    poison: bool = False
    """Whether every call with it fails for good until it is healed."""
    children: list["Node"] = field(default_factory=list["Node"])


class Plan:
    """A forest of messages. The roots come from the ingress in order, those that are asked from clients with a key."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._poisonous = random.choice((0.0, 0.0, 0.05))
        self._lazy = random.choice((0.1, 0.3, 0.6))
        self.nodes: list[Node] = []
        addresses = random.choice((1, 2, 5, 12))
        self.addresses: list[Address] = [(random.choice(TYPENAMES), str(number)) for number in range(addresses)]
        self.roots = [self._node(None, 0) for _ in range(random.choice((2, 10, 30)))]
        self.asked = [self._asked() for _ in range(random.choice((0, 1, 5)))]

    def _asked(self) -> Node:
        node = self._node(None, 0)
        node.sender = (REQUESTS, request_id(REQUEST_SCOPE, str(node.number)))
        return node

    def _node(self, sender: Address | None, depth: int) -> Node:
        random = self._random
        node = Node(len(self.nodes), random.choice(self.addresses), sender)
        self.nodes.append(node)
        node.writes = random.random() < 0.4
        node.poison = random.random() < self._poisonous
        if sender is not None and random.random() < self._lazy:
            node.delay = random.choice((0, 1, 1, 50, 50, 1000))
            node.token = f"own-{node.number}" if random.random() < 0.5 else ""
        for _ in range(random.choice((0, 1, 1, 2, 3)) if depth < 4 else 0):
            node.children.append(self._node(node.target, depth + 1))
        self._cancel_a_child(node)
        if random.random() < 0.15:
            self._arm(node)
        return node

    def _cancel_a_child(self, node: Node) -> None:
        """Let a later batch of the same sender cancel what this one sends."""
        tokens = [child.token for child in node.children if child.token.startswith("own")]
        if tokens and self._random.random() < 0.6:
            self._add(node, Node(len(self.nodes), node.target, node.target, cancels=self._random.choice(tokens)))

    def _arm(self, node: Node) -> None:
        """Let it move the alarm of its address: cancel the last one, send another with the same token."""
        node.cancels = "alarm"
        delay = self._random.choice((1, 50, 1000))
        self._add(node, Node(len(self.nodes), self._random.choice(self.addresses), node.target, delay, "alarm"))

    def _add(self, parent: Node, child: Node) -> None:
        self.nodes.append(child)
        parent.children.append(child)
