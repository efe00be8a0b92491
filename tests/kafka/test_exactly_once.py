"""Kafka to Kafka, exactly once, whatever is killed, paused and cut off."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from random import Random
from statistics import quantiles

import pytest

from tests.e2e.server import Server
from tests.kafka.broker import Broker
from tests.kafka.pipeline import FUNCTIONS, Pipeline
from tests.kafka.traffic import differences
from tests.smoke.proxy import Proxy

pytestmark = [pytest.mark.slow, pytest.mark.broker, pytest.mark.timeout(600)]

LIVES = {"killed at random": 10, "killed at a point": 14, "paused at a point": 3}
"""Of each of the two runtimes of each test."""
BROKER_KILLS = 6
CONNECTIONS = {"passed": 6, "dropped": 1, "delayed": 2}
BURST = 20_000
STEADY_SECONDS = 4.0


class Scene:
    """Two applications on one broker, one of them behind a proxy that cuts connections."""

    def __init__(self, broker: Broker, pipelines: list[Pipeline], random: Random, say: Callable[[str], None]) -> None:
        self.counts: Counter[str] = Counter()
        self._broker = broker
        self._pipelines = pipelines
        self._random = random
        self._say = say
        self._failed = False
        """Whether one of the threads has failed, so that the others need not go on."""

    def go_through_all(self) -> None:
        """Kill and pause the runtimes, each by a thread of its own, and the broker, until each was killed enough."""
        with ThreadPoolExecutor(len(self._pipelines)) as pool:
            lives = [pool.submit(self._live, each, Random(self._random.random())) for each in self._pipelines]
            while self.counts["broker kills"] < BROKER_KILLS and not any(life.done() for life in lives):
                self._wait_for_a_record(lives)
                time.sleep(self._random.uniform(4, 10))  # what happens meanwhile is not known
                self._broker.kill()
                self._broker.start()
                self.counts["broker kills"] += 1
            for life in lives:
                life.result()

    def _wait_for_a_record(self, lives: list[Future[None]]) -> None:
        """Let a record come out between two kills, however slow the machine is: else nobody comes to any point."""
        before = sum(each.watching.count for each in self._pipelines)
        while sum(each.watching.count for each in self._pipelines) == before:
            if any(life.done() for life in lives):
                return
            time.sleep(0.05)

    def _live(self, pipeline: Pipeline, random: Random) -> None:
        fates = random.sample(list(LIVES), sum(LIVES.values()), counts=list(LIVES.values()))
        try:
            while (fates or self.counts["broker kills"] < BROKER_KILLS) and not self._failed:
                fate = fates.pop() if fates else "killed at random"
                self._say(f"  {pipeline.name}: {pipeline.lives + 1}. {fate}, {pipeline.watching.count} records")
                pipeline.live(fate, random)
        except BaseException:
            self._failed = True
            raise


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    def print_at_once(text: str) -> None:
        with capsys.disabled():
            print(text, flush=True)

    return print_at_once


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path, FUNCTIONS)
    yield running
    running.command.kill()


def test_each_record_comes_once_and_in_order_with_functions_in_the_process(
    broker: Broker, tmp_path: Path, say: Callable[[str], None]
) -> None:
    check("inside", broker, tmp_path, say)


def test_each_record_comes_once_and_in_order_with_functions_over_http(
    broker: Broker, tmp_path: Path, server: Server, say: Callable[[str], None]
) -> None:
    check("http", broker, tmp_path, say, server.socket)


def check(name: str, broker: Broker, directory: Path, say: Callable[[str], None], socket: Path | None = None) -> None:
    seed = time.time_ns() % 1_000_000
    random = Random(seed)
    say(f"\n{name}: seed {seed}, logs and data in {directory}")
    proxy = Proxy(broker.ports["proxy"], broker.ports["cut"], seed, CONNECTIONS)
    direct = Pipeline(f"{name}-direct", broker, directory / "direct", broker.ports["plain"], socket)
    cut = Pipeline(f"{name}-cut", broker, directory / "cut", broker.ports["proxy"], socket)
    pipelines = [direct, cut]
    scene = Scene(broker, pipelines, random, say)
    try:
        with proxy, ExitStack() as watching:
            for each in pipelines:
                watching.enter_context(each.watching)
            with ExitStack() as writing:
                for each in pipelines:
                    writing.enter_context(each.writing)
                scene.go_through_all()
            proxy.heal()
            for each in pipelines:
                finish(each)
            measured = measure(direct)
    finally:
        for each in pipelines:
            each.runtime.kill()
    for each in pipelines:
        assert differences(each.name, each.writing.written, each.watching.records()) == []
        say(
            f"  {each.name}: {each.watching.count} records, found in doubt {each.in_doubt()} times, {dict(each.counts)}"
        )
        assert each.in_doubt() > 0, "no kill came between a transaction and the commit that knows of it"
    say(f"  {dict(scene.counts)}, connections {dict(proxy.counts)}, {measured}")


def finish(pipeline: Pipeline) -> None:
    """Let the application do what is left."""
    pipeline.launch()
    pipeline.watching.wait_for(pipeline.writing.written, 60)
    pipeline.watching.wait_for_silence()


def measure(pipeline: Pipeline) -> str:
    """Throughput of a burst, then latency under a steady load, when nothing is killed any more."""
    started = time.monotonic()
    pipeline.writing.write(BURST)
    pipeline.watching.wait_for(pipeline.writing.written, 60)
    seconds = time.monotonic() - started
    behind = pipeline.watching.count
    with pipeline.writing:
        time.sleep(STEADY_SECONDS)  # how long is measured
    pipeline.watching.wait_for(pipeline.writing.written, 60)
    percentiles = quantiles(pipeline.watching.latencies(behind), n=100)
    return (
        f"{BURST / seconds:.0f} records/s in a burst of {BURST}, latency from input to committed output "
        f"p50 {percentiles[49] * 1000:.0f} ms, p99 {percentiles[98] * 1000:.0f} ms"
    )
