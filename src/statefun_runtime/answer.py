"""What the sender of a request is told, and who tells it."""

from enum import Enum
from typing import NamedTuple

OWN_NAMESPACE = "io.statefun.http"
"""The namespace of the function types that the runtime serves itself. Nobody outside sends to them."""

REQUESTS = f"{OWN_NAMESPACE}/request"
"""The function type each address of which stands for one request."""

DEAD_LETTER_NOTE = f"{OWN_NAMESPACE}/dead-letter"
"""The typename of what the runtime tells a request whose message became a dead letter: the reason, in UTF-8."""


class AnswerKind(Enum):
    """The answers to a request; the values are those of the metrics."""

    ACCEPTED = "accepted"
    """The messages are durable; for a request that awaits no reply."""
    REPLIED = "replied"
    """A function has replied."""
    DEAD_LETTER = "dead letter"
    """The message could not be handled and was put aside, or deleted by an operator."""
    PARKED = "parked"
    """The target is called no more until somebody resumes it. The message waits there."""
    REFUSED = "refused"
    """The same, but the message was not taken."""
    CONFLICT = "conflict"
    """Another request has the same key."""
    STOPPED = "stopped"
    """The runtime stops, and there is no reply yet."""


class Answer(NamedTuple):
    """`payload` is the reply, an encoded `TypedValue`; `reason` tells people why there is none."""

    kind: AnswerKind
    payload: bytes = b""
    reason: str = ""
