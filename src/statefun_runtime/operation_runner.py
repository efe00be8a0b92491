"""Carries out the operations of an operator: in a running application, or in the data directory of a stopped one."""

import asyncio
from contextlib import closing
from pathlib import Path
from random import SystemRandom

from statefun_runtime.clock import EngineClock, SystemClock
from statefun_runtime.driver import Driver
from statefun_runtime.engine.engine import Engine
from statefun_runtime.engine.limits import Limits
from statefun_runtime.engine.operator_actions import OperatorActions
from statefun_runtime.interfaces import Address, Store, Table
from statefun_runtime.operation import Action, Operation, Outcome, target_text
from statefun_runtime.reading import answer_reads
from statefun_runtime.store import keys, rows
from statefun_runtime.store.changes import changes_of
from statefun_runtime.store.data_directory import check_format
from statefun_runtime.store.queries import read_messages
from statefun_runtime.store.recovery import recover
from statefun_runtime.store.rocksdb import RocksDBStore

MAX_MESSAGES = 10_000
"""Messages that one operation removes: they are in memory together."""


class LiveOperations:
    """Operations on a running application, one after the other."""

    def __init__(self, driver: Driver, store: Store) -> None:
        self._driver = driver
        self._store = store
        self._one = asyncio.Lock()
        """The next operation reads dead letters only when what the last one did to them is in the store."""

    async def perform(self, operation: Operation) -> list[Outcome]:
        """Carry out `operation`; returns when what it did is durable. Raises StoreError if it will never be."""
        async with self._one:
            await self._driver.all_durable()
            return await self._driver.operate(lambda: perform(self._driver.engine, self._store, operation))


def perform_stopped(data_dir: Path, operation: Operation) -> list[Outcome]:
    """Carry out `operation` on the data directory of a stopped application, which nobody may start meanwhile.

    Raises:
        StoreLockedError: The application runs.
        StoreError: There is no usable store.
    """
    check_format(data_dir)
    with closing(RocksDBStore(data_dir, lock_timeout=0)) as store:
        recovery = recover(store)
        engine = Engine(recovery, (), Limits(), SystemRandom())
        engine.now = EngineClock(SystemClock(), recovery.time).now()
        outcomes = perform(engine, store, operation)
        epoch = engine.cut()
        if epoch is not None:
            store.commit(changes_of(epoch, engine.lineage))
        return outcomes


def perform(engine: Engine, store: Store, operation: Operation) -> list[Outcome]:
    """Carry out `operation` in the open epoch. Dead letters and the messages of addresses are those in `store`."""
    actions = OperatorActions(engine, operation.who)
    outcomes: list[Outcome] = []
    room = MAX_MESSAGES
    for target in dict.fromkeys(operation.targets):
        if not isinstance(target, tuple):
            outcomes.append(_on_letter(actions, store, operation.action, target))
        elif room:
            room -= _bring(engine, store, target, min(room, _needed(operation.action)))
            outcomes.append(actions.on_address(operation.action, target))
        else:
            outcomes.append(Outcome(target_text(target), done=True, text="", more=True))
    return outcomes


def _needed(action: Action) -> int:
    return {Action.RESUME: 0, Action.SKIP: 1}.get(action, MAX_MESSAGES)


def _bring(engine: Engine, store: Store, address: Address, needed: int) -> int:
    """Have an address in memory, and the first messages that wait for it if it is parked; return how many."""
    while not engine.open(address):
        answer_reads(engine, store)
    page = engine.first_page(address, needed)
    if not needed or page is None:
        return 0
    messages, is_last = read_messages(store, address, page.after, page.limit)
    engine.mailboxes.filled(page, messages, is_last=is_last)
    return len(messages)


def _on_letter(actions: OperatorActions, store: Store, action: Action, number: int) -> Outcome:
    [row] = store.get_many(Table.DEAD_LETTERS, [keys.number_key(number)])
    if row is None:
        return Outcome(str(number), done=False, text="is no dead letter")
    return actions.on_letter(action, rows.read_dead_letter(number, row))
