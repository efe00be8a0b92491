"""The message by which a request with a key comes to its address: what is to be sent on, and who waits."""

import json
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import Any, NamedTuple

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun.wire import encode_typed_value
from statefun_runtime.interfaces import Payload, Request, Send

ASK = "io.statefun.http/ask"


class Ask(NamedTuple):
    """A request with a key. `waiter` names, in the process that took it, who waits for the answer."""

    waiter: str
    scope: str
    fingerprint: str
    awaits_reply: bool
    sends: tuple[Send, ...]

    @classmethod
    def of(cls, request: Request, waiter: str) -> "Ask":
        """The ask of a request."""
        sends = tuple(Send(arrival.target, arrival.payload) for arrival in request.arrivals)
        return cls(waiter, request.scope, request.fingerprint, request.awaits_reply, sends)

    def encode(self) -> Payload:
        """The message that says so."""
        sends = [[*target, b64encode(payload).decode()] for target, payload in self.sends]
        return encode_typed_value(ASK, json.dumps({**self._asdict(), "sends": sends}).encode())

    @classmethod
    def decode(cls, value: TypedValue) -> "Ask":
        """The inverse of `encode`. Raises ValueError if it is none."""
        try:
            fields: dict[str, Any] = json.loads(value.value)
            sends = tuple(Send((name, identifier), b64decode(text)) for name, identifier, text in fields.pop("sends"))
            return cls(**fields, sends=sends)
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"is no {ASK}: {error}") from error


def request_id(scope: str, key: str) -> str:
    """The id of the address that stands for all requests of this scope and key."""
    return sha256(f"{len(scope)} {scope} {key}".encode()).hexdigest()
