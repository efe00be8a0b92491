import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from statefun_runtime.egress.file import FileEgress
from statefun_runtime.errors import EgressError
from statefun_runtime.interfaces import AdapterContext, RecordCounts
from statefun_runtime.module.egress_spec import FileEgressSpec
from statefun_runtime.testing import MemoryOutbox

from .records import texts


def egress(path: Path, counts: RecordCounts | None = None) -> FileEgress:
    return FileEgress(FileEgressSpec(id="test/out", path=path), AdapterContext(counts or RecordCounts()))


@asynccontextmanager
async def started(path: Path, outbox: MemoryOutbox, counts: RecordCounts | None = None) -> AsyncIterator[FileEgress]:
    sink = egress(path, counts)
    await outbox.start(sink)
    try:
        yield sink
    finally:
        await sink.stop()


async def write(sink: FileEgress, outbox: MemoryOutbox, *values: str) -> None:
    """A new epoch with these texts, until it is released."""
    batch = outbox.add(*texts(*values))
    sink.write(batch)
    await outbox.until_released(batch.epoch)


async def test_each_record_is_a_line_and_an_epoch_is_released_when_it_is_written(tmp_path: Path) -> None:
    path, outbox, counts = tmp_path / "out", MemoryOutbox(), RecordCounts()
    async with started(path, outbox, counts) as sink:
        await write(sink, outbox, "one", "two")
        assert path.read_text() == "one\ntwo\n"
        await write(sink, outbox, "three")
    assert path.read_text() == "one\ntwo\nthree\n"
    assert counts == RecordCounts(records=3)


async def test_a_new_file_is_known_before_its_first_record_is_written(tmp_path: Path) -> None:
    path, outbox = tmp_path / "out", MemoryOutbox()
    async with started(path, outbox):
        assert outbox.released_epochs == [0]
        outbox.commit()
    async with started(path, outbox) as sink:
        batch = outbox.add(*texts("one"))
        sink.write(batch)
        await outbox.until_released(batch.epoch)
    outbox.crash()
    async with started(path, outbox):
        await outbox.until_released(batch.epoch)
    assert path.read_text() == "one\n"


async def test_waiting_batches_are_released_together(tmp_path: Path) -> None:
    path, outbox = tmp_path / "out", MemoryOutbox()
    batches = [outbox.add(*texts(str(n))) for n in range(5)]
    async with started(path, outbox):
        await outbox.until_released(batches[-1].epoch)
    assert outbox.released_epochs == [0, 5]
    assert path.read_text() == "0\n1\n2\n3\n4\n"


async def test_stopping_writes_what_waits(tmp_path: Path) -> None:
    path, outbox = tmp_path / "out", MemoryOutbox()
    async with started(path, outbox) as sink:
        sink.write(outbox.add(*texts("one")))
    assert path.read_text() == "one\n"
    assert outbox.released_epochs == [0, 1]


async def test_stopping_an_egress_that_did_not_start_is_no_error(tmp_path: Path) -> None:
    await egress(tmp_path / "out").stop()


TORN: dict[str, Callable[[bytes, bytes], bytes]] = {
    "nothing of the epoch": lambda before, after: before,
    "half a line": lambda before, after: after[: len(before) + 2],
    "all but the line feed": lambda before, after: after[:-1],
    "the whole epoch": lambda before, after: after,
    "garbage of the right length": lambda before, after: before + b"\0" * (len(after) - len(before)),
    "more than the epoch": lambda before, after: after + b"garbage",
}


@pytest.mark.parametrize("torn", TORN)
@pytest.mark.parametrize("released_before", [0, 1, 3])
async def test_whatever_a_crash_left_behind_the_kept_length_the_file_ends_up_the_same(
    tmp_path: Path, torn: str, released_before: int
) -> None:
    path, outbox = tmp_path / "out", MemoryOutbox()
    async with started(path, outbox) as sink:
        for number in range(released_before):
            await write(sink, outbox, f"kept {number}")
        outbox.commit()
        before = path.read_bytes()
        await write(sink, outbox, "one", "two")
    after = path.read_bytes()
    outbox.crash()
    path.write_bytes(TORN[torn](before, after))
    async with started(path, outbox):
        await outbox.until_released(released_before + 1)
        assert path.read_bytes() == after


async def test_a_crash_between_release_and_removal_writes_the_epoch_again_once(tmp_path: Path) -> None:
    path, outbox = tmp_path / "out", MemoryOutbox()
    async with started(path, outbox) as sink:
        await write(sink, outbox, "one")
        await write(sink, outbox, "two")
    outbox.crash()
    assert [batch.epoch for batch in outbox.batches] == [2]
    async with started(path, outbox) as sink:
        await write(sink, outbox, "three")
    assert path.read_text() == "one\ntwo\nthree\n"


