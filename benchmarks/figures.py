"""What was measured, what was wanted, and how both stand beside each other in one table."""

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

OURS = "statefun"


@dataclass(frozen=True, slots=True)
class Figure:
    """What one system did at one work: a value for each repeat, all in `metric`, which names the unit."""

    system: str
    metric: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)


@dataclass(frozen=True, slots=True)
class Target:
    """What is wanted of our median: at least or at most so much, or so many times what `beside` did in each round."""

    metric: str
    at_least: float | None = None
    at_most: float | None = None
    beside: str | None = None
    system: str = OURS

    def __str__(self) -> str:
        bound = f">= {self.at_least:,.6g}" if self.at_least is not None else f"<= {self.at_most:,.6g}"
        return f"{bound} times" if self.beside else bound

    def value(self, figures: Sequence[Figure]) -> float | None:
        """What is compared with the bound; None if a part of it was not measured."""
        ours, theirs = (_find(figures, system, self.metric) for system in (self.system, self.beside))
        if ours is None or self.beside is None:
            return None if ours is None else ours.median
        return None if theirs is None else _times(ours, theirs)

    def is_met(self, figures: Sequence[Figure]) -> bool | None:
        """None if it was not measured."""
        value = self.value(figures)
        if value is None:
            return None
        return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)


def _times(ours: Figure, theirs: Figure) -> float:
    """The median of the rounds' ratios: what slows a round down slows both."""
    return statistics.median(our / their for our, their in zip(ours.values, theirs.values, strict=True))


def _find(figures: Sequence[Figure], system: str | None, metric: str) -> Figure | None:
    return next((each for each in figures if (each.system, each.metric) == (system, metric)), None)


@dataclass(frozen=True, slots=True)
class Plan:
    """How thoroughly to measure."""

    repeats: int
    share: float
    """Of the usual sizes: 1 for all of it, less for a quick look."""

    def size(self, usual: int) -> int:
        """So much of a usual size."""
        return max(1, int(usual * self.share))


@dataclass(frozen=True, slots=True)
class Row:
    """A work: its name for the command line, what it is, what is wanted, and what measures it."""

    name: str
    work: str
    measure: Callable[[Plan], Sequence[Figure]]
    targets: Sequence[Target] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row; `problem` says why figures are missing."""

    row: Row
    figures: Sequence[Figure] = field(default_factory=tuple[Figure, ...])
    problem: str = ""


_HEAD = f"{'':<4}{'system':<46}{'metric':<24}{'min':>12}{'median':>12}{'max':>12}"


def table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """The lines of the table: every row, measured or not, with what is wanted of it."""
    for outcome in outcomes:
        yield f"{outcome.row.name}: {outcome.row.work}"
        if outcome.figures:
            yield _HEAD
        for figure in outcome.figures:
            low, high = min(figure.values), max(figure.values)
            numbers = "".join(f"{_number(value):>12}" for value in (low, figure.median, high))
            yield f"{'':<4}{figure.system:<46}{figure.metric:<24}{numbers}"
        if outcome.problem:
            yield f"    not measured: {outcome.problem}"
        for target in outcome.row.targets:
            yield f"    {_verdict(target, outcome.figures)}"
        yield ""


def _verdict(target: Target, figures: Sequence[Figure]) -> str:
    what = f"{target.system}, {target.metric}" + (f" beside {target.beside}" if target.beside else "")
    value, met = target.value(figures), target.is_met(figures)
    if value is None:
        return f"UNMET  {what}: {target} wanted, not measured"
    return f"{'met' if met else 'UNMET':<6} {what}: {target} wanted, {_number(value)} measured"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
