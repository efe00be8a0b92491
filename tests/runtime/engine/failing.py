"""What the tests of failed calls share."""

from statefun_runtime.engine.limits import FailurePolicy, Limits, OnFailure
from statefun_runtime.epoch import Parked
from tests.simulation.world import World

from .steps import A, accept, world_of

FEW = Limits(max_attempts=3, max_age=1000, retry_min=10, retry_max=100)


def with_message(limits: Limits | None = None) -> World:
    world = world_of(limits=limits)
    accept(world, A, b"1")
    return world


def wait(world: World) -> int:
    """Move time to the next thing that happens; the milliseconds it took."""
    due = world.engine.next_time()
    assert due is not None
    before = world.now
    world.advance(due - world.now)
    return world.now - before


def parked(world: World, address: tuple[str, str]) -> Parked:
    found = world.engine.epoch.parked[address]
    assert found is not None
    return found


def policy(
    *, on_failure: OnFailure = OnFailure.PARK, bisect: bool = False, max_attempts: int = 3, max_age: int = 1000
) -> Limits:
    """Limits under which the functions of `test` have a policy."""
    found = FailurePolicy(on_failure, max_attempts, max_age, bisect)
    return Limits(policies={"test/*": found}, retry_min=10, retry_max=100)
