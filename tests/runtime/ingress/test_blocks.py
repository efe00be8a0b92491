import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statefun_runtime.ingress.blocks import BLOCK_BYTES, BLOCK_RECORDS, BlockReader


@pytest.fixture(name="path")
def file_path(tmp_path: Path) -> Path:
    return tmp_path / "records"


@contextmanager
def reading(
    path: Path, content: bytes, *, quoted: bool = False, max_record_bytes: int = 1 << 20
) -> Iterator[BlockReader]:
    path.write_bytes(content)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield BlockReader(descriptor, 0, 1, quoted=quoted, max_record_bytes=max_record_bytes)
    finally:
        os.close(descriptor)


def read_all(reader: BlockReader) -> list[bytes]:
    records: list[bytes] = []
    while block := reader.read():
        records += block
    return records


def test_an_empty_file_has_no_records(path: Path) -> None:
    with reading(path, b"") as reader:
        assert reader.read() == []
        assert (reader.offset, reader.line) == (0, 1)


def test_the_last_record_needs_no_line_feed(path: Path) -> None:
    with reading(path, b"one\ntwo") as reader:
        assert read_all(reader) == [b"one", b"two"]
        assert (reader.offset, reader.line) == (7, 3)


def test_a_block_is_bounded_in_records_and_in_bytes(path: Path) -> None:
    with reading(path, b"x\n" * 1000) as reader:
        assert len(reader.read()) == BLOCK_RECORDS
        assert (reader.offset, reader.line) == (2 * BLOCK_RECORDS, BLOCK_RECORDS + 1)
        assert len(reader.read(3)) == 3
    with reading(path, (b"y" * 9999 + b"\n") * 100) as reader:
        assert sum(map(len, reader.read())) < BLOCK_BYTES


def test_a_record_may_span_reads(path: Path) -> None:
    long = b"z" * (3 * BLOCK_BYTES)
    with reading(path, b"a\n" + long + b"\nb\n") as reader:
        assert read_all(reader) == [b"a", long, b"b"]
        assert reader.line == 4


def test_a_line_feed_between_quotes_does_not_end_a_record(path: Path) -> None:
    with reading(path, b'a,"1\n2"\nb,"x ""\n"" y"\nc\n', quoted=True) as reader:
        assert reader.read(1) == [b'a,"1\n2"']
        assert (reader.offset, reader.line) == (8, 3)
        assert read_all(reader) == [b'b,"x ""\n"" y"', b"c"]
        assert reader.line == 6


def test_a_quoted_record_may_span_reads(path: Path) -> None:
    long = b'"' + b"q\n" * BLOCK_BYTES + b'"'
    with reading(path, b"a\n" + long + b"\nb\n", quoted=True) as reader:
        assert read_all(reader) == [b"a", long, b"b"]


@pytest.mark.parametrize("line_feed", [b"\n", b""])
def test_a_record_over_the_maximum_comes_alone_and_cut(path: Path, line_feed: bytes) -> None:
    limit = 100
    content = b"before\n" + b"x" * (5 * BLOCK_BYTES) + line_feed
    after = b"after\n" if line_feed else b""
    with reading(path, content + after, max_record_bytes=limit) as reader:
        assert reader.read() == [b"before"]
        (cut,) = reader.read()
        assert limit < len(cut) <= limit + 2 * BLOCK_BYTES
        assert reader.offset == len(content)
        assert read_all(reader) == ([b"after"] if after else [])
        assert reader.offset == len(content + after)


def test_a_quote_that_never_ends_is_bounded_too(path: Path) -> None:
    with reading(path, b'"' + b"x\n" * (4 * BLOCK_BYTES), quoted=True, max_record_bytes=1000) as reader:
        (cut,) = reader.read()
        assert len(cut) <= 1000 + 2 * BLOCK_BYTES
        assert reader.offset % 2 == 1, "goes on at a line's begin"


@given(st.lists(st.binary(max_size=30).filter(lambda line: b"\n" not in line), max_size=40), st.integers(1, 5))
def test_reading_can_go_on_at_every_place_where_a_read_ended(lines: list[bytes], limit: int) -> None:
    content = b"".join(line + b"\n" for line in lines)
    records: list[bytes] = []
    with TemporaryDirectory() as directory, reading(Path(directory, "records"), content) as reader:
        while block := resumed(reader).read(limit):
            assert reader.read(limit) == block
            records += block
    assert records == lines


def resumed(reader: BlockReader) -> BlockReader:
    return BlockReader(reader._descriptor, reader.offset, reader.line, quoted=False, max_record_bytes=100)
