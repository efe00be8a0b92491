"""The Kinesis ingress against a server."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.errors import IngressError
from statefun_runtime.ingress.kinesis import KinesisIngress
from statefun_runtime.interfaces import AdapterContext, RecordCounts
from statefun_runtime.module.ingress_spec import KinesisIngressSpec
from statefun_runtime.testing import MemoryInlet
from tests.kinesis.proxy import THROTTLED, WRONG_KEY, Answer, Proxy
from tests.kinesis.server import REGION, SECONDS, Kinesis, access
from tests.runtime.kinesis.aggregated import aggregated

pytestmark = [pytest.mark.slow]

EXPIRED: Answer = (400, {"__type": "ExpiredIteratorException", "message": "Iterator expired"})


def ingress(url: str, stream: str, counts: RecordCounts | None = None, **more: object) -> KinesisIngress:
    streams = [{"stream": stream, "valueType": "a/text", "targets": ["a/one"]}]
    given = {"id": "a/in", "streams": streams, "startupPosition": {"type": "earliest"}, **access(url), **more}
    return KinesisIngress(KinesisIngressSpec.model_validate(given), AdapterContext(counts or RecordCounts()))


@asynccontextmanager
async def running(source: KinesisIngress, inlet: MemoryInlet) -> AsyncIterator[asyncio.Task[None]]:
    await source.start(inlet, dict(inlet.positions))
    task = asyncio.create_task(source.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await source.stop()


async def until(inlet: MemoryInlet, count: int) -> list[str]:
    """The values of all messages, once there are `count`."""
    async with asyncio.timeout(SECONDS):
        while len(inlet.arrivals) < count:
            inlet.accepted.clear()
            await inlet.accepted.wait()
    return [TypedValue.FromString(arrival.payload).value.decode() for arrival in inlet.arrivals]


def named(name: str, answer: Answer, times: int) -> Any:
    """A fault that answers the first requests of a name."""
    left = [answer] * times
    return lambda asked, body: left.pop() if asked == name and left else None


async def test_a_restart_goes_on_behind_the_last_durable_record(kinesis: Kinesis) -> None:
    kinesis.create("restart")
    inlet, counts = MemoryInlet(commits=True), RecordCounts()
    kinesis.put("restart", [("k", b"1"), ("k", b"2")])
    async with running(ingress(kinesis.url, "restart", counts), inlet):
        assert await until(inlet, 2) == ["1", "2"]
    kinesis.put("restart", [("k", b"3")])
    async with running(ingress(kinesis.url, "restart", counts), inlet):
        assert await until(inlet, 3) == ["1", "2", "3"]
    assert counts == RecordCounts(records=3)
    assert sorted(inlet.positions) == ["restart", "restart/shardId-000000000000"]


async def test_all_shards_are_read(kinesis: Kinesis) -> None:
    kinesis.create("shards", 3)
    inlet = MemoryInlet(commits=True)
    kinesis.put("shards", [(f"k{number}", b"%d" % number) for number in range(20)])
    async with running(ingress(kinesis.url, "shards"), inlet):
        assert sorted(await until(inlet, 20), key=int) == [*map(str, range(20))]
    assert len(inlet.positions) == 4


async def test_latest_is_kept_from_the_very_first_start(kinesis: Kinesis) -> None:
    kinesis.create("latest")
    inlet, later = MemoryInlet(commits=True), {"type": "latest"}
    async with running(ingress(kinesis.url, "latest", startupPosition=later), inlet):
        async with asyncio.timeout(SECONDS):
            await inlet.accepted.wait()
    kinesis.put("latest", [("k", b"while it was down")])
    async with running(ingress(kinesis.url, "latest", startupPosition=later), inlet):
        assert await until(inlet, 1) == ["while it was down"]


async def test_reading_begins_at_a_date(kinesis: Kinesis) -> None:
    kinesis.create("date")
    kinesis.put("date", [("k", b"before")])
    inlet, proxied = MemoryInlet(commits=True), Proxy(kinesis.url)
    date = {"type": "date", "date": "2020-01-01 00:00:00.000 +0000"}
    async with proxied.running(), running(ingress(proxied.url, "date", startupPosition=date), inlet):
        assert await until(inlet, 1) == ["before"]
    [asked] = [body for name, body in proxied.requests if name == "GetShardIterator"]
    assert (asked["ShardIteratorType"], asked["Timestamp"]) == ("AT_TIMESTAMP", 1577836800.0)


async def test_aggregated_records_are_split(kinesis: Kinesis) -> None:
    kinesis.create("aggregated")
    kinesis.put("aggregated", [("k", aggregated([("a", b"1"), ("b", b"2")])), ("k", b"3")])
    inlet = MemoryInlet(commits=True)
    async with running(ingress(kinesis.url, "aggregated"), inlet):
        assert await until(inlet, 3) == ["1", "2", "3"]
    assert [arrival.target[1] for arrival in inlet.arrivals] == ["a", "b", "k"]


async def test_throttling_is_waited_out_and_told(kinesis: Kinesis, caplog: pytest.LogCaptureFixture) -> None:
    kinesis.create("throttled")
    kinesis.put("throttled", [("k", b"1")])
    inlet, proxied, counts = MemoryInlet(commits=True), Proxy(kinesis.url), RecordCounts()
    proxied.fault = named("GetRecords", THROTTLED, 2)
    async with proxied.running():
        with caplog.at_level(logging.WARNING):
            async with running(ingress(proxied.url, "throttled", counts), inlet):
                assert await until(inlet, 1) == ["1"]
    assert caplog.text.count("Kinesis throttles (ProvisionedThroughputExceededException: Rate exceeded); trying") == 1
    assert (counts.connection.state, counts.connection.errors) == ("connected", 2)


async def test_an_expired_iterator_is_replaced(kinesis: Kinesis) -> None:
    kinesis.create("expired")
    kinesis.put("expired", [("k", b"1")])
    inlet, proxied = MemoryInlet(commits=True), Proxy(kinesis.url)
    async with proxied.running(), running(ingress(proxied.url, "expired"), inlet):
        await until(inlet, 1)
        proxied.fault = named("GetRecords", EXPIRED, 1)
        kinesis.put("expired", [("k", b"2")])
        assert await until(inlet, 2) == ["1", "2"]
    assert [body["ShardIteratorType"] for name, body in proxied.requests if name == "GetShardIterator"] == [
        "TRIM_HORIZON",
        "AFTER_SEQUENCE_NUMBER",
    ]


async def test_reading_goes_on_when_the_endpoint_is_back(kinesis: Kinesis) -> None:
    kinesis.create("away")
    kinesis.put("away", [("k", b"1")])
    inlet, proxied = MemoryInlet(commits=True), Proxy(kinesis.url)
    async with proxied.running():
        port = int(proxied.url.rpartition(":")[2])
        source = ingress(proxied.url, "away")
    async with running(source, inlet):
        async with proxied.running(port):
            await until(inlet, 1)
        kinesis.put("away", [("k", b"2")])
        async with proxied.running(port):
            assert await until(inlet, 2) == ["1", "2"]


async def test_a_missing_stream_is_an_error_that_names_it(kinesis: Kinesis) -> None:
    async with running(ingress(kinesis.url, "nowhere"), MemoryInlet()) as task:
        with pytest.raises(IngressError, match=r"ingress a/in: nowhere cannot be read: .* Check the name of the str"):
            await task


async def test_wrong_credentials_are_an_error_without_the_secret(kinesis: Kinesis) -> None:
    proxied = Proxy(kinesis.url)
    proxied.fault = named("ListShards", WRONG_KEY, 1)
    async with proxied.running(), running(ingress(proxied.url, "any"), MemoryInlet()) as task:
        with pytest.raises(IngressError, match="Check awsRegion and awsCredentials") as raised:
            await task
    assert "hunter2" not in str(raised.value)


async def test_a_profile_is_looked_for_in_its_file(kinesis: Kinesis, tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text(f"[shop]\naws_access_key_id = shopkey\naws_secret_access_key = s\nregion = {REGION}\n")
    profile = {"type": "profile", "profileName": "shop", "profilePath": str(file)}
    kinesis.create("profile")
    kinesis.put("profile", [("k", b"1")])
    inlet = MemoryInlet(commits=True)
    async with running(ingress(kinesis.url, "profile", awsCredentials=profile), inlet):
        assert await until(inlet, 1) == ["1"]
    wrong = ingress(kinesis.url, "profile", awsCredentials={**profile, "profileName": "ship"})
    with pytest.raises(IngressError, match=r"\(ship\) could not be found. Check awsRegion and awsCredentials"):
        await wrong.start(MemoryInlet(), {})
    await wrong.stop()


def test_an_unknown_property_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(IngressError, match="ingress a/in: the property SocketTimeot is unknown; did you mean SocketTi"):
        ingress("http://localhost", "any", clientConfigProperties=[{"SocketTimeot": "1"}])
