"""Where something stands in a module file."""

from typing import NamedTuple


class Position(NamedTuple):
    """A place in a file. Lines and columns count from 1, as editors do; line 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file
