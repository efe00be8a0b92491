"""What a reader of a subscription asks for. Pure: the query of a request in, values out."""

import math
from collections.abc import Mapping
from typing import NamedTuple

LATEST = "latest"
MAX_SECONDS = 60.0
MAX_RECORDS = 10_000
_SECONDS = 30.0
_RECORDS = 1000


class Poll(NamedTuple):
    """Records behind the cursor `after`, "" for the oldest kept and `LATEST` for those to come.

    At most `most` of them. If there are none, the answer may wait `seconds` for the first.
    """

    after: str
    seconds: float
    most: int


def parse_poll(query: Mapping[str, str]) -> Poll:
    """The poll of a query. Raises ValueError."""
    for name in query:
        if name not in ("after", "wait", "max"):
            raise ValueError(f"{name!r} is no parameter; there are after, wait and max")
    most = query.get("max", str(_RECORDS))
    if not most.isascii() or not most.isdecimal() or not 0 < len(most) < 10 or not 0 < int(most) <= MAX_RECORDS:
        raise ValueError(f"max={most[:80]} is not a number of records from 1 to {MAX_RECORDS}")
    return Poll(query.get("after", ""), _seconds(query.get("wait", str(_SECONDS))), int(most))


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= MAX_SECONDS:
        raise ValueError(f"wait={text[:80]} is not a number of seconds from 0 to {MAX_SECONDS:g}")
    return seconds
