"""Sources and sinks for the contracts of the ingresses and egresses that need no other server."""

import json
from dataclasses import replace
from pathlib import Path

import aiohttp

from statefun_runtime.egress.file import FileEgress
from statefun_runtime.egress.http import HttpEgress
from statefun_runtime.egress.playground_record import TYPENAME
from statefun_runtime.egress.subscription import SubscriptionEgress
from statefun_runtime.ingress.file import FileIngress
from statefun_runtime.ingress.http import HttpIngress
from statefun_runtime.interfaces import AdapterContext, Payload
from statefun_runtime.module.egress_spec import FileEgressSpec, PlaygroundEgressSpec, SubscriptionEgressSpec
from statefun_runtime.module.ingress_spec import FileIngressSpec, PlaygroundIngressSpec
from statefun_runtime.testing import PATIENCE
from tests.runtime.egress.records import texts, typed


class FileSource:
    """What is put after the ingress has come to the end is read after the next start."""

    keeps = True
    patience = PATIENCE

    def __init__(self, directory: Path) -> None:
        self._path = directory / "in.jsonl"
        self._path.touch()

    def ingress(self, context: AdapterContext) -> FileIngress:
        spec = FileIngressSpec(id="test/in", path=self._path, format="json-lines", targets=("test/a",), key="id")
        return FileIngress(spec, context)

    async def put(self, target_id: str) -> None:
        with self._path.open("a") as file:
            file.write(json.dumps({"id": target_id}) + "\n")


class HttpSource:
    keeps = False
    patience = PATIENCE

    def __init__(self, directory: Path) -> None:
        self._started: HttpIngress | None = None

    def ingress(self, context: AdapterContext) -> HttpIngress:
        self._started = HttpIngress(PlaygroundIngressSpec(port=0), context)
        return self._started

    async def put(self, target_id: str) -> None:
        assert self._started is not None
        async with aiohttp.ClientSession(f"http://127.0.0.1:{self._started.port}") as client:
            answer: aiohttp.ClientResponse | None = None
            while answer is None or answer.status == 429:
                answer = await client.put(f"/test/a/{target_id}", data=b"x")
            assert answer.status == 202


class FileSink:
    exactly_once = True
    patience = PATIENCE

    def __init__(self, directory: Path) -> None:
        self._path = directory / "out"

    def egress(self, context: AdapterContext) -> FileEgress:
        return FileEgress(FileEgressSpec(id="test/out", path=self._path), context)

    def record(self, value: str) -> Payload:
        [payload] = texts(value)
        return payload

    async def read(self) -> list[str]:
        return self._path.read_text().splitlines()


class HttpSink:
    exactly_once = False
    patience = PATIENCE

    def __init__(self, directory: Path) -> None:
        self._started: HttpEgress | None = None
        self._seen: list[str] = []

    def egress(self, context: AdapterContext) -> HttpEgress:
        self._started = HttpEgress(PlaygroundEgressSpec(port=0), context)
        return self._started

    def record(self, value: str) -> Payload:
        return typed(TYPENAME, json.dumps({"topic": "t", "payload": value}).encode())

    async def read(self) -> list[str]:
        """Take what waits, unless the egress has stopped: then there is nobody to ask."""
        if self._started is not None and (port := running_port(self._started)) is not None:
            async with aiohttp.ClientSession() as client:
                while await self._take(client, port):
                    pass
        return list(self._seen)

    async def _take(self, client: aiohttp.ClientSession, port: int) -> bool:
        async with client.get(f"http://127.0.0.1:{port}/t") as response:
            if response.status == 404:
                return False
            assert response.status == 200
            self._seen.append(await response.text())
            return True


class SubscriptionSink:
    """Its reader begins at the oldest record each time: what was written is there, once."""

    exactly_once = True
    patience = PATIENCE

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._started: SubscriptionEgress | None = None
        self._seen: list[str] = []

    def egress(self, context: AdapterContext) -> SubscriptionEgress:
        context = replace(context, data_dir=self._directory)
        self._started = SubscriptionEgress(SubscriptionEgressSpec(id="test/out", port=0), context)
        return self._started

    def record(self, value: str) -> Payload:
        [payload] = texts(value)
        return payload

    async def read(self) -> list[str]:
        """Read all there is, unless the egress has stopped: then there is nobody to ask."""
        if self._started is not None and (port := running_port(self._started)) is not None:
            url = f"http://127.0.0.1:{port}/egress/test/out?wait=0"
            async with aiohttp.ClientSession() as client, client.get(url) as response:
                lines = [json.loads(line) for line in (await response.text()).splitlines()]
            self._seen = [line["value"] for line in lines]
        return list(self._seen)


def running_port(egress: HttpEgress | SubscriptionEgress) -> int | None:
    try:
        return egress.port
    except RuntimeError:
        return None
