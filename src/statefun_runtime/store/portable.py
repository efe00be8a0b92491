"""Export and import: everything in a store as JSON Lines, for people and programs, and for other formats of the store.

The first line says what it is, each other one stands for a row (`portable_lines.py`), and the last one counts them, so
that a part of an export is not taken for the whole. What follows from other rows is not exported but made again: the
tokens of delayed messages, and how much waits.
"""

import json
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

from pydantic import TypeAdapter, ValidationError

from statefun.version import __version__
from statefun_runtime.epoch import Pending
from statefun_runtime.errors import FormatError, StoreError
from statefun_runtime.interfaces import Changes, Store, Table
from statefun_runtime.store import changes, keys, rows
from statefun_runtime.store.portable_lines import (
    Delayed,
    Done,
    Letter,
    Line,
    Number,
    Outbox,
    Raw,
    Row,
    Waiting,
    line_of,
)
from statefun_runtime.store.portable_values import Model, to_base64
from statefun_runtime.store.recovery import count_letter_bytes, read_head
from statefun_runtime.store.restore import EgressFiles, begin_lineage, new_data_directory
from statefun_runtime.store.rocksdb import RocksDBStore
from statefun_runtime.store.savepoint import count_rows

FORMAT = 1
_ROWS = 5000
"""Of one commit of an import."""
_LINES: Final[TypeAdapter[Line]] = TypeAdapter(Line)
_HEADER = (changes.LINEAGE, changes.EPOCH, changes.SEQUENCE, changes.TIME)
_DERIVED = (changes.WAITING, changes.PENDING, changes.LETTERS)
_ORDER = (Table.SPECS, *(table for table in Table if table not in (Table.SPECS, Table.META, Table.TOKENS)))


class Header(Model):
    """The first line. `sequence` is the last one used, `time` the engine's."""

    kind: Literal["export"] = "export"
    format: Literal[1] = 1
    statefun: str
    lineage: str
    epoch: Number
    sequence: Number
    time: Number


class End(Model):
    """The last line; `lines` are those between it and the first."""

    kind: Literal["end"] = "end"
    lines: Number


def export_lines(store: Store) -> Iterator[bytes]:
    """Everything in a store, line by line, each with its line break.

    Raises:
        StoreError: The store is empty.
        FormatError: A row has a format that is not known.
    """
    head = read_head(store)
    if head is None:
        raise StoreError("nothing is durable yet, so there is nothing to export")
    yield line_bytes(Header(format=1, statefun=__version__, **head._asdict()))
    lines = 0
    for line in _lines(store):
        yield line_bytes(line)
        lines += 1
    yield line_bytes(End(lines=lines))


def import_lines(file: BinaryIO, name: str, data_dir: Path, egress_files: EgressFiles) -> Header:
    """Make a data directory of a new lineage at `data_dir`, which must be new or empty, from an export.

    Args:
        file: The export.
        name: What to call it in errors.
        data_dir: The directory to make.
        egress_files: What becomes of files that file egresses wrote.

    Raises:
        FormatError: Another version exported it.
        StoreError: A line is wrong, or the directory cannot be used; then it is left as it was.
    """
    with new_data_directory(data_dir) as building, closing(RocksDBStore(building)) as store:
        header = fill(store, file, name)
        store.commit(begin_lineage(store, uuid.uuid4().hex, egress_files))
    return header


def fill(store: Store, file: BinaryIO, name: str) -> Header:
    """Put everything in an export into an empty store, under the lineage it had. Raises as `import_lines` does."""
    source = _Source(file, name)
    header = source.header()
    put: Counter[Table] = Counter()
    _commit(store, source.rows(header), put)
    _commit(store, _derived(store), put)
    _check(store, put, name)
    numbers = (changes.EPOCH, header.epoch), (changes.SEQUENCE, header.sequence), (changes.TIME, header.time)
    meta = [(Table.META, key, rows.number_row(number)) for key, number in numbers]
    lineage = (Table.META, changes.LINEAGE, rows.bytes_row(header.lineage.encode()))
    store.commit(Changes(puts=[*meta, lineage]))
    return header


def read_rows(file: BinaryIO, name: str) -> Iterator[Row]:
    """The rows that an export stands for. That it is whole is known when the last one came.

    Raises:
        FormatError: Another version exported it.
        StoreError: A line is wrong.
    """
    source = _Source(file, name)
    yield from source.rows(source.header())


