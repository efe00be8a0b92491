"""Whether a finished run came out as a sequential one must have: what ran, in which order, and what it saw."""

import json
from collections import Counter, defaultdict

from statefun_runtime.interfaces import Address, Table
from statefun_runtime.store.recovery import recover

from .application import AFTER_CALL, Entry
from .plan import Node
from .simulation import Simulation


class Oracle:
    """Checks a run that has come to its end. Its checks raise AssertionError."""

    def __init__(self, run: Simulation) -> None:
        self._run = run
        self._nodes = run.plan.nodes
        self.history: dict[Address, list[Entry]] = {
            address: list(run.application.history(run.state(address).get("history")))[::-1]
            for address in run.plan.addresses
        }
        self._parents = {child.number: node.number for node in self._nodes for child in node.children}
        self._entries = {entry.node: entry for entries in self.history.values() for entry in entries}
        self._place = {entry.node: place for entries in self.history.values() for place, entry in enumerate(entries)}

    def check(self) -> None:
        """Check everything."""
        self._check_runs()
        self._check_order()
        self._check_due_order()
        self._check_expiry()
        self._check_egress()
        self._check_nothing_is_left()

    def _check_runs(self) -> None:
        """Every message ran once if its parent did, or is a dead letter, or was cancelled in time."""
        counts = Counter(entry.node for entries in self.history.values() for entry in entries)
        letters = Counter(self._run.letters().values())

        def visit(node: Node, parent: Node | None, *, sent: bool) -> None:
            found = counts[node.number] + letters[node.number]
            assert found <= sent, f"{node.number} ran {counts[node.number]} times, dead {letters[node.number]} times"
            if sent and not found:
                assert parent is not None, f"root {node.number} is lost"
                self._check_cancelled(node, parent)
            elif node.token and parent is not None and found:
                self._check_not_cancelled(node, parent)
            for child in node.children:
                visit(child, node, sent=bool(counts[node.number]))

        for root in self._run.plan.roots + self._run.plan.asked:
            visit(root, None, sent=True)
        assert self._run.clients.told == {node.number for node in self._run.plan.asked}

    def _cancellers(self, node: Node, parent: Node) -> list[Node]:
        """What ran at the sender after `parent` and cancelled the token of `node`."""
        if not node.token:
            return []
        after = self.history[parent.target][self._place[parent.number] + 1 :]
        return [self._nodes[each.node] for each in after if self._nodes[each.node].cancels == node.token]

    def _check_cancelled(self, node: Node, parent: Node) -> None:
        cancellers = self._cancellers(node, parent)
        assert cancellers, f"{node.number} is lost"
        crashes = self._run.crashes_at
        self._run.situations["cancelled after a restart"] += crashes[parent.number] < crashes[cancellers[0].number]

    def _check_not_cancelled(self, node: Node, parent: Node) -> None:
        assert node.delay is not None
        due = self._entries[parent.number].replied + node.delay
        for canceller in self._cancellers(node, parent)[:1]:
            durable = self._run.durable_at[canceller.number]
            assert durable >= due, f"{node.number} ran, due at {due}, but its cancellation was durable at {durable}"
        crashes = self._run.crashes_at
        self._run.situations["delayed over a crash"] += crashes[parent.number] < crashes.get(node.number, 0)

    def _check_order(self) -> None:
        """What one sender sent at once to one target arrived in the order it was sent."""
        for target, entries in self.history.items():
            place = {entry.node: index for index, entry in enumerate(entries)}
            senders: list[list[Node]] = [self._run.plan.roots]
            senders += [
                [child for entry in sent for child in self._nodes[entry.node].children]
                for sent in self.history.values()
            ]
            for sent in senders:
                at_once = [node.number for node in sent if node.delay is None and node.target == target]
                places = [place[number] for number in at_once if number in place and number not in self._run.resent]
                assert places == sorted(places), f"order to {target}: {at_once}"

    def _check_due_order(self) -> None:
        """Delayed messages to one target arrived in the order they were due, and none too early."""
        for entries in self.history.values():
            last = 0
            for entry in entries:
                node = self._nodes[entry.node]
                if node.delay is None or node.number in self._run.resent:
                    continue
                due = self._entries[self._parents[node.number]].replied + node.delay
                assert last <= due <= entry.dispatched, (
                    f"{node.number}, due at {due}, ran at {entry.dispatched} after {last}"
                )
                last = due

    def _check_expiry(self) -> None:
        for address, entries in self.history.items():
            written: tuple[int, int] | None = None
            called: tuple[int, int] | None = None
            for entry in entries:
                if entry.saw is not None:
                    written = self._check_written(address, entry, written)
                    called = self._check_called(address, entry, called)
                if self._nodes[entry.node].writes:
                    written = called = (entry.node, entry.replied)

    def _check_written(self, address: Address, entry: Entry, written: tuple[int, int] | None) -> tuple[int, int] | None:
        """What the state that expires after writes is after this call, as (value, time of the last write)."""
        assert entry.saw is not None
        seen = entry.saw[0]
        if written is None:
            assert seen is None, f"{address} saw {seen}"
            return None
        value, time = written
        if seen is not None:
            assert seen == value, f"{address} saw {seen} instead of {value}"
            assert entry.dispatched < time + entry.after_write, f"{address} saw {seen} at {entry}, written at {time}"
            return written
        # A change of the application may have come when the value was over by what had been declared before.
        shortest = min(self._run.application.after_writes)
        assert entry.dispatched >= time + shortest, f"{address} lost {written} at {entry}"
        crashes = self._run.crashes_at
        self._run.situations["expired after a write"] += 1
        self._run.situations["expired over a crash"] += crashes[value] < crashes[entry.node]
        return None

    def _check_called(self, address: Address, entry: Entry, called: tuple[int, int] | None) -> tuple[int, int] | None:
        """What the state that expires after calls is after this one, as (value, time of the last call)."""
        assert entry.saw is not None
        seen = entry.saw[1]
        if called is None:
            assert seen is None, f"{address} saw {seen}"
            return None
        value, touched = called
        if seen is None:
            assert entry.dispatched >= touched + AFTER_CALL, f"{address} lost {called} at {entry}"
            self._run.situations["expired after a call"] += 1
            return None
        # Calls whose epoch was lost may have refreshed it in vain: only the time of the last one limits its life.
        before = [time for time in self._run.dispatches[address] if time <= entry.dispatched]
        latest = max([touched, *before[:-1]])
        assert seen == value, f"{address} saw {seen} instead of {value}"
        assert entry.dispatched < latest + AFTER_CALL, f"{address} saw {seen} at {entry}, last called at {latest}"
        return value, entry.dispatched

    def _check_egress(self) -> None:
        """Each address' records went out once, in order."""
        written: dict[Address, list[int]] = defaultdict(list)
        for epoch in sorted(self._run.written):
            for record in self._run.written[epoch]:
                (typename, identifier), index, number = json.loads(record)
                assert index == len(written[typename, identifier])
                written[typename, identifier].append(number)
        ran = {address: [entry.node for entry in entries] for address, entries in self.history.items() if entries}
        assert written == ran

    def _check_nothing_is_left(self) -> None:
        run = self._run
        assert run.rows_left() == {}
        assert (run.engine.pending, run.engine.delayed.count, run.engine.mailboxes.queued) == (0, 0, 0)
        recovery = recover(run.store)
        assert (recovery.pending, recovery.delayed, recovery.parked) == ({}, 0, {})
        assert recovery.letter_bytes == sum(letter.size for letter in run.dead_letters())
        assert not list(run.store.scan(Table.TOKENS))
