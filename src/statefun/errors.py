"""Errors of the SDK, by who must act. Each also is the built-in error that Python code would expect in its place."""

from datetime import timedelta


class StatefunError(Exception):
    """The root of all errors that the SDK defines."""


class RegistrationError(StatefunError, ValueError):
    """The application's code declares something that cannot work; its author must change it."""


class UnknownFunctionError(StatefunError, KeyError):
    """A function type that is not registered here: the deployment and the code disagree."""

    def __str__(self) -> str:
        # KeyError would show the message quoted and escaped.
        return str(self.args[0])


class ProtocolError(StatefunError, ValueError):
    """Bytes that are no request of the request-reply protocol; the peer is at fault."""


class UndeclaredStateError(StatefunError, AttributeError):
    """A state that the function does not declare in its value specs."""


class StateTypeError(StatefunError, TypeError):
    """A stored value has another type than its value spec says; the state must be migrated or the spec put back."""


class ContextEndedError(StatefunError, RuntimeError):
    """A context was used after the message it belongs to was done; its effects could no longer be sent."""


class RetryLater(StatefunError):  # noqa: N818  (an instruction to the runtime, not a fault)
    """Raised by a function that cannot work now: nothing of the batch counts and it is sent again after a while.

    Over HTTP it is the status 503 with `Retry-After`.
    """

    def __init__(self, after: timedelta, reason: str = "") -> None:
        """Ask for the same batch again.

        Args:
            after: How long to wait at least; must not be negative.
            reason: Why, for logs and the HTTP body.
        """
        if after < timedelta(0):
            raise ValueError(f"after must not be negative, it is {after}")
        super().__init__(reason or f"retry after {after}")
        self.after = after


class Reject(StatefunError):  # noqa: N818  (an instruction to the runtime, not a fault)
    """Raised by a function that will never accept this batch: sending it again is pointless. Over HTTP it is 422."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
