import json
import logging
import os
from collections.abc import Collection
from pathlib import Path

import pytest

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun.protocol.types_pb2 import StringWrapper
from statefun_runtime.errors import IngressError
from statefun_runtime.ingress.blocks import BLOCK_RECORDS
from statefun_runtime.ingress.file import FileIngress
from statefun_runtime.interfaces import AdapterContext, RecordCounts
from statefun_runtime.module.ingress_spec import FileIngressSpec
from statefun_runtime.testing import MemoryInlet

from .inlet import KilledError, StoppingInlet

LINES = [json.dumps({"id": f"k{n % 7}", "n": n}) for n in range(3 * BLOCK_RECORDS)]


def ingress(path: Path, counts: RecordCounts | None = None, **settings: object) -> FileIngress:
    properties = {"id": "test/in", "path": path, "format": "json-lines", "targets": ["test/a"], "key": "id", **settings}
    return FileIngress(FileIngressSpec.model_validate(properties), AdapterContext(counts or RecordCounts()))


def write_lines(path: Path, *lines: str) -> Path:
    path.write_text("".join(line + "\n" for line in lines))
    return path


async def read(source: FileIngress, inlet: MemoryInlet) -> MemoryInlet:
    """Run an ingress from the inlet's durable positions until its end or its kill."""
    inlet.crash()
    await source.start(inlet, inlet.positions)
    try:
        await source.run()
    except KilledError:
        pass
    finally:
        await source.stop()
    return inlet


def text_of(payload: bytes) -> str:
    return StringWrapper.FromString(TypedValue.FromString(payload).value).value


async def test_each_line_becomes_a_text_for_each_target_in_order(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "in", '{"id": "a"}', "", '{"id": "b"}')
    counts = RecordCounts()
    inlet = await read(ingress(path, counts, targets=["test/x", "test/y"]), MemoryInlet())
    assert [(arrival.target, text_of(arrival.payload)) for arrival in inlet.arrivals] == [
        (("test/x", "a"), '{"id": "a"}'),
        (("test/y", "a"), '{"id": "a"}'),
        (("test/x", "b"), '{"id": "b"}'),
        (("test/y", "b"), '{"id": "b"}'),
    ]
    assert counts == RecordCounts(records=2)


async def test_a_type_of_the_users_gets_the_json_bytes(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "in", '{"id": "ü"}')
    inlet = await read(ingress(path, valueType="test/Json"), MemoryInlet())
    (arrival,) = inlet.arrivals
    expected = TypedValue(typename="test/Json", has_value=True, value='{"id": "ü"}'.encode())
    assert TypedValue.FromString(arrival.payload) == expected


async def test_a_csv_file_is_read_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes('\ufeffid,note\r\na,"two\nlines"\r\n\r\nb,"x, y"'.encode())
    inlet = await read(ingress(path, format="csv"), MemoryInlet())
    values = [json.loads(text_of(arrival.payload)) for arrival in inlet.arrivals]
    assert values == [{"id": "a", "note": "two\nlines"}, {"id": "b", "note": "x, y"}]


@pytest.mark.parametrize("kill", range(1, 5))
@pytest.mark.parametrize("format_name", ["json-lines", "csv"])
async def test_after_a_kill_it_goes_on_behind_the_last_durable_record(
    tmp_path: Path, kill: int, format_name: str
) -> None:
    lines = LINES if format_name == "json-lines" else ["id,n", *(f'k{n},"{n}\n{n}"' for n in range(3 * BLOCK_RECORDS))]
    path = write_lines(tmp_path / "in", *lines)
    undisturbed = await read(ingress(path, format=format_name), MemoryInlet())
    first = StoppingInlet(kill)
    await read(ingress(path, format=format_name), first)
    await first.commit()
    second = StoppingInlet(2, first)
    await read(ingress(path, format=format_name), second)
    last = StoppingInlet(100, second)
    await read(ingress(path, format=format_name), last)
    assert last.arrivals == undisturbed.arrivals


async def test_records_added_at_the_end_are_read_after_a_restart(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "in", '{"id": "a"}')
    inlet = await read(ingress(path), MemoryInlet(commits=True))
    with path.open("a") as file:
        file.write('{"id": "b"}\n')
    await read(ingress(path), inlet)
    assert [arrival.target[1] for arrival in inlet.arrivals] == ["a", "b"]


