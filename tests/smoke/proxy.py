"""A proxy between two processes that drops, delays, cuts and duplicates connections."""

import asyncio
import contextlib
import threading
from asyncio import StreamReader, StreamWriter
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Self

CHUNK = 65536
FATES = {"passed": 4, "dropped": 1, "delayed": 2, "duplicated": 3}
SHORTEST, LONGEST = 100, 400_000
"""After how many bytes, in one direction, a connection is cut."""
LONGEST_DELAY = 0.03
"""Of one piece of a delayed connection, in seconds."""

Place = Path | int
"""A unix socket, or a port of the loopback interface."""


class Proxy:
    """Forwards connections at one place to another one, while the `with` block runs.

    Each is cut after a random number of bytes, in a request or a reply. What a duplicated one sends reaches the server
    twice, and the server's second reply nobody.
    """

    def __init__(self, listen: Place, server: Place, seed: int, fates: Mapping[str, int] = FATES) -> None:
        """Args: `fates` are what becomes of connections, each with its weight."""
        self.counts: Counter[str] = Counter()
        self._listen = listen
        self._server = server
        self._random = Random(seed)
        self._fates = fates
        self._is_whole = False
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._connections: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10), "the proxy does not start"
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def heal(self) -> None:
        """Let connections that are made from now on pass whole."""
        self._is_whole = True

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        if isinstance(self._listen, int):
            server = await asyncio.start_server(self._accept, "127.0.0.1", self._listen)
        else:
            server = await asyncio.start_unix_server(self._accept, self._listen)
        self._ready.set()
        await self._stop.wait()
        server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        connection = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        fates = {"whole": 1} if self._is_whole else self._fates
        fate = self._random.choices(list(fates), list(fates.values()))[0]
        self.counts[fate] += 1
        writers = [writer]
        try:
            # The server may be dead at any moment: then its connections end, and so does the runtime's.
            with contextlib.suppress(OSError):
                if fate != "dropped":
                    await self._forward(reader, writers, fate)
        finally:
            for each in writers:
                each.transport.abort()

    async def _forward(self, reader: StreamReader, writers: list[StreamWriter], fate: str) -> None:
        """Forward both ways until either ends; connections that are made are added to `writers`."""
        answers: list[StreamReader] = []
        for _ in range(2 if fate == "duplicated" else 1):
            answer, writer = await open_connection(self._server)
            answers.append(answer)
            writers.append(writer)
        ways = [
            asyncio.create_task(self._copy(reader, writers[1:], fate)),
            asyncio.create_task(self._copy(answers[0], writers[:1], fate)),
        ]
        unheard = [asyncio.create_task(discard(answer)) for answer in answers[1:]]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*ways, *unheard):
                task.cancel()
            await asyncio.gather(*ways, *unheard, return_exceptions=True)

    async def _copy(self, source: StreamReader, sinks: list[StreamWriter], fate: str) -> None:
        left = self._random.randint(SHORTEST, LONGEST)
        while data := await source.read(CHUNK):
            if fate == "delayed":
                await asyncio.sleep(self._random.uniform(0, LONGEST_DELAY))
            for sink in sinks:
                sink.write(data if fate == "whole" else data[:left])
                await sink.drain()
            left -= len(data)
            if left <= 0 and fate != "whole":
                self.counts["cut"] += 1
                return


async def open_connection(place: Place) -> tuple[StreamReader, StreamWriter]:
    if isinstance(place, int):
        return await asyncio.open_connection("127.0.0.1", place)
    return await asyncio.open_unix_connection(str(place))


async def discard(source: StreamReader) -> None:
    """Read to the end."""
    while await source.read(CHUNK):
        pass
