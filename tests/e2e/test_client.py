"""The clients beside a real runtime."""

import asyncio
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from statefun import IntType, StringType
from statefun.client import AsyncStatefunClient, Outgoing, RefusedError, StatefunClient
from tests.e2e.command import Runtime
from tests.e2e.test_subscription import MODULE

pytestmark = pytest.mark.slow


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    """A running application with a subscription."""
    file = tmp_path / "module.yaml"
    runtime = Runtime(tmp_path, str(file), "--functions", "tests.e2e.application:functions")
    file.write_text(MODULE.format(ingress=runtime.ingress_port, egress=runtime.egress_port))
    yield runtime.start()
    runtime.kill()


def subscription(runtime: Runtime) -> str:
    return f"http://127.0.0.1:{runtime.egress_port}"


def test_what_one_client_sends_another_reads(runtime: Runtime) -> None:
    with StatefunClient(runtime.url) as client, StatefunClient(subscription(runtime)) as reader:
        client.send("e2e/teller/a/b", "one")
        client.send_many([Outgoing("e2e/teller/a/b", text) for text in ("two", "three")])
        records = reader.subscribe("e2e/told")
        read = [next(records) for _ in range(3)]
        assert [record.read_as(StringType) for record in read] == ["a/b one", "a/b two", "a/b three"]
        behind = reader.subscribe("e2e/told", after=read[1].cursor)
        assert next(behind).cursor == read[2].cursor
        with pytest.raises(RefusedError, match="there is only /egress/e2e/told"):
            next(reader.subscribe("e2e/other"))


async def test_clients_for_asyncio_wait_side_by_side(runtime: Runtime) -> None:
    texts = [str(number) for number in range(200)]
    async with AsyncStatefunClient(runtime.url) as client, AsyncStatefunClient(subscription(runtime)) as reader:

        async def read() -> list[str]:
            found: list[str] = []
            async for record in reader.subscribe("e2e/told"):
                found.append(record.read_as(StringType))
                if len(found) == len(texts):
                    break
            return found

        readers = [asyncio.create_task(read()) for _ in range(3)]
        await asyncio.gather(*(client.send(f"e2e/teller/{text}", text) for text in texts))
        first, *others = await asyncio.gather(*readers)
    assert sorted(first) == sorted(f"{text} {text}" for text in texts)
    assert others == [first, first]


def test_whatever_is_killed_what_is_sent_or_called_once_happens_once(runtime: Runtime) -> None:
    moments, done = random.Random(29), threading.Event()

    def kill() -> None:
        while not done.wait(moments.uniform(0.1, 1.0)):
            runtime.kill()
            runtime.start()

    killing = threading.Thread(target=kill)
    killing.start()
    texts = [str(number) for number in range(90)]
    counts: list[int] = []
    try:
        with StatefunClient(runtime.url) as client:
            for one, two, three in zip(*[iter(texts)] * 3, strict=True):
                client.send("e2e/teller/x", one)
                client.send_many([Outgoing("e2e/teller/x", text) for text in (two, three)])
                counts.append(client.call("e2e/tally/x", "count").read_as(IntType))
    finally:
        done.set()
        killing.join()
    assert counts == list(range(1, 31))
    with StatefunClient(subscription(runtime)) as reader:
        records = reader.subscribe("e2e/told")
        assert [next(records).read_as(StringType) for _ in texts] == [f"x {text}" for text in texts]
