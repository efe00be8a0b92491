"""Metrics in Prometheus' text format.

The engine and the adapters count in plain integers; nothing on their paths touches a lock or a label. A scrape reads
the integers as they are. Rates are left to Prometheus (`rate(statefun_in_total[1m])`).
"""

import platform
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)

from statefun.version import __version__
from statefun_runtime.connection import Connection
from statefun_runtime.interfaces import RecordCounts

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""The media type of `Metrics.exposition()`."""

LATENCY_BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds in seconds: from a call in process to the longest time-out of an endpoint."""


class Histogram:
    """Counts of observed values, in seconds, below each of `bounds` and above the last one."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float] = LATENCY_BOUNDS) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds

    @property
    def count(self) -> int:
        """How many values were observed."""
        return sum(self.counts)

    def cumulative(self) -> list[tuple[str, float]]:
        """Pairs of an upper bound, as Prometheus writes it, and the number of values up to it."""
        names = [*(str(bound) for bound in self.bounds), "+Inf"]
        return list(zip(names, accumulate(self.counts), strict=True))


@dataclass(slots=True, kw_only=True)
class FunctionSnapshot:
    """The figures of one function type since the start; `blocked`, `in_flight` and `backlog` are as of now."""

    received: int = 0
    """Messages handed to the function."""
    sent_local: int = 0
    """Messages it sent to addresses that this process holds, wherever their function runs."""
    sent_remote: int = 0
    """Messages it sent to addresses that another process holds; none, as long as one process holds them all."""
    sent_egress: int = 0
    blocked: int = 0
    """Addresses that take no batch now: backing off, parked or at a limit."""
    in_flight: int = 0
    """Batches that wait for their reply."""
    backlog: int = 0
    """Messages that wait for a batch."""
    failures: int = 0
    """Calls that had no effect."""
    latency: Histogram = field(default_factory=Histogram)
    """From sending a batch to its reply, failed calls included."""


@dataclass(slots=True, kw_only=True)
class EngineSnapshot:
    """The figures of the whole engine since the start; pending, delayed and addresses are as of now."""

    epochs: int = 0
    """Durable epochs."""
    epoch_rows: int = 0
    """Rows written and deleted by all commits."""
    commit: Histogram = field(default_factory=Histogram)
    pending_messages: int = 0
    delayed_messages: int = 0
    addresses_in_memory: int = 0
    ingresses_paused: bool = False
    dead_letters: Mapping[str, int] = field(default_factory=dict[str, int])
    """Made since the start, by function type or egress."""
    outbox_bytes: Mapping[str, int] = field(default_factory=dict[str, int])
    """Of records that wait for an egress, by its id."""
    functions: Mapping[str, FunctionSnapshot] = field(default_factory=dict[str, FunctionSnapshot])
    """By typename."""


@dataclass(slots=True)
class RequestFigures:
    """What became of the requests of HTTP that the runtime answers itself: calls, and messages with a key."""

    waiting: int = 0
    """Requests that wait for their answer now."""
    answers: Counter[str] = field(default_factory=Counter[str])
    """By what they were told: the values of `AnswerKind`, `no reply in time`, `not durable`."""
    unused_replies: Counter[str] = field(default_factory=Counter[str])
    """Replies that nobody gets: `late` after the first one, `orphan` if nobody waits any more."""
    latency: Histogram = field(default_factory=Histogram)
    """Of calls with a reply, from taking the request to knowing the durable reply."""


class Metrics:
    """The metrics of one runtime, in a registry of their own.

    `snapshot` is called once a scrape, on the thread that scrapes; it must be cheap.
    """

    def __init__(self, snapshot: Callable[[], EngineSnapshot]) -> None:
        self._snapshot = snapshot
        self._ingresses: dict[str, RecordCounts] = {}
        self._egresses: dict[str, RecordCounts] = {}
        self.requests = RequestFigures()
        """For the runtime to count in."""
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def ingress(self, ingress_id: str) -> RecordCounts:
        """The counts of an ingress, to be given to its adapter; the same object for the same id."""
        return self._ingresses.setdefault(ingress_id, RecordCounts())

    def egress(self, egress_id: str) -> RecordCounts:
        """The counts of an egress, to be given to its adapter; the same object for the same id."""
        return self._egresses.setdefault(egress_id, RecordCounts())

    def exposition(self) -> bytes:
        """All metrics now, in the format of `CONTENT_TYPE`."""
        return generate_latest(self._registry)

    def collect(self) -> Iterable[Metric]:
        """The metric families now; called by the registry."""
        snapshot = self._snapshot()
        yield from _function_families(snapshot.functions)
        yield from _engine_families(snapshot)
        yield from _record_families("ingress", self._ingresses)
        yield from _record_families("egress", self._egresses)
        yield from _request_families(self.requests)
        build = {"version": __version__, "python": platform.python_version()}
        yield InfoMetricFamily("statefun_build", "The version of the runtime and of Python.", value=build)


_FUNCTION_COUNTERS: tuple[tuple[str, str, Callable[[FunctionSnapshot], int]], ...] = (
    ("in", "Messages handed to the function.", lambda f: f.received),
    ("out_local", "Messages sent to addresses in this process.", lambda f: f.sent_local),
    ("out_remote", "Messages sent to addresses in other processes.", lambda f: f.sent_remote),
    ("out_egress", "Records sent to egresses.", lambda f: f.sent_egress),
    ("remote_invocation_failures", "Calls of the function that had no effect.", lambda f: f.failures),
)
_FUNCTION_GAUGES: tuple[tuple[str, str, Callable[[FunctionSnapshot], int]], ...] = (
    ("num_blocked_address", "Addresses that take no batch: backing off, parked or at a limit.", lambda f: f.blocked),
    ("inflight_async_ops", "Batches that wait for their reply.", lambda f: f.in_flight),
    ("num_backlog", "Messages that wait for a batch.", lambda f: f.backlog),
)


def _function_families(functions: Mapping[str, FunctionSnapshot]) -> Iterable[Metric]:
    for name, text, read in _FUNCTION_COUNTERS:
        counter = CounterMetricFamily(f"statefun_{name}", text, labels=["function"])
        for typename, function in functions.items():
            counter.add_metric([typename], read(function))
        yield counter
    for name, text, read in _FUNCTION_GAUGES:
        gauge = GaugeMetricFamily(f"statefun_{name}", text, labels=["function"])
        for typename, function in functions.items():
            gauge.add_metric([typename], read(function))
        yield gauge
    latency = HistogramMetricFamily(
        "statefun_remote_invocation_latency_seconds", "From sending a batch to its reply.", labels=["function"]
    )
    for typename, function in functions.items():
        latency.add_metric([typename], function.latency.cumulative(), function.latency.total)
    yield latency


def _engine_families(snapshot: EngineSnapshot) -> Iterable[Metric]:
    yield CounterMetricFamily("statefun_epochs", "Durable epochs.", snapshot.epochs)
    yield CounterMetricFamily("statefun_epoch_rows", "Rows written and deleted by commits.", snapshot.epoch_rows)
    commit = HistogramMetricFamily("statefun_commit_seconds", "Time to make an epoch durable.")
    commit.add_metric([], snapshot.commit.cumulative(), snapshot.commit.total)
    yield commit
    yield GaugeMetricFamily("statefun_pending_messages", "Messages not yet consumed.", snapshot.pending_messages)
    yield GaugeMetricFamily("statefun_delayed_messages", "Messages that are not yet due.", snapshot.delayed_messages)
    yield GaugeMetricFamily(
        "statefun_addresses_in_memory", "Addresses whose state is in memory.", snapshot.addresses_in_memory
    )

    yield GaugeMetricFamily(
        "statefun_ingresses_paused", "1 while ingresses wait for room, else 0.", snapshot.ingresses_paused
    )
    letters = CounterMetricFamily("statefun_dead_letters", "Dead letters that were made.", labels=["destination"])
    for name, count in snapshot.dead_letters.items():
        letters.add_metric([name], count)
    yield letters
    outbox = GaugeMetricFamily("statefun_outbox_bytes", "Records that wait for the egress.", labels=["egress"])
    for name, size in snapshot.outbox_bytes.items():
        outbox.add_metric([name], size)
    yield outbox


def _record_families(kind: str, counts: Mapping[str, RecordCounts]) -> Iterable[Metric]:
    records = CounterMetricFamily(f"statefun_{kind}_records", f"Records that went through the {kind}.", labels=[kind])
    rejected = CounterMetricFamily(
        f"statefun_{kind}_rejected_records", f"Records that the {kind} refused for good.", labels=[kind]
    )
    for name, count in counts.items():
        records.add_metric([name], count.records)
        rejected.add_metric([name], count.rejected)
    yield records
    yield rejected
    yield from _connection_families(kind, {name: each.connection for name, each in counts.items()})


def _connection_families(kind: str, connections: Mapping[str, Connection]) -> Iterable[Metric]:
    up = GaugeMetricFamily(f"statefun_{kind}_connected", f"1 while the {kind} has no problems, else 0.", labels=[kind])
    errors = CounterMetricFamily(
        f"statefun_{kind}_connection_errors", f"What went wrong between the {kind} and its system.", labels=[kind]
    )
    lag = GaugeMetricFamily(f"statefun_{kind}_lag_records", "Records not taken yet.", labels=[kind, "partition"])
    for name, connection in connections.items():
        if connection.is_used:
            up.add_metric([name], connection.state == "connected")
            errors.add_metric([name], connection.errors)
            for partition, records in connection.lag.items():
                lag.add_metric([name, partition], records)
    yield up
    yield errors
    if kind == "ingress":
        yield lag


def _request_families(figures: RequestFigures) -> Iterable[Metric]:
    yield GaugeMetricFamily("statefun_requests_waiting", "Requests that wait for their answer.", figures.waiting)
    answers = CounterMetricFamily("statefun_request_answers", "Answered requests, by the answer.", labels=["answer"])
    for name, count in figures.answers.items():
        answers.add_metric([name], count)
    yield answers
    unused = CounterMetricFamily("statefun_unused_replies", "Replies that nobody gets.", labels=["reason"])
    for name, count in figures.unused_replies.items():
        unused.add_metric([name], count)
    yield unused
    latency = HistogramMetricFamily("statefun_call_latency_seconds", "From a call to its durable reply.")
    latency.add_metric([], figures.latency.cumulative(), figures.latency.total)
    yield latency
