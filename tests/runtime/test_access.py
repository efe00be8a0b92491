from pathlib import Path

import pytest

from statefun_runtime.access import Access, read_access, remove_access, write_access
from statefun_runtime.errors import StoreError

ACCESS = Access("127.0.0.1", 8089, "secret")


def test_what_was_written_is_read_by_its_owner_alone(tmp_path: Path) -> None:
    write_access(tmp_path, Access("127.0.0.1", 1, "old"))
    write_access(tmp_path, ACCESS)
    assert read_access(tmp_path) == ACCESS
    [file] = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_file_of_a_start_that_was_killed_half_way_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "admin.json.new").write_text("half")
    write_access(tmp_path, ACCESS)
    assert read_access(tmp_path) == ACCESS


def test_nothing_is_read_when_it_was_removed_or_never_written(tmp_path: Path) -> None:
    assert read_access(tmp_path) is None
    write_access(tmp_path, ACCESS)
    remove_access(tmp_path)
    remove_access(tmp_path)
    assert read_access(tmp_path) is None


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b'{"host": "h", "port": "8089", "token": "t"}'])
def test_a_file_that_is_something_else_leads_nowhere(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "admin.json").write_bytes(content)
    assert read_access(tmp_path) is None


def test_a_directory_that_cannot_be_written_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"missing cannot be written: .*; free or repair it"):
        write_access(tmp_path / "missing", ACCESS)
