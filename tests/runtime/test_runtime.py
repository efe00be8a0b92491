"""What the composition root promises by itself: where it runs, and in which order it begins."""

import asyncio
import os
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest

from statefun import StatefulFunctions
from statefun_runtime.config import RuntimeConfig
from statefun_runtime.egress.append_file import AppendFile
from statefun_runtime.endpoint.inprocess import InProcessEndpoint
from statefun_runtime.epoch import Epoch
from statefun_runtime.errors import StoreError
from statefun_runtime.file_position import FilePosition
from statefun_runtime.module.egress_spec import FileEgressSpec
from statefun_runtime.module.module import Component, Module
from statefun_runtime.module.position import Position
from statefun_runtime.runtime import Runtime
from statefun_runtime.store.changes import changes_of
from statefun_runtime.store.recovery import recover
from statefun_runtime.store.restore import restore_savepoint
from statefun_runtime.store.rocksdb import RocksDBStore
from statefun_runtime.store.savepoint import data_of, locate, take_savepoint
from tests.runtime.egress.records import texts

EGRESS = "test/out"


@pytest.fixture
def savepoint(tmp_path: Path) -> Path:
    """A savepoint whose egress has written a line, and has another one to write."""
    file = tmp_path / "out"
    file.write_text("one\n")
    descriptor = os.open(file, os.O_RDONLY)
    epoch = Epoch(5)
    epoch.sinks[EGRESS] = FilePosition.at(descriptor, 4, 1).encode()
    epoch.outbox[EGRESS] = list(texts("two"))
    os.close(descriptor)
    with closing(RocksDBStore(tmp_path / "data")) as store:
        store.commit(changes_of(epoch, "old"))
        take_savepoint(tmp_path / "data", "first", store.checkpoint)
    return locate(tmp_path / "data", "first")


def runtime(data: Path, file: Path) -> Runtime:
    spec = FileEgressSpec(id=EGRESS, path=file)
    component = Component("io.statefun.file.v1/egress", EGRESS, spec, Position("module.yaml", 1, 1))
    return Runtime(
        Module(egresses=(component,)),
        InProcessEndpoint(StatefulFunctions(), 1),
        RuntimeConfig(data_dir=data, admin_port=0),
    )


async def test_after_a_restore_positions_are_taken_over_durably_before_anything_is_written(
    savepoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, written = tmp_path / "restored", asyncio.Event()
    restore_savepoint(savepoint, data)
    append, loop = AppendFile.append, asyncio.get_running_loop()
    restored_when_written: list[set[str]] = []

    def look_first(file: AppendFile, chunks: Iterable[bytes], lines: int) -> FilePosition:
        with closing(RocksDBStore(data, read_only=True)) as store:
            restored_when_written.append(recover(store).restored_sinks)
        loop.call_soon_threadsafe(written.set)
        return append(file, chunks, lines)

    monkeypatch.setattr(AppendFile, "append", look_first)
    await runtime(data, tmp_path / "out").run(written)
    assert restored_when_written == [set()]
    assert (tmp_path / "out").read_text() == "one\ntwo\n"


async def test_it_does_not_run_on_the_data_of_a_savepoint(savepoint: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="belongs to a savepoint"):
        await runtime(data_of(savepoint), tmp_path / "out").run(asyncio.Event())
