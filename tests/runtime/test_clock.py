import time

from hypothesis import given
from hypothesis import strategies as st

from statefun_runtime.clock import EngineClock, SystemClock


class HandClock:
    """Two clocks that are moved by hand."""

    def __init__(self, wall: int = 0) -> None:
        self.wall_time = wall
        self.monotonic_time = 100

    def wall(self) -> int:
        return self.wall_time

    def monotonic(self) -> int:
        return self.monotonic_time

    def move(self, elapsed: int, step: int = 0) -> None:
        """Let `elapsed` milliseconds pass and set the wall clock by `step` besides."""
        self.monotonic_time += elapsed
        self.wall_time += elapsed + step


def test_engine_time_is_the_wall_clock_while_that_runs_evenly() -> None:
    clock = HandClock(wall=1_000_000)
    engine = EngineClock(clock)
    assert engine.now() == 1_000_000
    clock.move(25)
    assert engine.now() == 1_000_025


def test_engine_time_goes_on_when_the_wall_clock_steps_back() -> None:
    clock = HandClock(wall=1_000_000)
    engine = EngineClock(clock)
    assert engine.now() == 1_000_000
    clock.move(10, step=-500_000)
    assert engine.now() == 1_000_010
    clock.move(10)
    assert engine.now() == 1_000_020


def test_engine_time_follows_a_wall_clock_that_steps_forward() -> None:
    clock = HandClock(wall=1_000_000)
    engine = EngineClock(clock)
    clock.move(10, step=3_600_000)
    assert engine.now() == 4_600_010


def test_engine_time_starts_from_the_committed_one_when_the_wall_clock_is_behind() -> None:
    clock = HandClock(wall=1_000)
    engine = EngineClock(clock, committed=5_000)
    assert engine.now() == 5_000
    clock.move(7)
    assert engine.now() == 5_007


def test_time_that_passes_before_the_first_reading_counts() -> None:
    clock = HandClock(wall=1_000)
    engine = EngineClock(clock, committed=5_000)
    clock.move(30)
    assert engine.now() == 5_030


@given(
    st.integers(0, 10**13),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(-(10**9), 10**9)), max_size=30),
)
def test_engine_time_never_goes_back_and_never_falls_behind(committed: int, moves: list[tuple[int, int]]) -> None:
    clock = HandClock(wall=10**12)
    engine = EngineClock(clock, committed)
    last = engine.now()
    for elapsed, step in moves:
        clock.move(elapsed, step)
        now = engine.now()
        assert now >= last + elapsed
        assert now >= clock.wall()
        last = now


def test_the_system_clock_reads_the_machines_clocks_in_milliseconds() -> None:
    clock = SystemClock()
    before = time.time()
    wall = clock.wall()
    assert before * 1000 - 1 <= wall <= time.time() * 1000
    assert abs(clock.monotonic() - time.monotonic() * 1000) < 1000
