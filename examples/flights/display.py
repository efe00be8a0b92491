"""Shows how far the demo is: a live panel on a terminal, a plain line now and then elsewhere."""

import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

LINE_INTERVAL = 2.0
"""Seconds between two lines where there is no terminal."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What is shown: events read, rates a second, messages waiting now, commit latency in milliseconds."""

    events: int
    total: int
    events_rate: float
    invocations_rate: float
    pending: int
    delayed: int
    epoch: int
    commit_p50: float
    commit_p99: float
    kills: int


class Display:
    """Used as a context manager: the live panel ends with it."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        self._live = Live(console=self.console, auto_refresh=False) if self.console.is_terminal else None
        self._next_line = time.monotonic() + LINE_INTERVAL

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def say(self, text: str, style: str = "") -> None:
        """Print a line that stays."""
        self.console.print(text, style=style, markup=False, soft_wrap=True)

    def show(self, progress: Progress) -> None:
        """Show the figures of now."""
        if self._live is not None:
            self._live.update(_panel(progress), refresh=True)
        elif time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + LINE_INTERVAL
            self.say(_line(progress))


def _panel(progress: Progress) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_row(
        "flights", ProgressBar(progress.total, progress.events, width=40), f"{progress.events:,} of {progress.total:,}"
    )
    grid.add_row("speed", f"{progress.events_rate:,.0f} events/s", f"{progress.invocations_rate:,.0f} invocations/s")
    grid.add_row("backlog", f"{progress.pending:,} messages", f"{progress.delayed:,} delayed")
    grid.add_row(
        "commits", f"p50 {progress.commit_p50:.1f} ms, p99 {progress.commit_p99:.1f} ms", f"epoch {progress.epoch:,}"
    )
    grid.add_row("kills", str(progress.kills), "")
    return grid


def _line(progress: Progress) -> str:
    return (
        f"  {progress.events:,} of {progress.total:,} flights, {progress.events_rate:,.0f} events/s, "
        f"{progress.invocations_rate:,.0f} invocations/s, backlog {progress.pending:,}, delayed {progress.delayed:,}, "
        f"commit p50 {progress.commit_p50:.1f} ms p99 {progress.commit_p99:.1f} ms, epoch {progress.epoch:,}"
    )
