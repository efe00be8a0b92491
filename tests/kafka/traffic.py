"""Numbered records that are written to one topic and watched for in another, each by a thread of its own."""

import threading
import time
from collections import defaultdict
from typing import Self

from tests.kafka.topics import Reader, Writer

KEYS = 40
TICK = 0.02
"""Seconds between two batches."""
BATCH = 8


class Writing:
    """Writes records under the keys `<name>.<number>` while the `with` block runs."""

    def __init__(self, address: str, name: str) -> None:
        self.written = 0
        self._name = name
        self._writer = Writer(address)
        self._done = threading.Event()
        self._failed: BaseException | None = None

    def __enter__(self) -> Self:
        self._done.clear()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()
        if self._failed is not None:
            raise self._failed

    def write(self, count: int) -> None:
        """Write the next records; each says its number and when it was made."""
        batch = range(self.written, self.written + count)
        records = [(f"{self._name}.{n % KEYS}".encode(), f"{n} {time.time():.6f}".encode()) for n in batch]
        self._writer.write(f"{self._name}-in", records)
        self.written = batch.stop

    def _run(self) -> None:
        try:
            while not self._done.wait(TICK):
                self.write(BATCH)
        except BaseException as error:  # noqa: BLE001  # it is raised where the block ends
            self._failed = error


class Watching:
    """Reads what is committed in `<name>-out` while the `with` block runs."""

    def __init__(self, address: str, name: str, partitions: int) -> None:
        self._reader = Reader(address, f"{name}-out", partitions)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()
        self._reader.close()

    @property
    def count(self) -> int:
        return len(self._reader.records)

    def records(self) -> list[tuple[str, str]]:
        """All (key, value) so far."""
        return list(self._reader.records)

    def latencies(self, start: int = 0) -> list[float]:
        """Seconds between the making of the input and the reading of the output, from a record on."""
        times = list(self._reader.times[start:])
        records = self._reader.records[start : start + len(times)]
        return [read - float(value.split()[2]) for read, (_, value) in zip(times, records, strict=True)]

    def wait_for(self, count: int, seconds: float) -> None:
        """Wait until so many records are there; an AssertionError if they do not come."""
        give_up = time.monotonic() + seconds
        while self.count < count:
            assert time.monotonic() < give_up, (
                f"{self.count} of {count} records came within {seconds:.0f} s, up to {time.time():.3f}; "
                f"the reader's last error: {self._reader.last_error}"
            )
            self._done.wait(0.05)

    def wait_for_silence(self) -> None:
        """Wait until nothing came for two seconds, so that what must not come would be seen."""
        seen = -1
        while seen < self.count:
            seen = self.count
            self._done.wait(2)

    def _run(self) -> None:
        while not self._done.is_set():
            self._reader.poll(0.2)


def differences(name: str, written: int, records: list[tuple[str, str]]) -> list[str]:
    """How outputs differ from what so many inputs must have made, a line each: each once, in order for each key."""
    found: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for key, value in records:
        place, number, _ = value.split()
        found[key].append((int(place), int(number)))
    wrong = [f"{key} was never written" for key in found.keys() - {f"{name}.{key}" for key in range(KEYS)}]
    for first in range(KEYS):
        key = f"{name}.{first}"
        wanted = list(enumerate(range(first, written, KEYS), 1))
        got = found[key]
        if got != wanted:
            at = next((n for n, pair in enumerate(zip(got, wanted, strict=False)) if pair[0] != pair[1]), len(wanted))
            wrong.append(
                f"{key}: {len(got)} records instead of {len(wanted)}; from the {at}th on "
                f"{got[at : at + 5]} instead of {wanted[at : at + 5]}"
            )
    return wrong
