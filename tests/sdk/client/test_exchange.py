import pytest

from statefun.client.errors import UnavailableError
from statefun.client.exchange import Answer, Broken, Patience, Pause, Plan, Request, persist

REQUEST = Request("PUT", "/", {}, b"", 1)


class Time:
    """A clock that is moved by the pauses of a plan."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def play(plan: Plan[Answer], time: Time, *outcomes: Answer | Broken) -> tuple[list[float], Answer]:
    """Carry out a plan with these outcomes; the pauses it made, and its result."""
    pauses: list[float] = []
    left = list(outcomes)
    step = next(plan)
    try:
        while True:
            if isinstance(step, Pause):
                pauses.append(step.seconds)
                time.now += step.seconds
                step = next(plan)
            else:
                step = plan.send(left.pop(0))
    except StopIteration as end:
        return pauses, end.value


def later(seconds: str | None, status: int = 503) -> Answer:
    return Answer(status, {} if seconds is None else {"retry-after": seconds}, b"")


def test_pauses_double_and_are_at_least_what_the_runtime_asks_for() -> None:
    time, done = Time(), Answer(202, {}, b"")
    plan = persist(lambda left: REQUEST, Patience(100, time, lambda: 1.0), "k")
    broken = Broken("gone", maybe_taken=True)
    pauses, result = play(plan, time, broken, broken, later("5"), broken, *[broken] * 5, done)
    assert result == done
    assert pauses == pytest.approx([0.05, 0.1, 5, 0.4, 0.8, 1.6, 2, 2, 2])


def test_jitter_shortens_a_pause_by_half_at_most() -> None:
    time = Time()
    plan = persist(lambda left: REQUEST, Patience(10, time, lambda: 0.0), "k")
    assert play(plan, time, Broken("x", maybe_taken=False), Answer(202, {}, b""))[0] == [0.025]


def test_each_attempt_is_told_how_much_time_is_left() -> None:
    time, left = Time(), list[float]()

    def make(seconds: float) -> Request:
        left.append(seconds)
        return REQUEST

    play(persist(make, Patience(10, time, lambda: 1.0), None), time, later("4"), later("3"), Answer(200, {}, b""))
    assert left == [10, 6, 3]


def test_no_attempt_begins_after_the_time_is_over() -> None:
    time = Time()
    plan = persist(lambda left: REQUEST, Patience(5, time), "k")
    with pytest.raises(UnavailableError, match="tried for 5 s, the last time: status 429"):
        play(plan, time, later("2", 429), later("4", 429))
    assert time.now == 2


@pytest.mark.parametrize("retry_after", ["Wed, 21 Oct 2026 07:28:00 GMT", "-1", "1e9"])
def test_a_date_or_nonsense_for_seconds_is_the_usual_pause(retry_after: str) -> None:
    time = Time()
    plan = persist(lambda left: REQUEST, Patience(5, time, lambda: 1.0), None)
    assert play(plan, time, later(retry_after), Answer(200, {}, b""))[0] == [0.05]


def test_503_without_retry_after_is_final() -> None:
    time = Time()
    assert play(persist(lambda left: REQUEST, Patience(5, time), None), time, later(None))[1].status == 503
