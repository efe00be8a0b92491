import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from statefun_runtime.file_position import WINDOW, FilePosition, ForeignFileError

CONTENT = bytes(n % 251 for n in range(3 * WINDOW))


@pytest.fixture(name="opened")
def opened_file(tmp_path: Path) -> Iterator[Callable[[bytes], int]]:
    descriptors: list[int] = []

    def write(content: bytes) -> int:
        path = tmp_path / str(len(descriptors))
        path.write_bytes(content)
        descriptors.append(os.open(path, os.O_RDONLY))
        return descriptors[-1]

    yield write
    for descriptor in descriptors:
        os.close(descriptor)


@pytest.mark.parametrize("offset", [0, 1, WINDOW - 1, WINDOW, WINDOW + 1, 2 * WINDOW + 7, 3 * WINDOW])
def test_a_copy_that_grew_is_the_same_file(opened: Callable[[bytes], int], offset: int) -> None:
    position = FilePosition.at(opened(CONTENT), offset, 7)
    position.check(opened(CONTENT + b"more"))
    assert FilePosition.decode(position.encode()) == position


@pytest.mark.parametrize("offset", [1, WINDOW, 3 * WINDOW])
def test_a_shorter_file_is_foreign(opened: Callable[[bytes], int], offset: int) -> None:
    position = FilePosition.at(opened(CONTENT), offset)
    with pytest.raises(ForeignFileError, match=f"is {offset - 1} bytes long, shorter than the {offset}"):
        position.check(opened(CONTENT[: offset - 1]))


@pytest.mark.parametrize("changed", [0, WINDOW - 1, 2 * WINDOW, 3 * WINDOW - 1])
def test_a_file_with_other_content_at_either_end_is_foreign(opened: Callable[[bytes], int], changed: int) -> None:
    position = FilePosition.at(opened(CONTENT), 3 * WINDOW)
    other = CONTENT[:changed] + b"\xff" + CONTENT[changed + 1 :]
    with pytest.raises(ForeignFileError, match="has other content in its first"):
        position.check(opened(other))


@pytest.mark.parametrize("encoded", [b"", b"\xff", b"{}", b"[]", b'{"version": 2, "offset": 1}', b'{"version": 1}'])
def test_what_is_no_position_is_refused(encoded: bytes) -> None:
    with pytest.raises(ValueError):
        FilePosition.decode(encoded)
