"""The Kinesis egress against a server."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest

from statefun import kinesis_egress_message
from statefun_runtime.egress.kinesis import KinesisEgress
from statefun_runtime.errors import EgressError
from statefun_runtime.interfaces import AdapterContext, RecordCounts
from statefun_runtime.module.egress_spec import KinesisEgressSpec
from statefun_runtime.testing import MemoryOutbox
from statefun_runtime.testing.contract import until
from tests.kinesis.proxy import THROTTLED, WRONG_KEY, Answer, Proxy
from tests.kinesis.server import SECONDS, Kinesis, access

pytestmark = [pytest.mark.slow]

INVALID: Answer = (400, {"__type": "ValidationException", "message": "1 validation error detected"})
FORBIDDEN: Answer = (400, {"__type": "AccessDeniedException", "message": "not authorized"})
BAD = "YmFk"  # base64 of "bad"


def egress(url: str, counts: RecordCounts | None = None, **more: object) -> KinesisEgress:
    spec = {"id": "a/out", **access(url), **more}
    return KinesisEgress(KinesisEgressSpec.model_validate(spec), AdapterContext(counts or RecordCounts()))


@asynccontextmanager
async def running(sink: KinesisEgress, outbox: MemoryOutbox) -> AsyncIterator[asyncio.Task[None]]:
    await outbox.start(sink)
    task = asyncio.create_task(sink.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await sink.stop()


def outbox_of(*epochs: Iterable[tuple[str, str, str]]) -> MemoryOutbox:
    """An outbox with the epochs, their records given as (stream, key, value)."""
    outbox = MemoryOutbox()
    for records in epochs:
        outbox.add(*(kinesis_egress_message("a/out", *_of(record)).payload() for record in records))
    return outbox


def _of(record: tuple[str, str, str]) -> tuple[str, str, str]:
    stream, key, value = record
    return stream, value, key


async def _has_records(kinesis: Kinesis, stream: str) -> bool:
    return bool(await asyncio.to_thread(kinesis.records, stream))


async def _is_told(caplog: pytest.LogCaptureFixture, text: str) -> bool:
    return text in caplog.text


async def until_out(outbox: MemoryOutbox) -> None:
    async with asyncio.timeout(SECONDS):
        await outbox.until_released(outbox.last_epoch)


def by_key(records: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for key, value in records:
        found[key].append(value)
    return dict(found)


def puts(proxied: Proxy) -> list[list[dict[str, Any]]]:
    return [body["Records"] for name, body in proxied.requests if name == "PutRecords"]


def with_bad(name: str, body: dict[str, Any]) -> Answer | None:
    """Refuses a request as a whole if one of its records is bad, as Kinesis does."""
    return INVALID if any(record["Data"] == BAD for record in body["Records"]) else None


async def test_partial_failures_neither_reorder_a_key_nor_lose_or_double_a_record(kinesis: Kinesis) -> None:
    kinesis.create("partial", 2)
    proxied, random, counts = Proxy(kinesis.url), Random(7), RecordCounts()
    proxied.refused = lambda records: {at for at in range(len(records)) if random.random() < 0.3}
    outbox = outbox_of(*([("partial", f"k{key}", str(number)) for key in range(9)] for number in range(6)))
    async with proxied.running(), running(egress(proxied.url, counts), outbox):
        await until_out(outbox)
    assert by_key(kinesis.records("partial")) == {f"k{key}": [*map(str, range(6))] for key in range(9)}
    assert counts == RecordCounts(records=54)
    for records in puts(proxied):
        assert len({record["PartitionKey"] for record in records}) == len(records)


async def test_a_key_that_is_throttled_does_not_hold_up_the_others_but_its_epoch(kinesis: Kinesis) -> None:
    kinesis.create("throttled-key")
    proxied, blocked, counts = Proxy(kinesis.url), True, RecordCounts()
    proxied.refused = lambda records: {
        at for at, record in enumerate(records) if blocked and record["PartitionKey"] == "slow"
    }
    outbox = outbox_of([("throttled-key", "slow", "1")], [("throttled-key", "fast", "2")])
    async with proxied.running(), running(egress(proxied.url, counts), outbox):
        await until(lambda: _has_records(kinesis, "throttled-key"), SECONDS, lambda: "the other key came out")
        assert outbox.released_epochs == []
        assert [*counts.connection.problems] == ["stream throttled-key"]
        blocked = False
        await until_out(outbox)
    assert kinesis.records("throttled-key") == [("fast", "2"), ("slow", "1")]


async def test_a_throttled_request_is_put_again_and_told(kinesis: Kinesis, caplog: pytest.LogCaptureFixture) -> None:
    kinesis.create("throttled-all")
    proxied, left, counts = Proxy(kinesis.url), [THROTTLED] * 2, RecordCounts()
    proxied.fault = lambda name, body: left.pop() if left else None
    outbox = outbox_of([("throttled-all", "k", "1"), ("throttled-all", "k", "2")])
    async with proxied.running():
        with caplog.at_level(logging.WARNING):
            async with running(egress(proxied.url, counts), outbox):
                await until_out(outbox)
    assert kinesis.records("throttled-all") == [("k", "1"), ("k", "2")]
    assert caplog.text.count("throttled-all: Kinesis throttles (ProvisionedThroughputExceededException: Rate") == 1
    connection = counts.connection
    assert (connection.state, connection.errors) == ("connected", 2)


async def test_what_kinesis_refuses_is_found_among_the_others_and_becomes_a_dead_letter(kinesis: Kinesis) -> None:
    kinesis.create("refused")
    proxied, counts = Proxy(kinesis.url), RecordCounts()
    proxied.fault = with_bad
    values = {"k0": "0", "k1": "bad", "k2": "2", "k3": "3", "k4": "bad"}
    first = [("refused", key, value) for key, value in values.items()]
    outbox = outbox_of(first, [("refused", "k1", "next")])
    async with proxied.running(), running(egress(proxied.url, counts), outbox):
        await until_out(outbox)
    assert sorted(kinesis.records("refused")) == [("k0", "0"), ("k1", "next"), ("k2", "2"), ("k3", "3")]
    assert [(each.where, each.reason) for each in outbox.rejected] == [
        (
            "refused",
            "Kinesis refuses it for the stream refused: ValidationException: 1 validation error detected",
        )
    ] * 2
    assert counts == RecordCounts(records=4, rejected=2)


async def test_a_stream_that_is_missing_or_forbidden_makes_dead_letters_and_holds_up_nothing(kinesis: Kinesis) -> None:
    kinesis.create("there")
    proxied = Proxy(kinesis.url)
    proxied.fault = lambda name, body: FORBIDDEN if body["StreamName"] == "forbidden" else None
    outbox = outbox_of([("missing", "k", "1"), ("there", "k", "2"), ("forbidden", "k", "3")])
    async with proxied.running(), running(egress(proxied.url), outbox):
        await until_out(outbox)
    assert kinesis.records("there") == [("k", "2")]
    assert [each.where for each in outbox.rejected] == ["missing", "forbidden"]
    assert "ResourceNotFoundException" in outbox.rejected[0].reason


async def test_a_payload_that_is_no_record_becomes_a_dead_letter(kinesis: Kinesis) -> None:
    outbox = MemoryOutbox()
    outbox.add(b"\xff")
    async with running(egress(kinesis.url), outbox):
        await until_out(outbox)
    assert [each.reason for each in outbox.rejected] == ["the record is no KinesisEgressRecord"]


async def test_wrong_credentials_are_an_error_that_names_the_stream(kinesis: Kinesis) -> None:
    proxied = Proxy(kinesis.url)
    proxied.fault = lambda name, body: WRONG_KEY
    outbox = outbox_of([("any", "k", "1")])
    async with proxied.running(), running(egress(proxied.url), outbox) as task:
        with pytest.raises(
            EgressError, match=r"egress a/out: any: Unrec.*invalid.. Check awsRegion and awsCredentials"
        ):
            await asyncio.wait_for(task, SECONDS)
    assert outbox.released_epochs == []


async def test_records_wait_until_the_endpoint_is_back(kinesis: Kinesis, caplog: pytest.LogCaptureFixture) -> None:
    kinesis.create("back")
    proxied = Proxy(kinesis.url)
    async with proxied.running():
        port = int(proxied.url.rpartition(":")[2])
        sink = egress(proxied.url)
    outbox = outbox_of([("back", "k", "1")], [("back", "k", "2")])
    with caplog.at_level(logging.WARNING):
        async with running(sink, outbox):
            await until(lambda: _is_told(caplog, "back: Kinesis does not answer"), SECONDS, lambda: "it was told")
            async with proxied.running(port):
                await until_out(outbox)
    assert kinesis.records("back") == [("k", "1"), ("k", "2")]


async def test_what_is_not_taken_at_a_stop_stays_in_the_outbox_with_all_behind_it_of_its_key(kinesis: Kinesis) -> None:
    kinesis.create("stopped")
    proxied = Proxy(kinesis.url)
    proxied.refused = lambda records: {at for at, record in enumerate(records) if record["PartitionKey"] == "slow"}
    outbox = outbox_of([("stopped", "fast", "1")], [("stopped", "slow", "2"), ("stopped", "slow", "3")])
    async with proxied.running(), running(egress(proxied.url), outbox):
        async with asyncio.timeout(SECONDS):
            await outbox.until_released(1)
    assert kinesis.records("stopped") == [("fast", "1")]
    assert outbox.released_epochs == [1]


async def test_a_stop_does_not_wait_for_an_endpoint_that_is_away(
    kinesis: Kinesis, caplog: pytest.LogCaptureFixture
) -> None:
    async with Proxy(kinesis.url).running() as proxied:
        sink = egress(proxied.url)
    outbox = outbox_of([("away", "k", "1")])
    with caplog.at_level(logging.WARNING):
        async with running(sink, outbox):
            await until(lambda: _is_told(caplog, "away: Kinesis does not answer"), SECONDS, lambda: "it was told")
            async with asyncio.timeout(SECONDS):
                await sink.stop()
    assert outbox.released_epochs == []


async def test_no_more_records_are_under_way_than_may_be_outstanding(kinesis: Kinesis) -> None:
    kinesis.create("outstanding")
    proxied = Proxy(kinesis.url)
    outbox = outbox_of([("outstanding", f"k{number}", str(number)) for number in range(20)])
    async with proxied.running(), running(egress(proxied.url, maxOutstandingRecords=6), outbox):
        await until_out(outbox)
    assert max(map(len, puts(proxied))) == 6
    assert len(kinesis.records("outstanding")) == 20


async def test_requests_are_as_large_as_the_properties_allow(kinesis: Kinesis) -> None:
    kinesis.create("large")
    proxied = Proxy(kinesis.url)
    properties = [{"CollectionMaxCount": "3"}, {"CollectionMaxSize": "40"}]
    outbox = outbox_of(
        [("large", f"k{number}", "x" * 18) for number in range(4)], [("large", f"k{n}", "") for n in range(9)]
    )
    async with proxied.running(), running(egress(proxied.url, clientConfigProperties=properties), outbox):
        await until_out(outbox)
    sizes = [len(records) for records in puts(proxied)]
    assert (sizes[0], max(sizes)) == (2, 3)


async def test_a_hash_key_decides_the_shard(kinesis: Kinesis) -> None:
    kinesis.create("hashed", 2)
    outbox = MemoryOutbox()
    for hash_key in ("0", str(2**128 - 2)):
        outbox.add(kinesis_egress_message("a/out", "hashed", hash_key, "k", explicit_hash_key=hash_key).payload())
    async with running(egress(kinesis.url), outbox):
        await until_out(outbox)
    assert kinesis.records("hashed") == [("k", "0"), ("k", str(2**128 - 2))]


def test_an_unknown_property_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(EgressError, match="egress a/out: the property MaxConnection is unknown; did you mean MaxConn"):
        egress("http://localhost", clientConfigProperties=[{"MaxConnection": "1"}])


async def test_a_profile_that_is_missing_is_an_error_at_the_start(kinesis: Kinesis) -> None:
    sink = egress(kinesis.url, awsCredentials={"type": "profile", "profileName": "ship"})
    with pytest.raises(EgressError, match=r"egress a/out: .*\(ship\) could not be found. Check awsRegion and awsCre"):
        await sink.start(MemoryOutbox(), None)
    await sink.stop()
