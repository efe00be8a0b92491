"""Where the processor time of an invocation goes, stage by stage, and what the least is that it could take.

The pipeline runs in this process without its event loop's waiting, its threads and its sockets: each stage by itself,
over random addresses, in microseconds of processor time of one invocation. The floor reads and writes the same values
with nothing around them.
"""

import asyncio
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random

from benchmarks.figures import Figure, Plan, Row
from benchmarks.pipeline.application import functions
from statefun import DoubleType, IntType, Message, RequestReplyHandler
from statefun.wire import encode_typed_value
from statefun_runtime.cli.process import tune
from statefun_runtime.endpoint.codec import decode_reply, encode_batch
from statefun_runtime.endpoint.inprocess import InProcessEndpoint
from statefun_runtime.engine.engine import Engine
from statefun_runtime.engine.limits import Limits
from statefun_runtime.epoch import Epoch, Recovery
from statefun_runtime.interfaces import Arrival, Batch, Reply
from statefun_runtime.reading import answer_reads
from statefun_runtime.store.changes import changes_of
from statefun_runtime.store.rocksdb import RocksDBStore

_KEYS = 100_000
_EPOCH = 1000
"""Messages from outside in one epoch."""
_AT_ONCE = 100
_ROUND = 64
_VALUE = encode_typed_value(DoubleType.typename, DoubleType.serialize(1.5))
_STATE = encode_typed_value(IntType.typename, IntType.serialize(7))


class Budget:
    """Processor time by stage."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.invocations = 0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        began = time.process_time()
        yield
        self.seconds[name] += time.process_time() - began

    def microseconds(self) -> dict[str, float]:
        """Of one invocation, by stage."""
        return {name: 1e6 * seconds / self.invocations for name, seconds in self.seconds.items()}


class _Pipeline:
    """The parts of a runtime, driven by hand."""

    def __init__(self, directory: Path, budget: Budget, *, over_http: bool) -> None:
        self._budget = budget
        self._store = RocksDBStore(directory)
        self._engine = Engine(Recovery("budget"), ["benchmarks/out"], Limits(), Random(1))
        self._host = InProcessEndpoint(functions, 10)
        for typename, specs in self._host.declared():
            self._engine.declare(typename, specs)
        self._handler = RequestReplyHandler(functions) if over_http else None
        self._random = Random(2)

    async def run_epoch(self) -> None:
        stage, engine = self._budget.stage, self._engine
        ids = [str(self._random.randrange(_KEYS)) for _ in range(_EPOCH)]
        arrivals = [Arrival(("benchmarks/greeter", identifier), _VALUE) for identifier in ids]
        for start in range(0, _EPOCH, _AT_ONCE):
            with stage("take messages in"):
                engine.accept("in", arrivals[start : start + _AT_ONCE], "0", b"1")
            await self._call_all()
        epoch = engine.cut()
        assert epoch is not None
        self._commit(epoch)

    async def _call_all(self) -> None:
        stage, engine = self._budget.stage, self._engine
        while True:
            with stage("read states of addresses not in memory"):
                answer_reads(engine, self._store)
            with stage("choose calls"):
                batches = engine.next_batches(_ROUND)
            if not batches:
                return
            self._budget.invocations += sum(len(batch.messages) for batch in batches)
            replies = await (self._call(batches) if self._handler is None else self._request(batches, self._handler))
            with stage("apply replies"):
                for batch, reply in replies:
                    engine.reply(batch, reply)

    async def _call(self, batches: Sequence[Batch]) -> list[tuple[Batch, Reply]]:
        replies: list[tuple[Batch, Reply]] = []
        with self._budget.stage("call functions"):
            for batch in batches:
                self._host.invoke(batch, lambda batch, reply: replies.append((batch, reply)))
            while len(replies) < len(batches):  # noqa: ASYNC110  a turn of the loop is what runs the functions
                await asyncio.sleep(0)
        return replies

    async def _request(self, batches: Sequence[Batch], handler: RequestReplyHandler) -> list[tuple[Batch, Reply]]:
        stage = self._budget.stage
        with stage("encode requests"):
            requests = [encode_batch(batch) for batch in batches]
        with stage("call functions (in the server)"):
            answers = [await handler.handle_async(request) for request in requests]
        with stage("decode replies"):
            return [(batch, decode_reply(answer)) for batch, answer in zip(batches, answers, strict=True)]

    def _commit(self, epoch: Epoch) -> None:
        stage, engine = self._budget.stage, self._engine
        with stage("make rows"):
            changes = changes_of(epoch, "budget")
        with stage("write rows to RocksDB and sync its log"):
            self._store.commit(changes)
        with stage("release"):
            for egress, batch in engine.committed(epoch):
                engine.released(egress, batch.epoch, None)

    def close(self) -> None:
        self._store.close()


def _stages(plan: Plan, *, over_http: bool) -> list[Figure]:
    tune()
    found: list[dict[str, float]] = []
    for _ in range(plan.repeats):
        budget = Budget()
        with tempfile.TemporaryDirectory(prefix="statefun-budget-") as directory:
            asyncio.run(_run(Path(directory), budget, plan.size(60), over_http=over_http))
        found.append(budget.microseconds())
    names = [*found[0], "sum"]
    totals = [{**each, "sum": sum(each.values())} for each in found]
    return [Figure(name, "CPU us/invocation", tuple(total[name] for total in totals)) for name in names]


async def _run(directory: Path, budget: Budget, epochs: int, *, over_http: bool) -> None:
    pipeline = _Pipeline(directory, budget, over_http=over_http)
    try:
        for _ in range(epochs):
            await pipeline.run_epoch()
    finally:
        pipeline.close()


def _floor(plan: Plan) -> Figure:
    values = tuple(_microseconds(_values) for _ in range(plan.repeats))
    return Figure("floor: the same values read and written, nothing else", "CPU us/invocation", values)


def _values() -> None:
    """What an invocation cannot do without: read a message and a state, write a state and a message."""
    received = Message("benchmarks/counter", "1", _VALUE).as_double()
    count = IntType.deserialize(_STATE[-5:])
    encode_typed_value(IntType.typename, IntType.serialize(count + 1))
    encode_typed_value(DoubleType.typename, DoubleType.serialize(received or 0.0))


def _microseconds(work: Callable[[], None]) -> float:
    count = 20_000
    began = time.process_time()
    for _ in range(count):
        work()
    return 1e6 * (time.process_time() - began) / count


ROWS = (
    Row(
        "budget",
        "where the processor time of an invocation in process goes, epochs of 1,000 messages",
        lambda plan: [*_stages(plan, over_http=False), _floor(plan)],
    ),
    Row(
        "budget-http",
        "the same over HTTP, without HTTP and sockets themselves",
        lambda plan: [*_stages(plan, over_http=True), _floor(plan)],
    ),
)
