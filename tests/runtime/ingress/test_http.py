import asyncio
import io
import json
from collections.abc import AsyncIterator, Mapping
from urllib.parse import quote

import aiohttp
import pytest

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun.protocol.types_pb2 import StringWrapper
from statefun_runtime.errors import IngressError
from statefun_runtime.ingress.http import HttpIngress
from statefun_runtime.interfaces import AdapterContext, RecordCounts
from statefun_runtime.module.ingress_spec import PlaygroundIngressSpec
from statefun_runtime.testing import MemoryInlet

MAX_BYTES = 1000


class Playground:
    """A started ingress, its inlet and a client."""

    def __init__(self, client: aiohttp.ClientSession, inlet: MemoryInlet, *, forward_headers: bool = False) -> None:
        self.counts = RecordCounts()
        self.ingress = HttpIngress(
            PlaygroundIngressSpec(port=0, forward_headers=forward_headers),
            AdapterContext(self.counts, max_request_bytes=MAX_BYTES),
        )
        self.inlet = inlet
        self._client = client

    async def send(
        self, path: str = "/test/a/1", body: bytes = b"hi", method: str = "PUT", headers: dict[str, str] | None = None
    ) -> tuple[int, str, Mapping[str, str]]:
        url = f"http://127.0.0.1:{self.ingress.port}{path}"
        async with self._client.request(method, url, data=io.BytesIO(body), headers=headers) as response:
            return response.status, await response.text(), response.headers


@pytest.fixture(name="playground")
async def started_playground() -> AsyncIterator[Playground]:
    async with aiohttp.ClientSession(requote_redirect_url=False) as client:
        playground = Playground(client, MemoryInlet(commits=True))
        await playground.ingress.start(playground.inlet, {})
        yield playground
        await playground.ingress.stop()


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE", "GET"])
async def test_a_request_of_any_method_is_a_message(playground: Playground, method: str) -> None:
    status, body, _ = await playground.send("/test/a/x", "grüß".encode(), method)
    assert (status, body) == (202, "")
    (arrival,) = playground.inlet.arrivals
    assert arrival.target == ("test/a", "x")
    assert StringWrapper.FromString(TypedValue.FromString(arrival.payload).value).value == "grüß"
    assert playground.counts == RecordCounts(records=1)


async def test_the_type_of_a_vendor_content_type_keeps_its_case(playground: Playground) -> None:
    headers = {"Content-Type": "application/vnd.example/GreetRequest"}
    assert (await playground.send(headers=headers, body=b"{}"))[0] == 202
    value = TypedValue.FromString(playground.inlet.arrivals[0].payload)
    assert (value.typename, value.value) == ("example/GreetRequest", b"{}")


async def test_the_sender_is_answered_only_when_the_message_is_durable() -> None:
    async with aiohttp.ClientSession() as client:
        playground = Playground(client, MemoryInlet())
        await playground.ingress.start(playground.inlet, {})
        sending = asyncio.create_task(playground.send())
        await playground.inlet.accepted.wait()
        done, _ = await asyncio.wait((sending,), timeout=0.05)
        assert not done
        await playground.inlet.commit()
        assert (await sending)[0] == 202
        await playground.ingress.stop()


async def test_a_message_that_does_not_become_durable_is_answered_with_503() -> None:
    async with aiohttp.ClientSession() as client:
        playground = Playground(client, MemoryInlet())
        await playground.ingress.start(playground.inlet, {})
        sending = asyncio.create_task(playground.send())
        await playground.inlet.accepted.wait()
        await playground.inlet.fail("the disk is gone")
        status, body, _ = await sending
        assert (status, body) == (503, '{"error": "the message is not durable: the disk is gone"}')
        assert playground.counts == RecordCounts()
        await playground.ingress.stop()