class _Source:
    """An export as it is read; errors name the line."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name
        self._number = 0

    def header(self) -> Header:
        fields = self._next()
        if fields.get("kind") != "export":
            raise self.error("is not the first line of an export")
        if fields.get("format") != FORMAT:
            raise FormatError(
                f"{self._name} has format {fields.get('format')!r}, this version reads {FORMAT}; "
                "take the version that exported it"
            )
        try:
            return Header.model_validate(fields)
        except ValidationError as error:
            raise self.error(_reason(error)) from error

    def rows(self, header: Header) -> Iterator[Row]:
        """The rows of all lines between the first and the last."""
        read = 0
        while (fields := self._next()).get("kind") != "end":
            try:
                line = _LINES.validate_python(fields)
                _check_numbers(line, header)
                row = line.row()
            except ValidationError as error:
                raise self.error(_reason(error)) from error
            except ValueError as error:
                raise self.error(str(error)) from error
            yield row
            read += 1
        if fields.get("lines") != read:
            raise self.error(f"counts {fields.get('lines')} lines, but there are {read}; correct it if you meant that")
        if self._file.read(1):
            raise self.error("is the last one, but others follow")

    def error(self, text: str) -> StoreError:
        return StoreError(f"{self._name}:{self._number}: {text}")

    def _next(self) -> dict[str, Any]:
        text = self._file.readline()
        self._number += 1
        if not text:
            raise self.error("the export ends before its last line; it was not exported or copied as a whole")
        try:
            fields: object = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise self.error(f"is not JSON: {error}") from error
        if not isinstance(fields, dict):
            raise self.error("is not a JSON object")
        return {str(key): value for key, value in fields.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _lines(store: Store) -> Iterator[Line]:
    specs = {keys.read_text(key)[0]: rows.read_specs(row) for key, row in store.scan(Table.SPECS)}
    for key, row in store.scan(Table.META):
        if key not in _HEADER and key not in _DERIVED:
            yield Raw(table=Table.META.value, key=to_base64(key), content=to_base64(row))
    for table in _ORDER:
        for key, row in store.scan(table):
            yield line_of(table, key, row, specs)


def line_bytes(line: Line | Header | End) -> bytes:
    """A line of an export, with its line break."""
    fields = {"kind": line.kind} | line.model_dump(exclude_unset=True)
    text = json.dumps(fields, ensure_ascii=False, allow_nan=False)
    try:
        return text.encode() + b"\n"
    except UnicodeEncodeError:  # half of a surrogate pair, in the text of an error: JSON has it only as an escape
        return json.dumps(fields, allow_nan=False).encode() + b"\n"


def _check_numbers(line: Line, header: Header) -> None:
    """Raise ValueError if a number of the line would be used once more by what comes after the import."""
    match line:
        case Waiting(sequence=number) | Delayed(sequence=number) | Letter(number=number) | Done(number=number):
            if number > header.sequence:
                raise ValueError(f"has the sequence {number}, but the last one was {header.sequence} (first line)")
        case Outbox(epoch=number):
            if number > header.epoch:
                raise ValueError(f"is of epoch {number}, but the last one was {header.epoch} (first line)")
        case _:
            pass


def _reason(error: ValidationError) -> str:
    wrong = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in wrong["loc"])
    return f"{where}: {wrong['msg']}" if where else wrong["msg"]


def _commit(store: Store, puts: Iterable[Row], put: Counter[Table]) -> None:
    """Write all of `puts`, some at a time, and count them in `put`."""
    pending = Changes()
    for row in puts:
        pending.puts.append(row)
        put[row[0]] += 1
        if len(pending.puts) >= _ROWS:
            store.commit(pending)
            pending = Changes()
    store.commit(pending)


def _check(store: Store, put: Counter[Table], name: str) -> None:
    for table, count in count_rows(store).items():
        if count != put[table]:
            raise StoreError(f"{name}: {put[table] - count} lines say again what another line says ({table.value})")


def _derived(store: Store) -> Iterator[Row]:
    """The rows that follow from others."""
    waiting = 0
    for key, row in store.scan(Table.DELAYED):
        message = rows.read_delayed_row(keys.read_delayed(key), row)
        waiting += 1
        if message.token:
            yield Table.TOKENS, keys.token_key((message.caller, message.token)), rows.bytes_row(key)
    messages: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for key, row in store.scan(Table.MAILBOX):
        address, end = keys.read_address(key)
        payload = rows.read_message(keys.read_number(key, end), address, row)[3]
        messages[address[0]] += 1
        sizes[address[0]] += len(payload)
    pending = {typename: Pending(count, sizes[typename]) for typename, count in messages.items()}
    yield Table.META, changes.WAITING, rows.number_row(waiting)
    yield Table.META, changes.PENDING, rows.pending_row(pending)
    yield Table.META, changes.LETTERS, rows.number_row(count_letter_bytes(store))
