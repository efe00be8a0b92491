"""Dead letters as they come and go, and what they take of the disk."""

from collections.abc import Callable

from statefun.wire import encode_typed_value
from statefun_runtime.answer import DEAD_LETTER_NOTE, REQUESTS
from statefun_runtime.epoch import DeadLetter, Epoch
from statefun_runtime.interfaces import Address, Message, Payload


class DeadLetters:
    """Puts into the open epoch what could not be delivered, and takes out what an operator resends or deletes."""

    def __init__(self, size: int, send: Callable[[Address, Address | None, Payload], None]) -> None:
        """Args: `size` of those in the store in bytes; `send` sends to a target what comes from a caller or nobody."""
        self.size = size
        """Of all there are, in bytes."""
        self._send = send

    def put_aside(self, letter: DeadLetter, epoch: Epoch) -> None:
        """Keep what could not be delivered, and tell the request that it came from, if it came from one."""
        epoch.dead_letters.append(letter)
        self.size += letter.size
        self.tell_request(letter.message, letter.reason)

    def remove(self, letter: DeadLetter, epoch: Epoch) -> None:
        """Forget a dead letter, which must be in the store and not gone in the open epoch."""
        epoch.dead_letters_gone.append(letter.number)
        self.size -= letter.size

    def tell_request(self, message: Message, reason: str) -> None:
        """Tell the request that a message came from, if it came from one, why nobody will handle it."""
        caller = message[2]
        if caller is not None and caller[0] == REQUESTS:
            self._send(caller, None, encode_typed_value(DEAD_LETTER_NOTE, reason.encode()))
