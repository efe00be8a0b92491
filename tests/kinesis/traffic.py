"""Writes an input stream while a test runs, and tells how an output stream differs from what it should hold."""

import threading
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Self

from tests.kinesis.server import Streams

KEYS = 12


class Writing:
    """Puts `<number>` under the keys k0, k1, … in turn while the `with` block runs, all keys every `tick` seconds."""

    def __init__(self, streams: Streams, stream: str, tick: float = 0.0) -> None:
        self.written = 0
        self._streams, self._stream, self._tick = streams, stream, tick
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._done.wait(self._tick):
            numbers = range(self.written, self.written + KEYS)
            self._streams.put_together(self._stream, [(f"k{number % KEYS}", b"%d" % number) for number in numbers])
            self.written += KEYS


def differences(written: int, records: Iterable[tuple[str, str]], allowed: Counter[tuple[str, str]]) -> list[str]:
    """How outputs `<number of messages so far> <number>` differ from what so many inputs must have made, a line each.

    Each input must have counted once. Of each key the outputs must be in order, but for steps back to what comes again,
    and each may come again as often as `allowed` says.
    """
    found: defaultdict[str, list[tuple[int, ...]]] = defaultdict(list)
    for key, value in records:
        found[key].append(tuple(map(int, value.split())))
    wrong = [f"{key} was never written" for key in found.keys() - {f"k{key}" for key in range(KEYS)}]
    for first in range(KEYS):
        key = f"k{first}"
        got = found[key]
        wanted = list(enumerate(range(first, written, KEYS), 1))
        if sorted(set(got)) != wanted:
            wrong.append(
                f"{key}: missing {sorted({*wanted} - {*got})[:5]}, never made {sorted({*got} - {*wanted})[:5]}"
            )
        gaps = [pair for pair in zip([(0, 0), *got], got, strict=False) if pair[1][0] > pair[0][0] + 1]
        if gaps:
            wrong.append(f"{key}: out of order: {gaps[:5]}")
        for (place, number), times in Counter(got).items():
            again = times - 1 - allowed[key, f"{place} {number}"]
            if again > 0:
                wrong.append(f"{key}: {place} {number} came {again} times although it was known to be out")
    return wrong
