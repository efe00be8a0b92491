"""Cursors: which record of a subscription. Records are numbered from 1 within the life of an application."""

from typing import NamedTuple, Self


class Cursor(NamedTuple):
    """The record `number` of a lineage; 0 is before the first.

    A number alone would not do: a savepoint that is restored goes on with the numbers of the savepoint, and what the
    old lineage numbered the same is another record.
    """

    lineage: str
    number: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """The inverse of `str()`. Raises ValueError."""
        lineage, _, number = text.rpartition("-")
        if not lineage or not number.isascii() or not number.isdecimal() or len(number) > 18:
            raise ValueError(f"{text[:80]!r} is no cursor; give one that this egress gave, or none to begin")
        return cls(lineage, int(number))

    def __str__(self) -> str:
        return f"{self.lineage}-{self.number}"