async def test_a_file_with_content_and_no_position_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("somebody else's\n")
    with pytest.raises(EgressError, match=f"test/out: {path} holds 16 bytes of somebody else. Move it away"):
        await egress(path).start(MemoryOutbox(), None)
    assert path.read_text() == "somebody else's\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("on", "is 2 bytes long, shorter than the 4 expected"),
        ("two\nthree\n", "has other content in its first 4 bytes"),
    ],
)
async def test_a_shorter_or_foreign_file_is_an_error_and_stays_untouched(
    tmp_path: Path, content: str, reason: str
) -> None:
    path, outbox = tmp_path / "out", MemoryOutbox()
    async with started(path, outbox) as sink:
        await write(sink, outbox, "one")
    outbox.commit()
    path.write_text(content)
    with pytest.raises(EgressError, match=reason):
        await egress(path).start(outbox, outbox.position)
    assert path.read_text() == content


async def test_a_file_that_is_gone_is_an_error_and_not_made_anew(tmp_path: Path) -> None:
    path, outbox = tmp_path / "out", MemoryOutbox()
    async with started(path, outbox) as sink:
        await write(sink, outbox, "one")
    outbox.commit()
    path.unlink()
    with pytest.raises(EgressError, match=r"is gone; it held 4 bytes. Put it back"):
        await egress(path).start(outbox, outbox.position)
    assert not path.exists()


async def test_an_empty_file_that_is_gone_is_made_anew(tmp_path: Path) -> None:
    path, outbox = tmp_path / "out", MemoryOutbox()
    async with started(path, outbox):
        outbox.commit()
    path.unlink()
    async with started(path, outbox) as sink:
        await write(sink, outbox, "one")
    assert path.read_text() == "one\n"


async def test_a_directory_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EgressError, match="No such file or directory"):
        await egress(tmp_path / "none" / "out").start(MemoryOutbox(), None)


async def test_a_foreign_position_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EgressError, match="not a file position"):
        await egress(tmp_path / "out").start(MemoryOutbox(), b"{}")


def grow(path: Path) -> None:
    with path.open("a") as file:
        file.write("x")


def replace(path: Path) -> None:
    content = path.read_bytes()
    path.rename(path.with_suffix(".old"))
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [(grow, "changed by somebody else"), (replace, "moved or replaced"), (Path.unlink, "No such file")],
)
async def test_a_file_that_is_touched_while_it_is_written_ends_the_egress(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[Path], None], reason: str
) -> None:
    path, outbox = tmp_path / "out", MemoryOutbox()
    async with started(path, outbox) as sink:
        await write(sink, outbox, "one")
        damage(path)
        sink.write(outbox.add(*texts("two")))
        with caplog.at_level(logging.CRITICAL), pytest.raises(EgressError, match=reason):
            await sink.run()
        assert outbox.released_epochs == [0, 1], "what was not written is not released"
        with pytest.raises(EgressError, match=reason):
            sink.write(outbox.batches[-1])
    assert reason in caplog.text


async def test_a_full_disk_ends_the_egress(caplog: pytest.LogCaptureFixture) -> None:
    outbox = MemoryOutbox()
    async with started(Path("/dev/full"), outbox) as sink:
        sink.write(outbox.add(*texts("one")))
        with pytest.raises(EgressError, match="/dev/full cannot be used: No space left on device"):
            await sink.run()
    assert outbox.released_epochs == [0]


async def test_a_record_that_is_no_typed_value_ends_the_egress(tmp_path: Path) -> None:
    outbox = MemoryOutbox()
    async with started(tmp_path / "out", outbox) as sink:
        sink.write(outbox.add(b"\xff"))
        with pytest.raises(EgressError, match="no typed value"):
            await sink.run()


async def test_cancelling_run_does_not_stop_the_writer(tmp_path: Path) -> None:
    path, outbox = tmp_path / "out", MemoryOutbox()
    async with started(path, outbox) as sink:
        running = asyncio.create_task(sink.run())
        await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await write(sink, outbox, "one")
    assert path.read_text() == "one\n"


async def as_in_a_savepoint(path: Path) -> MemoryOutbox:
    """The outbox of an egress that had written a line, restored."""
    outbox, restored = MemoryOutbox(), MemoryOutbox()
    async with started(path, outbox) as sink:
        await write(sink, outbox, "one")
    outbox.commit()
    restored.position, restored.restored = outbox.position, True
    return restored


async def test_a_file_that_has_grown_since_a_savepoint_is_not_cut_unasked(tmp_path: Path) -> None:
    path = tmp_path / "out"
    outbox = await as_in_a_savepoint(path)
    path.write_text("one\ntwo\n")
    with pytest.raises(
        EgressError, match=r"holds 8 bytes, 4 more than at the savepoint\. Restore again, with --egress"
    ):
        await egress(path).start(outbox, outbox.position)
    assert path.read_text() == "one\ntwo\n"


async def test_a_file_that_is_as_it_was_at_the_savepoint_is_taken_over_before_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "out"
    outbox = await as_in_a_savepoint(path)
    async with started(path, outbox) as sink:
        assert outbox.released_epochs == [0]
        outbox.commit()
        outbox.restored = False
        await write(sink, outbox, "two")
    outbox.crash()
    async with started(path, outbox):
        await outbox.until_released(1)
    assert path.read_text() == "one\ntwo\n"
