"""What is kept of a request with a key: the state of its address."""

import json
from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass
from typing import Any

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun.wire import encode_typed_value
from statefun_runtime.interfaces import ExpireMode, Payload, StateSpec

RECORD = "io.statefun.http/Record"
STATE = "request"


@dataclass(frozen=True, slots=True)
class Record:
    """A request and what came of it: a reply, or the reason why there will be none, or neither yet."""

    scope: str
    fingerprint: str
    awaits_reply: bool
    reply: Payload | None = None
    failure: str | None = None

    def encode(self) -> Payload:
        """As the value of the state."""
        fields: dict[str, Any] = {name: value for name, value in asdict(self).items() if value is not None}
        if self.reply is not None:
            fields["reply"] = b64encode(self.reply).decode()
        return encode_typed_value(RECORD, json.dumps(fields).encode())

    @classmethod
    def decode(cls, payload: Payload) -> "Record":
        """The inverse of `encode`. Raises ValueError if it is none."""
        try:
            fields: dict[str, Any] = json.loads(TypedValue.FromString(payload).value)
            reply = fields.pop("reply", None)
            return cls(**fields, reply=None if reply is None else b64decode(reply))
        except (TypeError, AttributeError) as error:
            raise ValueError(f"is no {RECORD}: {error}") from error


def request_states(retention: int) -> tuple[StateSpec, ...]:
    """The states of a request; `retention` is how long they are kept after the last write, in milliseconds."""
    return (StateSpec(STATE, RECORD, ExpireMode.AFTER_WRITE, retention),)
