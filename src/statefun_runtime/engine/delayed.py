"""Messages that are due later, in due order, and the tokens that cancel them.

Only the nearest are in memory: those up to the horizon, which is a key and not a time. The rest is rows of the store,
and in epochs on their way there.
"""

from collections.abc import Collection, Iterator, Mapping
from heapq import heapify, heappop, heappush
from typing import Final

from statefun_runtime.epoch import DelayedKey, DelayedMessage, Epoch, Token
from statefun_runtime.interfaces import Cancellation, DelayedSend

_BEFORE_ALL: Final[DelayedKey] = (-1, 0)


class UnknownTokenError(Exception):
    """Whether the token is taken stands in the store only."""


class DelayedMessages:
    """The index of delayed messages. What was added and is gone within one epoch touches no disk.

    `epochs` are always those that are not yet durable, the open one first: the others are in the store.
    """

    def __init__(self, count: int, window: int) -> None:
        """Begin with `count` messages in the store, and keep about `window` in memory."""
        self.count = count
        """Messages in all, in memory or not."""
        self._window = window
        self._horizon: DelayedKey | None = _BEFORE_ALL if count else None
        """The last key up to which all are in memory; None if all are."""
        self._heap: list[DelayedKey] = []
        self._waiting: dict[DelayedKey, DelayedMessage] = {}
        self._tokens: dict[Token, DelayedKey] = {}

    def add(self, message: DelayedMessage, epoch: Epoch) -> None:
        """Take a new message. Its token, if it has one, must not be live."""
        self.count += 1
        key = message.key
        epoch.delayed[key] = message
        if message.token:
            epoch.tokens[message.caller, message.token] = key
        if self._horizon is None or key <= self._horizon:
            self._keep(key, message)
            if len(self._waiting) > 2 * self._window:
                self._trim()

    def find(
        self, token: Token, epochs: Collection[Epoch], stored: Mapping[Token, DelayedKey | None]
    ) -> DelayedKey | None:
        """The key of the message that waits with this token, or None.

        Args:
            token: The token.
            epochs: Those not yet durable.
            stored: What the store was found to hold for tokens asked of it.

        Raises:
            UnknownTokenError: It is not in memory, and `stored` does not tell.
        """
        key = self._tokens.get(token)
        if key is not None:
            return key
        for epoch in epochs:
            if token in epoch.tokens or token in epoch.tokens_gone:
                return epoch.tokens.get(token)
        if self._horizon is None:
            return None
        if token not in stored:
            raise UnknownTokenError(token)
        return stored[token]

    def cancel(self, key: DelayedKey, token: Token, epoch: Epoch) -> None:
        """Drop the message of this key and token, which `find` has found."""
        if key in self._waiting:
            self._forget(key)
            self._compact()
        self._drop(key, token, epoch)

    def due(self, now: int, epoch: Epoch) -> Iterator[DelayedMessage]:
        """Remove and yield the messages due by now, in due order, equal times in the order they were sent.

        Those beyond the horizon follow when they are loaded.
        """
        heap = self._heap
        while heap and heap[0][0] <= now:
            key = heappop(heap)
            if key in self._waiting:
                message = self._forget(key)
                self._drop(key, (message.caller, message.token), epoch)
                yield message

    def next_due(self) -> int | None:
        """When to look again, at the latest."""
        return self._heap[0][0] if self._heap else None

    @property
    def wanted_after(self) -> DelayedKey | None:
        """The key after which messages should be loaded now; None if enough are in memory."""
        return self._horizon if len(self._waiting) <= self._window // 2 else None

    def loaded(self, rows: list[DelayedMessage], epochs: Collection[Epoch], *, is_end: bool) -> None:
        """Take the rows that follow `wanted_after`, all that there are if `is_end`."""
        before = self._horizon
        if before is None:
            return
        last = None if is_end or not rows else rows[-1].key
        found = {message.key: message for message in rows}
        for epoch in epochs:
            born = epoch.delayed.items()
            found |= {key: message for key, message in born if before < key and (last is None or key <= last)}
        for key, message in found.items():
            if not any(key in epoch.delayed_gone for epoch in epochs):
                self._keep(key, message)
        self._horizon = last

    def _keep(self, key: DelayedKey, message: DelayedMessage) -> None:
        heappush(self._heap, key)
        self._waiting[key] = message
        if message.token:
            self._tokens[message.caller, message.token] = key

    def _forget(self, key: DelayedKey) -> DelayedMessage:
        message = self._waiting.pop(key)
        if message.token:
            del self._tokens[message.caller, message.token]
        return message

    def _drop(self, key: DelayedKey, token: Token, epoch: Epoch) -> None:
        self.count -= 1
        if epoch.delayed.pop(key, None) is None:
            epoch.delayed_gone.add(key)
        if token[1] and epoch.tokens.pop(token, None) is None:
            epoch.tokens_gone.add(token)

    def _trim(self) -> None:
        """Leave the far ones to the store."""
        self._heap = sorted(self._waiting)
        for key in self._heap[self._window :]:
            self._forget(key)
        del self._heap[self._window :]
        self._horizon = self._heap[-1]

    def _compact(self) -> None:
        # Keys of cancelled messages stay in the heap until they surface; timers that are cancelled long before they
        # are due would fill it.
        if len(self._heap) > 2 * len(self._waiting) + 1000:
            self._heap = list(self._waiting)
            heapify(self._heap)


def token_refusal(delayed: list[DelayedSend | Cancellation], keys: Mapping[Token, DelayedKey | None]) -> str | None:
    """Why the function may not send these, or None; `keys` tell which tokens are held before the first of them."""
    live = {token for (_, token), key in keys.items() if key is not None}
    for effect in delayed:
        if isinstance(effect, Cancellation):
            live.discard(effect.token)
        elif effect.token in live:
            return f"it sent a delayed message with the token {effect.token!r}, which another one of it still holds"
        elif effect.token:
            live.add(effect.token)
    return None
