"""Watches the runtime while it works through the flights, and kills it on the way."""

import time
from dataclasses import dataclass

from examples.flights.display import Display, Progress
from examples.process import DemoError, RuntimeProcess, Status

POLL = 0.05
"""Seconds between two looks at the runtime."""
STALLED = 60.0
"""Seconds without any change after which the demo gives up."""
RATE_OVER = 0.5
"""Seconds over which a rate is taken."""

FLIGHTS = "flights/departures"


@dataclass(frozen=True, slots=True)
class Kill:
    """A kill: what was seen just before it, and how long it took until functions ran again, in seconds.

    `new_epochs` were made durable since the last start, `pending` messages were waiting.
    """

    flights: int
    pending: int
    new_epochs: int
    recovery: float


class Feed:
    """Runs the runtime until all flights are in; `kills` and `invocations` are then known.

    `invocations` is what was last seen of each process before it ended, so it is a little too low.
    """

    def __init__(self, runtime: RuntimeProcess, flight_count: int, display: Display) -> None:
        self.kills: list[Kill] = []
        self.invocations = 0
        self._runtime = runtime
        self._flight_count = flight_count
        self._display = display
        self._read_before = 0
        self._rate_from: tuple[float, Status] | None = None
        self._rates = (0.0, 0.0)
        self._changed = time.monotonic()
        self._last: Status | None = None

    def run(self, kills: int) -> None:
        """Feed all flights, killing at equal distances. Raises DemoError if a kill finds nothing to interrupt."""
        first_epoch = self._runtime.start().epoch
        while not ((status := self._look()).finished and status.idle):
            due = self._flight_count * (len(self.kills) + 1) // (kills + 1)
            in_flight = status.pending > 0 and status.epoch > first_epoch
            if len(self.kills) < kills and self._flights(status) >= due and in_flight:
                first_epoch = self._kill(status, first_epoch)
        self.invocations += status.invocations
        if len(self.kills) < kills:
            raise DemoError(
                f"only {len(self.kills)} of {kills} kills met work in flight and new epochs before all flights were in"
            )

    def settle(self, delayed: int) -> None:
        """Wait until nothing is pending and exactly `delayed` messages wait for their time."""
        while True:
            status = self._look()
            if status.delayed < delayed:
                raise DemoError(f"{status.delayed:,} delayed messages are left, there must be {delayed:,}")
            if status.delayed == delayed and status.idle and not status.unwritten:
                return

    def _flights(self, status: Status) -> int:
        """How many flights were read; those that a kill undid count until they are read again."""
        return min(self._flight_count, self._read_before + status.records[FLIGHTS])

    def _look(self) -> Status:
        """The next status, shown. Raises DemoError if nothing changes for too long."""
        while True:
            time.sleep(POLL)
            status = self._runtime.status()
            now = time.monotonic()
            if status is not None and status != self._last:
                self._last, self._changed = status, now
                self._show(now, status)
            if now - self._changed > STALLED:
                raise DemoError(f"nothing changed for {STALLED:.0f} s; last: {self._last}; log: {self._runtime.log}")
            if status is not None and status.parked:
                raise DemoError(f"{status.parked} addresses are parked; the reason is in the log: {self._runtime.log}")
            if status is not None:
                return status

    def _kill(self, seen: Status, first_epoch: int) -> int:
        """Kill and start again; return the epoch it came back with."""
        self._runtime.kill()
        killed = time.monotonic()
        self.invocations += seen.invocations
        self._read_before = self._flights(seen)
        status = self._runtime.start()
        recovered = status.epoch
        if recovered < seen.epoch:
            raise DemoError(f"epoch {seen.epoch} was durable, but the runtime came back with epoch {recovered}")
        self._rate_from = None
        while not status.invocations:
            status = self._look()
        kill = Kill(self._read_before, seen.pending, seen.epoch - first_epoch, time.monotonic() - killed)
        self.kills.append(kill)
        self._display.say(
            f"kill -9 at flight {kill.flights:,} with {kill.pending:,} messages pending, {kill.new_epochs:,} new "
            f"epochs; back after {kill.recovery:.2f} s at epoch {recovered:,}",
            "red",
        )
        return recovered

    def _show(self, now: float, status: Status) -> None:
        since, before = self._rate_from or (now, status)
        if now - since >= RATE_OVER:
            events = status.records[FLIGHTS] - before.records[FLIGHTS]
            invocations = status.invocations - before.invocations
            self._rates = (events / (now - since), invocations / (now - since))
        if self._rate_from is None or now - since >= RATE_OVER:
            self._rate_from = (now, status)
        self._display.show(
            Progress(
                events=self._flights(status),
                total=self._flight_count,
                events_rate=self._rates[0],
                invocations_rate=self._rates[1],
                pending=status.pending,
                delayed=status.delayed,
                epoch=status.epoch,
                commit_p50=status.commit_p50,
                commit_p99=status.commit_p99,
                kills=len(self.kills),
            )
        )
