"""What a runtime tells about itself: figures for `/status` and for the metrics."""

import json
from collections.abc import Mapping
from statistics import quantiles
from typing import Any

from statefun_runtime.driver import Driver
from statefun_runtime.engine.function_type import FunctionType
from statefun_runtime.interfaces import RecordCounts
from statefun_runtime.metrics import EngineSnapshot, FunctionSnapshot


class Status:
    """Reads the figures of a running application; cheap enough to ask several times a second."""

    def __init__(
        self,
        driver: Driver,
        ingresses: Mapping[str, RecordCounts],
        egresses: Mapping[str, RecordCounts],
    ) -> None:
        self.phase = "starting"
        """starting, running, draining or stopped."""
        self.finished: set[str] = set()
        """Ingresses whose source has ended."""
        self._driver = driver
        self._ingresses = ingresses
        self._egresses = egresses

    @property
    def idle(self) -> bool:
        """Whether everything that came in is done and durable; delayed messages may still wait."""
        engine = self._driver.engine
        return not engine.pending and not engine.epoch.needs_commit() and engine.durable == engine.epoch.number - 1

    def as_json(self) -> dict[str, Any]:
        """The body of `/status`."""
        engine, commits = self._driver.engine, self._driver.commits
        types = engine.mailboxes.types.values()
        return {
            "state": self.phase,
            "idle": self.idle,
            "epoch": engine.durable,
            "lineage": engine.lineage,
            "time": engine.now,
            "pending": engine.pending,
            "parked": sum(function_type.parked for function_type in types),
            "dead_letters": self._driver.failures.dead_letters.total(),
            "delayed": engine.delayed.count,
            "invocations": sum(function_type.invocations for function_type in types),
            "addresses": engine.mailboxes.addresses,
            "commits": commits.latency.count,
            "commit_ms": _milliseconds(list(commits.recent)),
            "outbox_epochs": len(engine.outbox),
            "paused": self._pause(),
            "ingress": {
                name: {
                    "records": counts.records,
                    "rejected": counts.rejected,
                    "finished": name in self.finished,
                    "connection": counts.connection.as_json(),
                    "positions": {
                        partition: _readable(position) for partition, position in engine.positions.get(name, {}).items()
                    },
                }
                for name, counts in self._ingresses.items()
            },
            "egress": {
                name: {
                    "records": counts.records,
                    "rejected": counts.rejected,
                    "waiting_epochs": engine.outbox.waiting(name),
                    "waiting_bytes": engine.outbox.size(name),
                    "connection": counts.connection.as_json(),
                }
                for name, counts in self._egresses.items()
            },
            "functions": {function_type.typename: _function_json(function_type) for function_type in types},
        }

    def _pause(self) -> str | None:
        """Why ingresses pause, all of them or those for some function types; `None` if they do not."""
        engine = self._driver.engine
        if engine.outbox.full:
            return f"too many records wait for {', '.join(sorted(engine.outbox.full))}"
        types = engine.mailboxes.types.values()
        if engine.is_behind:
            return "a commit takes so long that the next epoch is full"
        if engine.is_over_quota:
            most = max(types, key=lambda each: each.pending_bytes)
            if engine.dead_letters.size > most.pending_bytes:
                return "what waits is over the disk quota, most of it dead letters"
            return f"what waits is over the disk quota, most of it for {most.typename}"
        behind = [each.typename for each in types if engine.mailboxes.is_behind(each.typename)]
        if behind:
            return f"more messages come than can be handled by {', '.join(behind)}"
        return None if engine.has_room() else f"{engine.mailboxes.runnable} messages can be handled"

    def snapshot(self) -> EngineSnapshot:
        """The figures behind the metrics."""
        engine, commits = self._driver.engine, self._driver.commits
        return EngineSnapshot(
            epochs=commits.latency.count,
            epoch_rows=commits.rows,
            dead_letters=self._driver.failures.dead_letters,
            commit=commits.latency,
            pending_messages=engine.pending,
            delayed_messages=engine.delayed.count,
            addresses_in_memory=engine.mailboxes.addresses,
            ingresses_paused=self._pause() is not None,
            outbox_bytes={name: engine.outbox.size(name) for name in self._egresses},
            functions={t.typename: self._function(t) for t in engine.mailboxes.types.values()},
        )

    def _function(self, function_type: FunctionType) -> FunctionSnapshot:
        return FunctionSnapshot(
            received=function_type.invocations,
            sent_local=function_type.sent,
            sent_egress=function_type.egressed,
            blocked=function_type.parked,
            in_flight=function_type.in_flight,
            backlog=function_type.pending,
            failures=function_type.failures,
            latency=self._driver.latency[function_type.typename],
        )


def _readable(position: bytes) -> object:
    try:
        return json.loads(position)
    except ValueError:
        return position.hex()


def _function_json(function_type: FunctionType) -> dict[str, int]:
    return {
        "invocations": function_type.invocations,
        "in_flight": function_type.in_flight,
        "backlog": function_type.pending,
        "failures": function_type.failures,
        "parked": function_type.parked,
    }


def _milliseconds(seconds: list[float]) -> dict[str, float]:
    if len(seconds) < 2:
        value = round(1000 * sum(seconds), 3)
        return {"p50": value, "p99": value}
    hundredths = quantiles(seconds, n=100)
    return {"p50": round(1000 * hundredths[49], 3), "p99": round(1000 * hundredths[98], 3)}
