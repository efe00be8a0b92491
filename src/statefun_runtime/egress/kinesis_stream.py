"""Puts the records for one Kinesis stream: one request at a time, and each partition key once in a request."""

import asyncio
import logging
from collections.abc import Iterable, Sequence

from statefun_runtime.egress.kinesis_lanes import Lane, Lanes
from statefun_runtime.egress.kinesis_progress import Item, Progress
from statefun_runtime.errors import EgressError
from statefun_runtime.kinesis.backoff import Backoff
from statefun_runtime.kinesis.client import KinesisClient
from statefun_runtime.kinesis.errors import AccessError, KinesisError, RefusedError, StreamError, reason_of

_log = logging.getLogger(__name__)


class KinesisStreamWriter:
    """A record is put when the one before it with its key is settled, so nothing overtakes what has to be put again."""

    def __init__(self, stream: str, client: KinesisClient, progress: Progress) -> None:
        self._name = f"{client.name}: {stream}"
        self._stream = stream
        self._client = client
        self._progress = progress
        self._connection = progress.counts.connection
        self._what = f"stream {stream}"
        self._lanes = Lanes()
        self._backoff = Backoff()
        self._paused_until = 0.0
        self._woken = asyncio.Event()
        self._stopping = False

    @property
    def is_done(self) -> bool:
        """Whether all records are settled."""
        return not self._lanes

    def add(self, item: Item) -> None:
        """Take a record."""
        self._lanes.add(item)
        self._woken.set()

    def stop(self) -> None:
        """Let `run` end when nothing more can be put at once."""
        self._stopping = True
        self._woken.set()

    async def run(self) -> None:
        """Put records until all are settled. Raises EgressError if that is hopeless."""
        while self._lanes:
            self._woken.clear()
            lanes = self._take()
            if lanes:
                await self._put(lanes)
            elif self._stopping:
                return
            else:
                await self._wait()
        self._note_success()

    def _take(self) -> list[Lane]:
        now = _now()
        if now < self._paused_until:
            return []
        settings = self._client.settings
        return self._lanes.take(settings.most_records, settings.most_bytes, now)

    async def _wait(self) -> None:
        """Wait until there may be something to put."""
        try:
            async with asyncio.timeout_at(max(self._paused_until, self._lanes.next_attempt())):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _put(self, lanes: list[Lane]) -> None:
        """Put the first record of each lane. A request that is refused is halved until the cause is alone."""
        requests = [lanes]
        while requests:
            lanes = requests.pop()
            try:
                refusals = await self._client.put(self._stream, [lane.items[0].record for lane in lanes])
            except AccessError as error:
                raise EgressError(f"{self._name}: {error}. Check awsRegion and awsCredentials") from error
            except StreamError as error:
                self._refuse(lanes, error)
            except RefusedError as error:
                middle = len(lanes) // 2
                if middle:
                    requests += [lanes[middle:], lanes[:middle]]
                else:
                    self._refuse(lanes, error)
            except KinesisError as error:
                self._pause(lane for each in [lanes, *reversed(requests)] for lane in each)
                self._tell(reason_of(error), str(error))
                return
            else:
                self._note(lanes, refusals)

    def _pause(self, lanes: Iterable[Lane]) -> None:
        self._lanes.put_back(list(lanes))
        self._paused_until = _now() + self._backoff.next()

    def _refuse(self, lanes: Sequence[Lane], error: KinesisError) -> None:
        for lane in lanes:
            self._progress.is_refused(self._lanes.settle(lane), self._stream, str(error))

    def _note(self, lanes: Sequence[Lane], refusals: Sequence[str | None]) -> None:
        """Settle what was taken; have the rest wait."""
        self._backoff.reset()
        now = _now()
        for lane, refusal in zip(lanes, refusals, strict=True):
            if refusal is None:
                self._progress.is_out(self._lanes.settle(lane))
            else:
                self._lanes.delay(lane, now)
        refusal = next(filter(None, refusals), None)
        if refusal is not None:
            self._tell("Kinesis does not take some records", refusal)
        elif not self._lanes.is_delayed:
            self._note_success()

    def _note_success(self) -> None:
        if self._connection.works(self._what):
            _log.info("%s: Kinesis takes all records again", self._name)

    def _tell(self, reason: str, detail: str) -> None:
        """Note a problem; log it if it is new."""
        if self._connection.failed(self._what, reason, detail):
            _log.warning("%s: %s (%s); trying again", self._name, reason, detail)


def _now() -> float:
    return asyncio.get_running_loop().time()
