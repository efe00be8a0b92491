"""The contract of ingresses finds every known mistake. Each class makes one."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from statefun_runtime.errors import IngressError
from statefun_runtime.interfaces import AdapterContext, Arrival, Ingress, Inlet
from statefun_runtime.testing import PATIENCE, ContractError, IngressCheck
from statefun_runtime.testing.ingress_contract import (
    an_ingress_can_be_stopped_twice_and_before_it_started,
    every_message_arrives_once_and_in_order,
    every_message_is_counted,
    nothing_is_confirmed_before_it_is_durable,
    nothing_is_handed_in_before_there_is_room,
    what_is_durable_does_not_come_again_after_a_restart,
    what_was_not_durable_comes_again_after_a_crash,
)
from tests.contracts.memory import MemoryIngress, MemorySource
from tests.runtime.egress.records import typed


class AcknowledgesEarly(MemoryIngress):
    """Takes messages out of the source as soon as they were handed in."""

    async def start(self, inlet: Inlet, positions: Mapping[str, bytes]) -> None:
        self.inlet = inlet

    def accept(self, ids: Sequence[str]) -> int:
        epoch = super().accept(ids)
        self.next = 0
        del self.source.ids[: len(ids)]
        return epoch


class LosesThePosition(MemoryIngress):
    def accept(self, ids: Sequence[str]) -> int:
        self.next += len(ids)
        return self.inlet.accept([Arrival(("test/a", target_id), typed("test/text", b"x")) for target_id in ids])


class KeepsThePositionFirst(MemoryIngress):
    """In an epoch of its own, so that a crash between the two loses messages."""

    def accept(self, ids: Sequence[str]) -> int:
        self.inlet.accept([], "", str(self.next + len(ids)).encode())
        return super().accept(ids)


class DoublesAfterARestart(MemoryIngress):
    async def start(self, inlet: Inlet, positions: Mapping[str, bytes]) -> None:
        await super().start(inlet, positions)
        self.next = max(0, self.next - 1)


class LosesTheOrder(MemoryIngress):
    def accept(self, ids: Sequence[str]) -> int:
        return super().accept(ids[::-1])


class AsksForNoRoom(MemoryIngress):
    async def run(self) -> None:
        self.accept(self.source.ids)
        await asyncio.Event().wait()


class CountsNothing(MemoryIngress):
    def __init__(self, source: MemorySource, context: AdapterContext) -> None:
        super().__init__(source, AdapterContext())


class HandsInRawBytes(MemoryIngress):
    def accept(self, ids: Sequence[str]) -> int:
        self.next += len(ids)
        self.counts.records += len(ids)
        return self.inlet.accept([Arrival(("test/a", name), b"\xff") for name in ids], "", str(self.next).encode())


class NeverStops(MemoryIngress):
    async def stop(self) -> None:
        await asyncio.Event().wait()


class Fails(MemoryIngress):
    async def run(self) -> None:
        raise IngressError("the table is gone")


class AnswersEarly:
    """Like a server that tells the sender that all is well before the epoch is durable."""

    keeps = False
    patience = 0.2

    def __init__(self, directory: Path) -> None:
        self._source = MemorySource(directory)

    def ingress(self, context: AdapterContext) -> Ingress:
        self._source.ids.clear()
        return AcknowledgesEarly(self._source, context)

    async def put(self, target_id: str) -> None:
        await self._source.put(target_id)


SHORT = 0.2
"""Seconds of patience where they pass in vain."""


def harness_of(broken: type[MemoryIngress], seconds: float = PATIENCE) -> type[MemorySource]:
    class Harness(MemorySource):
        patience = seconds

        def ingress(self, context: AdapterContext) -> Ingress:
            return broken(self, context)

    return Harness


@pytest.mark.parametrize(
    ("broken", "check", "text"),
    [
        (LosesThePosition, what_is_durable_does_not_come_again_after_a_restart, "'id-6', 'id-0', 'id-1'"),
        (LosesThePosition, what_was_not_durable_comes_again_after_a_crash, "'id-0', 'id-1', 'id-0', 'id-1'"),
        (DoublesAfterARestart, what_is_durable_does_not_come_again_after_a_restart, "'id-6', 'id-6', 'last'"),
        (LosesTheOrder, every_message_arrives_once_and_in_order, "they should be"),
        (AsksForNoRoom, nothing_is_handed_in_before_there_is_room, "without asking for room"),
        (CountsNothing, every_message_is_counted, "7 messages went through, but counted were"),
        (HandsInRawBytes, every_message_arrives_once_and_in_order, "no encoded TypedValue"),
    ],
)
async def test_every_mistake_of_an_ingress_is_found(
    broken: type[MemoryIngress], check: IngressCheck, text: str, tmp_path: Path
) -> None:
    with pytest.raises(ContractError, match=text):
        await check(harness_of(broken)(tmp_path))


@pytest.mark.parametrize(
    ("broken", "check", "text"),
    [
        (AcknowledgesEarly, what_was_not_durable_comes_again_after_a_crash, "did not happen that 7 messages arrived"),
        (AcknowledgesEarly, nothing_is_confirmed_before_it_is_durable, "messages arrived, only"),
        (KeepsThePositionFirst, what_was_not_durable_comes_again_after_a_crash, "7 messages arrived, only"),
        (NeverStops, an_ingress_can_be_stopped_twice_and_before_it_started, "`stop` did not return"),
    ],
)
async def test_a_mistake_that_shows_by_nothing_happening_is_found(
    broken: type[MemoryIngress], check: IngressCheck, text: str, tmp_path: Path
) -> None:
    with pytest.raises(ContractError, match=text):
        await check(harness_of(broken, SHORT)(tmp_path))


async def test_a_sender_who_is_answered_early_is_found(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="messages arrived, only"):
        await nothing_is_confirmed_before_it_is_durable(AnswersEarly(tmp_path))


async def test_what_an_ingress_raises_ends_a_check_at_once(tmp_path: Path) -> None:
    with pytest.raises(IngressError, match="the table is gone"):
        await every_message_arrives_once_and_in_order(harness_of(Fails)(tmp_path))
