"""The known name that somebody who mistyped one probably meant."""

import difflib
from collections.abc import Iterable

_LONGEST = 100
"""Comparing takes time that grows with the square of the length, and longer names are no slips of the finger."""


def nearest_name(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The name of `known` that is most like `name`, case apart, `None` if none has a likeness of `cutoff` (0 to 1)."""
    if len(name) > _LONGEST:
        return None
    by_folded = {candidate.casefold(): candidate for candidate in known}
    matches = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=cutoff)
    return by_folded[matches[0]] if matches else None
