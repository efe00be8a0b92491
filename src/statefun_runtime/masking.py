"""Keeps values that were given as secrets out of everything that is shown."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar, cast

T = TypeVar("T")

MASK = "***"
SHORTEST = 4
"""Characters; a shorter value is not looked for, since it would be found in ordinary words."""


class Secrets:
    """Values that no text may show. It shows none of them itself."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        # Values stand in texts as they are, as `repr` writes them and as JSON does.
        forms = {
            form
            for value in values
            if len(value) >= SHORTEST
            for form in (value, repr(value)[1:-1], json.dumps(value)[1:-1])
        }
        longest_first = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def mask(self, text: str) -> str:
        """The text with every secret in it made unreadable."""
        return text if self._pattern is None else self._pattern.sub(MASK, text)

    def masked(self, value: T) -> T:
        """A value of JSON's kinds with every secret in its texts made unreadable; keys stay as they are."""
        return cast("T", self._masked(value)) if self._pattern is not None else value

    def _masked(self, value: object) -> object:
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, Mapping):
            items = cast("Mapping[object, object]", value).items()
            return {key: self._masked(item) for key, item in items}
        if isinstance(value, list | tuple):
            return [self._masked(item) for item in cast("Sequence[object]", value)]
        return value


NO_SECRETS = Secrets()
