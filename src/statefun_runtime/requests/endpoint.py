"""Serves the addresses that stand for requests."""

from collections.abc import Callable

from google.protobuf.message import DecodeError

from statefun_runtime.interfaces import Batch, Effects, Endpoint, Failure, FailureKind, ReplyTo
from statefun_runtime.requests.record import STATE, Record
from statefun_runtime.requests.request_function import Event, handle
from statefun_runtime.requests.waiting import Waiting


class RequestEndpoint(Endpoint):
    """Calls the request function, and tells those who wait what happened once its effects are applied."""

    def __init__(self, waiting: Waiting, open_epoch: Callable[[], int]) -> None:
        """Args: `open_epoch` is the epoch to which the effects of a reply go."""
        self._waiting = waiting
        self._open_epoch = open_epoch

    async def start(self) -> None:
        """Nothing to start."""

    def invoke(self, batch: Batch, reply_to: ReplyTo) -> None:
        effects, events = Effects(), list[Event]()
        try:
            _run(batch, effects, events)
        except (ValueError, DecodeError) as error:
            reply_to(batch, Failure(FailureKind.PERMANENT, f"request {batch.target[1]}: {error}"))
            return
        reply_to(batch, effects)
        epoch = self._open_epoch()
        for event in events:
            self._waiting.happened(batch.target[1], event, epoch)

    async def stop(self) -> None:
        """Nothing to stop."""


def _run(batch: Batch, effects: Effects, events: list[Event]) -> None:
    stored = batch.state[STATE]
    before = record = None if stored is None else Record.decode(stored)
    for message in batch.messages:
        record, happened, sends = handle(record, message)
        effects.sends += sends
        events += happened
    if record is not None and record != before:
        effects.mutations[STATE] = record.encode()
