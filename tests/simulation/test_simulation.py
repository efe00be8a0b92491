"""Random traffic with crashes at every step, checked against what a sequential run must have done."""

import json
from collections import Counter, defaultdict
from random import Random

import pytest

from statefun_runtime.engine.limits import Limits
from statefun_runtime.interfaces import Address, Failure, FailureKind

from .tree import Node, Plan, decode, walk
from .world import World

SEEDS = 300
STEPS = 250


def simulate(seed: int) -> tuple[Plan, World]:
    """A run with faults chosen by `seed`, then one without until all is done."""
    random = Random(seed)
    plan = Plan(random, roots=random.choice((2, 10, 25)), addresses=random.choice((2, 5, 12)))
    limits = Limits(
        max_batch=random.choice((1, 2, 5, 1000)),
        outbox_memory=random.choice((0, 1000, 1_000_000)),
        cache_bytes=random.choice((0, 3000, 1 << 20)),
        page=random.choice((1, 2, 1000)),
        max_queued=random.choice((1, 3, 10, 1000)),
        delayed_window=random.choice((1, 3, 1000)),
        max_attempts=1_000_000,
    )
    world = World(lambda batch: walk(plan, batch), limits, seed)
    weights = [random.random() ** 2 for _ in range(8)]
    weights[7] *= 0.1
    for _ in range(STEPS):
        step(random.choices(range(8), weights)[0], plan, world, random)
    while accept_next(plan, world):
        pass
    world.run()
    return plan, world


def accept_next(plan: Plan, world: World) -> bool:
    """Hand in the next root of the ingress, whose position is part of the epoch."""
    last = world.engine.epoch.positions.get(("ingress", "")) or getattr(world, "position", None)
    position = int(last) if last is not None else 0
    if position == len(plan.roots):
        return False
    root = plan.roots[position]
    world.accept(root.target, str(root.number).encode(), str(position + 1).encode())
    world.position = str(position + 1).encode()  # type: ignore[attr-defined]
    return True


def step(action: int, plan: Plan, world: World, random: Random) -> None:
    if action == 0:
        accept_next(plan, world)
    elif action == 1:
        world.dispatch(random.choice((1, 3)))
    elif action in (2, 3) and world.in_flight:
        batch = random.choice(world.in_flight)
        failed = Failure(random.choice((FailureKind.TRANSIENT, FailureKind.UNREACHABLE)), "by chance")
        world.reply(batch, failed if random.random() < 0.2 else None)
    elif action == 4:
        world.advance(random.choice((0, 1, 20, 400)))
    elif action == 5:
        world.cut()
    elif action == 6:
        random.choice((world.commit, world.release))()
    elif action == 7:
        random.choice((world.crash, world.commit_and_crash))()
        world.position = world.positions.get("ingress", {}).get("")  # type: ignore[attr-defined]


def histories(plan: Plan, world: World) -> dict[Address, list[int]]:
    return {a: [entry[0] for entry in decode(world.state(a).get("history"))] for a in plan.addresses}  # type: ignore[misc]


def check_runs(plan: Plan, runs: Counter[int]) -> None:
    """Every message ran once, unless its parent did not or it was cancelled."""

    def visit(node: Node, parent_ran: bool) -> None:
        count = runs[node.number]
        may_be_cancelled = node.token in plan.cancelled
        assert count == 1 if parent_ran and not may_be_cancelled else count <= parent_ran, (node.number, count)
        for child in node.children:
            visit(child, count == 1)

    for root in plan.roots:
        visit(root, parent_ran=True)


def check_order(plan: Plan, history: dict[Address, list[int]]) -> None:
    """What one address sent at once to another arrived in the order it was sent."""
    for target, numbers in history.items():
        place = {number: index for index, number in enumerate(numbers)}
        for sender, sent in history.items():
            at_once = [c for n in sent for c in plan.nodes[n].children if c.delay is None and c.target == target]
            places = [place[child.number] for child in at_once]
            assert places == sorted(places), (sender, target)
        roots = [place[root.number] for root in plan.roots if root.target == target]
        assert roots == sorted(roots)


@pytest.mark.parametrize("block", range(6))
@pytest.mark.slow
def test_every_effect_happens_exactly_once_whatever_crashes_when(block: int) -> None:
    crashes = 0
    for seed in range(block * SEEDS // 6, (block + 1) * SEEDS // 6):
        try:
            plan, world = simulate(seed)
            history = histories(plan, world)
            check_runs(plan, Counter(number for numbers in history.values() for number in numbers))
            check_order(plan, history)
            written: dict[Address, list[int]] = defaultdict(list)
            for epoch in sorted(world.written):
                for record in world.written[epoch]:
                    (typename, identifier), index, number = json.loads(record)
                    assert index == len(written[typename, identifier])
                    written[typename, identifier].append(number)
            assert written == {address: numbers for address, numbers in history.items() if numbers}
            assert world.rows_left() == {}
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise
        crashes += world.crashes
    assert crashes > SEEDS // 6
