"""Waiting grows, and not for ever."""

from statefun_runtime.kinesis.backoff import Backoff


def test_it_doubles_to_a_limit_and_begins_anew() -> None:
    backoff = Backoff()
    waits = [backoff.next() for _ in range(10)]
    assert all(low <= wait <= 2 * low for low, wait in zip((0.05, 0.1, 0.2, 0.4, 0.8, 1.6), waits, strict=False))
    assert all(2.5 <= wait <= 5 for wait in waits[6:])
    backoff.reset()
    assert backoff.next() <= 0.1
