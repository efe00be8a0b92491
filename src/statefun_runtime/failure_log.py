"""Tells the log which addresses have parked and what has become a dead letter, once it is durable."""

import logging
from collections import Counter
from collections.abc import Sequence

from statefun_runtime.epoch import Epoch

_log = logging.getLogger(__name__)
_NAMED = 10
"""Of each kind in one epoch; beyond it they are only counted: a thousand lines a second tell nobody more."""


class FailureLog:
    """Logs the failures for good of each epoch, and counts its dead letters."""

    def __init__(self) -> None:
        self.dead_letters: Counter[str] = Counter()
        """Made since the start, by where they were to go: a function type or an egress."""

    def durable(self, epoch: Epoch) -> None:
        """Take note of an epoch that is on disk."""
        self.dead_letters.update(letter.destination for letter in epoch.dead_letters)
        parked = [(address, why) for address, why in epoch.parked.items() if why is not None]
        for (typename, identifier), why in parked[:_NAMED]:
            _log.warning("%s/%s is parked after %d attempts: %s", typename, identifier, why.attempts, why.reason)
        _log_others(parked, "addresses are parked; `statefun parked list` shows them")
        for letter in epoch.dead_letters[:_NAMED]:
            _log.warning("dead letter %d for %s: %s", letter.number, letter.destination, letter.reason)
        _log_others(epoch.dead_letters, "messages are dead letters; `statefun dead-letters list` shows them")


def _log_others(found: Sequence[object], what: str) -> None:
    if len(found) > _NAMED:
        _log.warning("%d more %s", len(found) - _NAMED, what)