async def test_stopping_finishes_the_requests_that_were_taken() -> None:
    async with aiohttp.ClientSession() as client:
        playground = Playground(client, MemoryInlet())
        await playground.ingress.start(playground.inlet, {})
        sending = asyncio.create_task(playground.send())
        await playground.inlet.accepted.wait()
        port = playground.ingress.port
        stopping = asyncio.create_task(playground.ingress.stop())
        await asyncio.sleep(0)
        await playground.inlet.commit()
        assert (await sending)[0] == 202
        await stopping
        with pytest.raises(aiohttp.ClientConnectorError):
            await client.put(f"http://127.0.0.1:{port}/a/b/c")


async def test_a_runtime_that_is_behind_answers_429_with_retry_after(
    playground: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("statefun_runtime.ingress.http.ROOM_SECONDS", 0.01)
    playground.inlet.open.clear()
    status, body, headers = await playground.send()
    assert (status, headers["Retry-After"]) == (429, "1")
    assert "too many messages wait" in body
    playground.inlet.open.set()
    assert (await playground.send())[0] == 202


async def test_a_batch_is_one_epoch(playground: Playground) -> None:
    lines = [json.dumps({"target": "test/a", "id": str(number), "value": "hi"}) for number in range(3)]
    assert (await playground.send("/batch", "\n".join(lines).encode(), "POST"))[:2] == (202, "")
    assert [arrival.target for arrival in playground.inlet.arrivals] == [("test/a", str(n)) for n in range(3)]
    assert playground.inlet.epoch == 1
    assert playground.counts == RecordCounts(records=3)


async def test_of_a_batch_with_a_wrong_line_nothing_is_taken(playground: Playground) -> None:
    good = json.dumps({"target": "test/a", "id": "1", "value": "hi"})
    status, body, _ = await playground.send("/batch", f"{good}\n{{}}".encode(), "POST")
    assert (status, body) == (400, '{"error": "line 2: needs \\"target\\", a text"}')
    assert playground.inlet.arrivals == []


async def test_headers_are_forwarded_only_if_the_module_says_so(playground: Playground) -> None:
    async with aiohttp.ClientSession() as client:
        forwarding = Playground(client, MemoryInlet(commits=True), forward_headers=True)
        await forwarding.ingress.start(forwarding.inlet, {})
        for sender in (playground, forwarding):
            assert (await sender.send(headers={"X-Trace": "7", "Authorization": "secret"}))[0] == 202
        await forwarding.ingress.stop()
    plain, with_headers = (
        {header.key: header.value for header in TypedValue.FromString(sender.inlet.arrivals[0].payload).metadata}
        for sender in (playground, forwarding)
    )
    assert plain == {}
    assert with_headers["x-trace"] == b"7"
    assert "authorization" not in with_headers


async def test_a_body_over_the_limit_is_refused(playground: Playground) -> None:
    assert (await playground.send(body=b"x" * MAX_BYTES))[0] == 202
    status, body, _ = await playground.send(body=b"x" * (MAX_BYTES + 1))
    assert status == 413
    assert body.startswith('{"error": ')
    assert len(playground.inlet.arrivals) == 1


@pytest.mark.parametrize("path", ["/", "/a/b", f"/a/b{quote('/', safe='')}/c/d"])
async def test_a_path_that_names_no_target_is_refused(playground: Playground, path: str) -> None:
    status, body, _ = await playground.send(path)
    assert status == 400
    assert "the path must be /<namespace>/<type>/<id>" in body
    assert playground.inlet.arrivals == []


async def test_a_port_that_is_taken_is_an_error(playground: Playground) -> None:
    second = HttpIngress(PlaygroundIngressSpec(port=playground.ingress.port), AdapterContext())
    with pytest.raises(IngressError, match=r"playground/ingress: port \d+: .*Free it, or set another `port`"):
        await second.start(MemoryInlet(), {})


async def test_calls_and_keys_need_a_runtime_that_answers_requests(playground: Playground) -> None:
    for path, headers in (("/test/a/1/call", None), ("/test/a/1", {"Idempotency-Key": "k"})):
        status, body, _ = await playground.send(path, headers=headers)
        assert status == 501
        assert "this ingress was started without it" in body
    assert playground.inlet.arrivals == []
