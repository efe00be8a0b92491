import os
from pathlib import Path

import pytest

from statefun_runtime.errors import FlinkError
from statefun_runtime.flink.flink_process import Home


def test_what_flink_reads_is_for_its_owner_alone(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.write("secret", {"a": "b"})
    assert home.module.read_text() == "secret"
    assert home.module.with_name("flink-conf.yaml").read_text() == "a: b\n"
    assert {home.module.stat().st_mode & 0o777, home.module.parent.stat().st_mode & 0o777} == {0o600, 0o700}


def test_a_home_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FlinkError, match=r"file.* cannot be written"):
        Home(tmp_path / "file" / "home").write("", {})


def test_the_newest_whole_checkpoint_of_a_run_is_found(tmp_path: Path) -> None:
    home = Home(tmp_path)
    for at, name in enumerate(("old/chk-9", "new/chk-1", "new/chk-2"), 100):
        metadata = home.checkpoints / name / "_metadata"
        metadata.parent.mkdir(parents=True)
        metadata.write_text("")
        os.utime(metadata, (at, at))
    (home.checkpoints / "new" / "chk-3").mkdir()
    assert home.newest_checkpoint(101) == home.checkpoints / "new" / "chk-2"
    assert home.newest_checkpoint(103) is None