@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
async def test_a_last_line_without_a_line_feed_may_get_one_later(tmp_path: Path, line_break: str) -> None:
    path = tmp_path / "in"
    path.write_bytes(b'{"id": "a"}')
    inlet = await read(ingress(path), MemoryInlet(commits=True))
    path.write_bytes(b'{"id": "a"}' + line_break.encode() + b'{"id": "b"}\n[]\n')
    with pytest.raises(IngressError, match="line 3 is JSON, but not an object"):
        await read(ingress(path), inlet)


async def test_a_line_that_was_continued_after_it_was_read_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "in"
    path.write_text('{"id": "a"}')
    inlet = await read(ingress(path), MemoryInlet(commits=True))
    path.write_text('{"id": "a"} {"id": "b"}\n')
    with pytest.raises(IngressError, match="line 1 was continued"):
        await read(ingress(path), inlet)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "shorter than the 24"),
        ('{"id": "a"}\n', "shorter than the 24"),
        ('{"id": "x"}\n{"id": "b"}\n', "other content"),
    ],
)
async def test_a_replaced_or_shortened_file_is_an_error(tmp_path: Path, content: str, reason: str) -> None:
    path = write_lines(tmp_path / "in", '{"id": "a"}', '{"id": "b"}')
    inlet = await read(ingress(path), MemoryInlet(commits=True))
    path.write_text(content)
    with pytest.raises(IngressError, match=f"test/in: {path}: .*{reason}.* Put the former file back"):
        await read(ingress(path), inlet)


async def test_a_file_that_is_shortened_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "in", *LINES)
    with pytest.raises(IngressError, match="shortened while it was read"):
        await read(ingress(path), TruncatingInlet(path))


class TruncatingInlet(MemoryInlet):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    async def room(self, typenames: Collection[str] = ()) -> None:
        os.truncate(self._path, 10)


async def test_a_foreign_position_is_an_error(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "in", '{"id": "a"}')
    with pytest.raises(IngressError, match="the stored position cannot be used"):
        await ingress(path).start(MemoryInlet(), {"": b"something else"})


async def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(IngressError, match="No such file"):
        await ingress(tmp_path / "none").start(MemoryInlet(), {})


async def test_a_directory_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(IngressError, match="not a regular file"):
        await ingress(tmp_path).start(MemoryInlet(), {})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "has no header row"),
        ("\n", "has no header row"),
        ("a,b\n", "has no column 'id', only a, b; correct `key`"),
        ("id,id\n", "names a column twice"),
        ('id,"b\n', "line 1: the header is not CSV"),
    ],
)
async def test_a_csv_file_without_a_usable_header_is_an_error(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "in.csv"
    path.write_text(content)
    with pytest.raises(IngressError, match=reason):
        await ingress(path, format="csv").start(MemoryInlet(), {})


async def test_an_invalid_record_stops_the_ingress_and_names_its_line(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "in", *LINES, "{")
    inlet = MemoryInlet()
    reason = f"{path}: line {len(LINES) + 1} is not JSON.*Correct the file, or set invalidRecordHandling to skip"
    with pytest.raises(IngressError, match=reason):
        await read(ingress(path), inlet)
    assert len(inlet.arrivals) == len(LINES)


async def test_the_line_of_an_invalid_row_counts_line_feeds_in_quotes(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "in", "id,n", 'a,"1\n2\n3"', "b")
    with pytest.raises(IngressError, match="line 5 has 1 fields, the header has 2"):
        await read(ingress(path, format="csv"), MemoryInlet())


async def test_invalid_records_are_skipped_counted_and_logged_when_the_module_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    long = json.dumps({"id": "a", "x": "x" * 200_000})
    path = write_lines(tmp_path / "in", '{"id": "a"}', "nonsense", "[]", long, '{"id": "b"}')
    counts = RecordCounts()
    source = ingress(path, counts, invalidRecordHandling={"type": "skip"}, maxLineBytes=1000)
    with caplog.at_level(logging.WARNING):
        inlet = await read(source, MemoryInlet(commits=True))
    assert [arrival.target[1] for arrival in inlet.arrivals] == ["a", "b"]
    assert counts == RecordCounts(records=2, rejected=3)
    assert "skipped 2 invalid records: line 2 is not JSON" in caplog.text
    assert "skipped 1 invalid records: line 4 is longer than maxLineBytes, 1000" in caplog.text
