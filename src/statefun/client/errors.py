"""Errors of the clients, by what the caller can do."""

from statefun.errors import StatefunError


class ClientError(StatefunError):
    """The root of the errors of the clients."""


class RefusedError(ClientError, ValueError):
    """The runtime refused the request for what it is: sending the same again is pointless."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status
        """Of the HTTP response: 400, 403, 404, 413, 422 and the like."""


class UnavailableError(ClientError, ConnectionError):
    """The runtime could not be reached, or took no more, as long as the client tried.

    `maybe_taken` tells whether an attempt may have got through. Sending again with the same `key` is safe then.
    """

    def __init__(self, text: str, *, maybe_taken: bool, key: str | None) -> None:
        super().__init__(text)
        self.maybe_taken = maybe_taken
        self.key = key


class CallTimeoutError(ClientError, TimeoutError):
    """No reply came in time. The call goes on; calling again with the same `key` waits for the same reply."""

    def __init__(self, text: str, key: str) -> None:
        super().__init__(text)
        self.key = key


class CallFailedError(ClientError, RuntimeError):
    """The function will not reply by itself: the message is a dead letter (500), or its address is parked (503).

    Once an operator has resumed the address or sent the letter again, calling with the same `key` gets the reply.
    """

    def __init__(self, text: str, status: int, key: str) -> None:
        super().__init__(text)
        self.status = status
        self.key = key


class ReplyTypeError(ClientError, TypeError):
    """The reply, or a record, is of another type than was asked for."""


class CursorGoneError(ClientError, LookupError):
    """Records behind the cursor are not kept any more, or the application was restored from a savepoint.

    `oldest` is the cursor to go on from, with the oldest record that is kept.
    """

    def __init__(self, text: str, oldest: str) -> None:
        super().__init__(text)
        self.oldest = oldest
