"""From an export of ours to a savepoint of Flink."""

import base64
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.errors import FlinkError
from statefun_runtime.flink.state_bridge import Line
from statefun_runtime.flink.state_export import refuse_delayed
from statefun_runtime.flink.state_names import StateName
from statefun_runtime.interfaces import ExpireMode, StateSpec, Table
from statefun_runtime.store import keys, rows
from statefun_runtime.store.portable_lines import Delayed, Row, line_of

_UNFINISHED = {Table.MAILBOX: "messages", Table.OUTBOX: "epochs of the outbox"}
_LEFT = {
    Table.DEAD_LETTERS: "dead letters",
    Table.JOURNAL: "journal entries",
    Table.POSITIONS: "ingress positions",
    Table.SINKS: "egress positions",
}


class StateImport:
    """Makes the lines of a savepoint from the rows of an export, and keeps account of what cannot be in it."""

    def __init__(self, declared: Mapping[str, Sequence[StateSpec]], *, leave_delayed: bool) -> None:
        """Begin.

        Args:
            declared: The states of the application's functions, by typename. They go before what the export says.
            leave_delayed: Whether delayed messages may be left out.
        """
        self.delayed: list[Delayed] = []
        self.positions: list[str] = []
        self.values = 0
        self._specs = {typename: {spec.name: spec for spec in specs} for typename, specs in declared.items()}
        self._leave_delayed = leave_delayed
        self._described: dict[StateName, str] = {}
        self._rows: Counter[Table] = Counter()

    @property
    def left(self) -> str:
        """What of the export is not in the savepoint, besides delayed messages."""
        return ", ".join(f"{self._rows[table]} {text}" for table, text in _LEFT.items() if self._rows[table])

    def lines(self, export: Iterable[Row]) -> Iterator[Line]:
        """The lines of the savepoint.

        Raises:
            FlinkError: Something waits, or how long the values of a function live is not known.
        """
        for table, key, row in export:
            self._rows[table] += 1
            match table:
                case Table.SPECS:
                    self._specs.setdefault(keys.read_text(key)[0], dict(rows.read_specs(row)))
                case Table.STATE:
                    yield from self._state(key, row)
                case Table.DELAYED:
                    self._delay(key, row)
                case Table.POSITIONS:
                    ingress, end = keys.read_text(key)
                    self.positions.append(f"{ingress} {keys.read_text(key, end)[0]}: {_text(rows.read_bytes(row))}")
                case _:
                    pass
        self._refuse()

    def _state(self, key: bytes, row: bytes) -> Iterator[Line]:
        (typename, identifier), _ = keys.read_address(key)
        if typename not in self._specs:
            raise FlinkError(
                f"the export does not say what {typename} declares, and with it how its values expire; "
                "name the application's functions with --functions"
            )
        for state, (touched, payload) in rows.read_state(row).items():
            typed = TypedValue.FromString(payload)
            name = StateName(typename, state)
            spec = self._specs[typename].get(state) or StateSpec(state, typed.typename)
            expires = spec.mode is not ExpireMode.NEVER
            if name not in self._described:
                self._described[name] = spec.typename
                yield {"kind": "state", "state": str(name), "typename": spec.typename, "expires": expires}
            if typed.typename != self._described[name]:
                raise FlinkError(
                    f"{state} of {typename}/{identifier} is of type {typed.typename}, but declared as "
                    f"{self._described[name]}; in Flink all values of a state have one type"
                )
            self.values += 1
            encoded = base64.b64encode(typed.value).decode()
            line = {"kind": "value", "state": str(name), "id": identifier, "base64": encoded}
            yield {**line, "touched": touched} if expires else line

    def _delay(self, key: bytes, row: bytes) -> None:
        line = line_of(Table.DELAYED, key, row, {})
        if not isinstance(line, Delayed):
            raise FlinkError("a delayed message of the export cannot be read; deliver it before")
        self.delayed.append(line)

    def _refuse(self) -> None:
        waiting = ", ".join(f"{self._rows[table]} {text}" for table, text in _UNFINISHED.items() if self._rows[table])
        if waiting:
            raise FlinkError(f"{waiting} wait in the export; let them be handled (`statefun drain`), and export then")
        if not self._leave_delayed:
            refuse_delayed(self.delayed)


def _text(position: bytes) -> str:
    return position.decode(errors="replace")
