"""From a savepoint of Flink to an export of ours."""

import base64
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun.version import __version__
from statefun_runtime.errors import FlinkError
from statefun_runtime.flink.state_bridge import Line
from statefun_runtime.flink.state_names import StateName, StateNames
from statefun_runtime.interfaces import Address, StateSpec
from statefun_runtime.store.portable import End, Header, line_bytes
from statefun_runtime.store.portable_lines import At, Declared, Delayed, Function, State, Stored
from statefun_runtime.store.portable_values import PortableValue, value_fields

_IN_FLIGHT = ("asyncOperations", ".request-state", ".batch")
"""How the states are called in which Flink keeps calls that were not answered, and what waits behind them."""

_SHOWN = 5


class StateExport:
    """Makes the lines of an export from those of a savepoint, and keeps account of what cannot be in it."""

    def __init__(self, declared: Mapping[str, Sequence[StateSpec]], time: int, *, leave_delayed: bool) -> None:
        """Begin.

        Args:
            declared: The states of the application's functions, by typename, as far as they are known.
            time: Now, in milliseconds since the epoch.
            leave_delayed: Whether delayed messages may be left out.
        """
        self.delayed: list[Delayed] = []
        self.values = 0
        self._declared = declared
        self._names = StateNames(declared)
        self._time = time
        self._leave_delayed = leave_delayed
        self._typenames: dict[str, str] = {}
        self._states: dict[StateName, Line] = {}
        self._group: defaultdict[Address, dict[str, Stored]] = defaultdict(dict)
        self._waiting: Counter[str] = Counter()
        self._foreign: Counter[str] = Counter()

    def lines(self, savepoint: Iterable[Line]) -> Iterator[bytes]:
        """The lines of the export.

        Raises:
            FlinkError: The savepoint has messages on their way, or state that no remote function has.
        """
        lineage = uuid.uuid4().hex
        yield line_bytes(Header(format=1, statefun=__version__, lineage=lineage, epoch=1, sequence=0, time=self._time))
        count = 0
        described = False
        for line in savepoint:
            if line["kind"] != "state" and not described:
                described = True
                for function in self._functions():
                    yield line_bytes(function)
                    count += 1
            if line["kind"] == "group":
                for state in self._flush():
                    yield line_bytes(state)
                    count += 1
            self._read(line)
        self._refuse()
        yield line_bytes(End(lines=count))

    def _read(self, line: Line) -> None:
        match line["kind"]:
            case "state":
                self._describe(line)
            case "value":
                self._put(line)
            case "delayed":
                self.delayed.append(_delayed(line, len(self.delayed) + 1))
            case "feedback":
                self._waiting["between functions"] += line["messages"]
            case "other":
                in_flight = line["state"].endswith(_IN_FLIGHT)
                (self._waiting if in_flight else self._foreign)[line["state"]] += 1
            case _:
                pass

    def _describe(self, line: Line) -> None:
        if line["typename"] is not None:
            self._typenames[line["state"]] = line["typename"]
            self._states[self._find(line)] = line

    def _find(self, line: Line) -> StateName:
        try:
            return self._names.find(line["state"])
        except ValueError as error:
            raise FlinkError(str(error)) from error

    def _functions(self) -> Iterator[Function]:
        """What functions declare, where that is known: how long values live is not in a savepoint."""
        found: defaultdict[str, dict[str, Line]] = defaultdict(dict)
        for name, line in self._states.items():
            found[name.typename][name.state] = line
        for typename, states in found.items():
            if typename in self._declared:
                specs = self._declared[typename]
                yield Function(type=typename, states=[_declared(spec) for spec in specs])
            elif not any(line["expires"] for line in states.values()):
                names = [(state, line["typename"]) for state, line in states.items()]
                yield Function(type=typename, states=[_declared(StateSpec(*name)) for name in names])

    def _put(self, line: Line) -> None:
        name = self._find(line)
        typed = TypedValue(typename=self._typenames[line["state"]], has_value=True)
        typed.value = base64.b64decode(line["base64"])
        fields = value_fields(typed.SerializeToString(deterministic=True))
        stored = Stored(touched=line.get("touched", self._time), **fields)
        self._group[name.typename, line["id"]][name.state] = stored
        self.values += 1

    def _flush(self) -> Iterator[State]:
        """The addresses of a key group: all states of an address are in the same one."""
        for (typename, identifier), values in self._group.items():
            yield State(type=typename, id=identifier, values=values)
        self._group.clear()

    def _refuse(self) -> None:
        if self._foreign:
            raise FlinkError(f"these states are not of remote functions and cannot be exported: {_most(self._foreign)}")
        if self._waiting.total():
            raise FlinkError(
                f"messages were on their way when the savepoint was taken ({_most(self._waiting)}); stop what feeds "
                "the application, wait until it has nothing to do, and take the savepoint then"
            )
        if not self._leave_delayed:
            refuse_delayed(self.delayed)


def refuse_delayed(delayed: Sequence[Delayed]) -> None:
    """Raise FlinkError if there are delayed messages, with the first of them."""
    shown = [f"\n  at {m.due} ms  to {m.target.type}/{m.target.id}  token {m.token or '-'}" for m in delayed]
    if shown:
        raise FlinkError(
            f"{len(shown)} delayed messages are not due yet; wait for them, or have them written to a file by "
            f"--leave-delayed FILE. The first:{''.join(shown[:_SHOWN])}"
        )


def _delayed(line: Line, sequence: int) -> Delayed:
    sender = line["sender"] or line["target"]
    message = PortableValue(**value_fields(base64.b64decode(line["base64"])))
    return Delayed(
        due=line["due"],
        sequence=sequence,
        target=At(**line["target"]),
        sender=At(**sender),
        token=line["token"],
        message=message,
    )


def _declared(spec: StateSpec) -> Declared:
    return Declared.model_validate(
        {
            "name": spec.name,
            "typename": spec.typename,
            "expires": spec.mode.name.lower(),
            "expire_after": spec.expire_after,
        }
    )


def _most(counts: Counter[str]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in counts.most_common(_SHOWN) if count)
