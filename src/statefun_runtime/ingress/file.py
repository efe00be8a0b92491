"""The file ingress: the records of one complete file, in order, each once."""

import asyncio
import logging
import os
import stat
from collections.abc import Mapping

from statefun_runtime.errors import IngressError
from statefun_runtime.file_position import FilePosition, ForeignFileError
from statefun_runtime.ingress.blocks import BlockReader
from statefun_runtime.ingress.payload import STRING, text_encoder, value_encoder
from statefun_runtime.ingress.records import (
    InvalidRecordError,
    Parser,
    Record,
    csv_parser,
    csv_row,
    json_lines_parser,
)
from statefun_runtime.interfaces import AdapterContext, Arrival, Inlet
from statefun_runtime.module.ingress_spec import FileIngressSpec

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_log = logging.getLogger(__name__)


class FileIngress:
    """Reads a JSON Lines or CSV file to its end; each record becomes one message to each target, in their order.

    The position (partition "") is a `FilePosition`: a file that was replaced, shortened or edited before it is an
    IngressError. A file may be longer after a restart; what was added is read then.
    """

    def __init__(self, spec: FileIngressSpec, context: AdapterContext) -> None:
        self._spec = spec
        self._counts = context.counts
        self._encode = text_encoder() if spec.value_type == STRING else value_encoder(spec.value_type)
        self._descriptor = -1

    async def start(self, inlet: Inlet, positions: Mapping[str, bytes]) -> None:
        self._inlet = inlet
        try:
            self._open(positions.get(""))
        except OSError as error:
            await self.stop()
            raise self._error(f"cannot be read: {error.strerror}") from error
        except IngressError:
            await self.stop()
            raise

    async def run(self) -> None:
        inlet = self._inlet
        while block := self._next_block():
            arrivals, position = block
            await inlet.room({arrival.target[0] for arrival in arrivals})
            inlet.accept(arrivals, "", position)
            await asyncio.sleep(0)

    async def stop(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self, position: bytes | None) -> None:
        if not stat.S_ISREG(self._spec.path.stat().st_mode):
            raise self._error("is not a regular file")
        self._descriptor = os.open(self._spec.path, os.O_RDONLY)
        has_mark = os.pread(self._descriptor, len(_BYTE_ORDER_MARK), 0) == _BYTE_ORDER_MARK
        self._reader = self._reader_at(len(_BYTE_ORDER_MARK) if has_mark else 0, 1)
        self._parse: Parser = self._csv_parser() if self._spec.format == "csv" else json_lines_parser(self._spec.key)
        if position is not None:
            self._resume(position)

    def _resume(self, encoded: bytes) -> None:
        try:
            position = FilePosition.decode(encoded)
        except ValueError as error:
            raise self._error(f"the stored position cannot be used: {error}") from error
        try:
            position.check(self._descriptor)
        except ForeignFileError as error:
            raise self._error(
                f"{error}; it was replaced, shortened or edited before line {position.line}. "
                "Put the former file back; new records may be added only at its end"
            ) from error
        self._reader = self._reader_at(position.offset + self._line_feed_added_at(position), position.line)

    def _line_feed_added_at(self, position: FilePosition) -> int:
        """The length of a line break that was added behind a last line without one; usually 0."""
        if position.offset == 0 or os.pread(self._descriptor, 1, position.offset - 1) == b"\n":
            return 0
        added = os.pread(self._descriptor, 2, position.offset)
        if added and not added.startswith((b"\n", b"\r\n")):
            raise self._error(f"line {position.line - 1} was continued after it had been read. Add whole lines only")
        return added.find(b"\n") + 1

    def _reader_at(self, offset: int, line: int) -> BlockReader:
        return BlockReader(
            self._descriptor,
            offset,
            line,
            quoted=self._spec.format == "csv",
            max_record_bytes=self._spec.max_line_bytes,
        )

    def _csv_parser(self) -> Parser:
        header = self._reader.read(1)
        try:
            columns = csv_row(header[0]) if header else None
        except InvalidRecordError as error:
            raise self._error(f"line 1: the header {error}") from error
        if columns is None:
            raise self._error("has no header row; its first line must name the columns")
        if len(set(columns)) < len(columns):
            raise self._error("line 1: the header names a column twice")
        if self._spec.key not in columns:
            raise self._error(
                f"has no column {self._spec.key!r}, only {', '.join(columns)}; correct `key` in the module"
            )
        return csv_parser(columns, self._spec.key)

    def _next_block(self) -> tuple[list[Arrival], bytes] | None:
        """The next messages and the position after them; `None` at the end of the file."""
        reader = self._reader
        first_line = reader.line
        try:
            raw_records = reader.read()
            position = FilePosition.at(self._descriptor, reader.offset, reader.line)
        except OSError as error:
            raise self._error(f"cannot be read: {error.strerror}") from error
        except ForeignFileError as error:
            raise self._error(f"was shortened while it was read: it {error}. Restore it") from error
        if not raw_records:
            return None
        return self._arrivals(raw_records, first_line), position.encode()

    def _arrivals(self, raw_records: list[bytes], first_line: int) -> list[Arrival]:
        arrivals: list[Arrival] = []
        invalid: list[str] = []
        parse, encode, targets = self._record, self._encode, self._spec.targets
        for index, raw in enumerate(raw_records):
            try:
                record = parse(raw)
            except InvalidRecordError as error:
                line = first_line + sum(before.count(b"\n") + 1 for before in raw_records[:index])
                invalid.append(f"line {line} {error}")
                continue
            if record is not None:
                payload = encode(record[1])
                arrivals += [Arrival((target, record[0]), payload) for target in targets]
                self._counts.records += 1
        if invalid:
            self._reject(invalid)
        return arrivals

    def _record(self, raw: bytes) -> Record | None:
        if len(raw) > self._spec.max_line_bytes:
            raise InvalidRecordError(f"is longer than maxLineBytes, {self._spec.max_line_bytes}")
        return self._parse(raw)

    def _reject(self, invalid: list[str]) -> None:
        if self._spec.invalid_record_handling.type == "fail":
            raise self._error(f"{invalid[0]}. Correct the file, or set invalidRecordHandling to skip such records")
        self._counts.rejected += len(invalid)
        _log.warning(
            "ingress %s: %s: skipped %d invalid records: %s", self._spec.id, self._spec.path, len(invalid), invalid[0]
        )

    def _error(self, text: str) -> IngressError:
        return IngressError(f"ingress {self._spec.id}: {self._spec.path}: {text}")
