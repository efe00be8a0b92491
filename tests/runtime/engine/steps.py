"""Short words for what the tests of the engine do: values, effects, and one call made by hand.

`World` of the simulation gives the store that survives crashes.
"""

from collections.abc import Sequence
from typing import NoReturn

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.engine.engine import Engine
from statefun_runtime.engine.limits import Limits
from statefun_runtime.engine.operator_actions import OperatorActions
from statefun_runtime.interfaces import (
    Address,
    Batch,
    Cancellation,
    Changes,
    DelayedSend,
    Effects,
    EgressRecord,
    ExpireMode,
    Failure,
    FailureKind,
    MissingStates,
    Payload,
    Send,
    StateSpec,
    Table,
)
from statefun_runtime.operation import Action
from statefun_runtime.store.changes import changes_of
from statefun_runtime.store.queries import read_values
from tests.simulation.world import EGRESS, World

A: Address = ("test/f", "a")
B: Address = ("test/f", "b")
C: Address = ("test/g", "c")

SEEN = StateSpec("seen", "test/text")
WRITTEN = StateSpec("written", "test/text", ExpireMode.AFTER_WRITE, 1000)
CALLED = StateSpec("called", "test/text", ExpireMode.AFTER_CALL, 1000)

TRANSIENT = Failure(FailureKind.TRANSIENT, "503 Service Unavailable")
UNREACHABLE = Failure(FailureKind.UNREACHABLE, "connection refused")
PERMANENT = Failure(FailureKind.PERMANENT, "422 Unprocessable Entity")


def _by_hand(batch: Batch) -> NoReturn:
    raise AssertionError(f"the test answers batches itself, this one was not: {batch.messages}")


def world_of(*specs: StateSpec, limits: Limits | None = None) -> World:
    """A world whose functions all declare `specs`, and whose batches the test answers."""
    world = World(_by_hand, limits)
    declare(world, *specs)
    commit(world)
    return world


def declare(world: World, *specs: StateSpec) -> None:
    for typename in ("test/f", "test/g"):
        world.engine.declare(typename, specs)


def value(text: str, typename: str = "test/text") -> Payload:
    return TypedValue(typename=typename, has_value=True, value=text.encode()).SerializeToString()


def does(
    *effects: Send | DelayedSend | Cancellation | EgressRecord,
    state: dict[str, Payload | None] | None = None,
) -> Effects:
    """Effects from a flat list, each kind in the order given."""
    all_effects = Effects()
    for effect in effects:
        match effect:
            case Send():
                all_effects.sends.append(effect)
            case EgressRecord():
                all_effects.egresses.append(effect)
            case _:
                all_effects.delayed.append(effect)
    all_effects.mutations = state or {}
    return all_effects


def later(delay: int, target: Address, payload: Payload, token: str = "") -> DelayedSend:
    return DelayedSend(delay, target, payload, token)


def record(payload: Payload) -> EgressRecord:
    return EgressRecord(EGRESS, payload)


def accept(world: World, target: Address, *payloads: Payload) -> None:
    for payload in payloads:
        world.accept(target, payload)


def ready(world: World) -> list[Batch]:
    """Make all calls that can be made now; they stay in flight."""
    before = len(world.in_flight)
    world.dispatch()
    return world.in_flight[before:]


def call(world: World) -> Batch:
    """Make the one call that can be made now."""
    [batch] = ready(world)
    return batch


def payloads(batch: Batch) -> list[Payload]:
    return [message[3] for message in batch.messages]


def answer(world: World, reply: Effects | MissingStates | Failure, *, expect: Sequence[Payload] | None = None) -> Batch:
    """Make the one call that can be made now and answer it."""
    batch = call(world)
    if expect is not None:
        assert payloads(batch) == list(expect)
    world.reply(batch, reply)
    return batch


def commit(world: World) -> Changes:
    """Cut and commit; what was written, without the numbers that every epoch writes."""
    world.cut()
    if world.cut_epoch is None:
        return Changes()
    changes = changes_of(world.cut_epoch, world.engine.lineage)
    world.commit()
    changes.puts = [put for put in changes.puts if put[0] is not Table.META]
    return changes


def tables(changes: Changes) -> dict[str, int]:
    """How many rows of each table a change touches."""
    found = [table.value for table, _ in changes.deletes] + [table.value for table, _, _ in changes.puts]
    return {name: found.count(name) for name in found}


def restart(world: World, *specs: StateSpec) -> None:
    """Commit, crash, and declare the functions' states again."""
    commit(world)
    world.crash()
    declare(world, *specs)


def resume(world: World, address: Address) -> bool:
    """Commit, resume an address wherever it is, and read what waits for it."""
    commit(world)
    while not world.engine.open(address):
        world.load()
    resumed = resume_in_memory(world.engine, address)
    world.load()
    return resumed


def resume_in_memory(engine: Engine, address: Address) -> bool:
    """Resume an address if it is in memory and parked."""
    return OperatorActions(engine, "ann").on_address(Action.RESUME, address).done


def stored(world: World, address: Address) -> dict[str, tuple[int, Payload]]:
    """The durable values of an address with their times."""
    [values] = read_values(world.store, [address])
    return values
